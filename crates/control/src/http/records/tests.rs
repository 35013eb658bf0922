#![allow(clippy::unwrap_used, reason = "a test may fail")]

use api::live::ConversationView;
use api::records::{MessageView, Page};
use api::worker::HeartbeatMode;
use chrono::Utc;
use serde_json::{Value, json};

use crate::http::tests::stage::Stage;

fn message(seq: u64, chat: &str, text: &str) -> Value {
    json!({"seq": seq, "at": Utc::now(), "kind": "message", "message_id": format!("M{seq}"), "chat": chat, "direction": "IN", "text": text})
}

#[tokio::test]
async fn conversations_and_their_messages() {
    let stage = Stage::new().await;
    let id = stage.tenant("duka", HeartbeatMode::Link).await;
    let told = json!([
        message(1, "a@s.whatsapp.net", "Habari"),
        message(2, "b@s.whatsapp.net", "Bei gani?"),
        message(3, "a@s.whatsapp.net", "Asante, 50%"),
    ]);
    assert_eq!(stage.tell(id, told).await.status, 200);
    let chats = async |query: &str| -> Page<ConversationView> {
        let answer = stage.get(&format!("/admin/tenants/{id}/conversations{query}")).await;
        serde_json::from_value(answer.body).unwrap()
    };
    let first = chats("?limit=1").await;
    assert_eq!((first.items[0].last.text.as_str(), first.items[0].messages), ("Asante, 50%", 2));
    let rest = chats(&format!("?before={}", first.next.unwrap())).await;
    assert_eq!((rest.items[0].chat.as_str(), rest.items.len()), ("b@s.whatsapp.net", 1));
    assert_eq!(rest.next, None);

    let texts = async |query: &str| -> Vec<String> {
        let answer = stage.get(&format!("/admin/tenants/{id}/messages?{query}")).await;
        let page: Page<MessageView> = serde_json::from_value(answer.body).unwrap();
        page.items.into_iter().map(|message| message.text).collect()
    };
    assert_eq!(texts("chat=a@s.whatsapp.net").await, ["Asante, 50%", "Habari"]);
    assert_eq!(texts("q=BEI").await, ["Bei gani?"]);
    assert_eq!(texts("q=0%25&chat=a@s.whatsapp.net").await, ["Asante, 50%"]);
    assert_eq!(texts("q=").await.len(), 3);
    assert_eq!(texts("q=%00").await, [""; 0]);
    let long = "x".repeat(201);
    for query in [&format!("q={long}"), "limit=0", "limit=1001", "before=x"] {
        let answer = stage.get(&format!("/admin/tenants/{id}/messages?{query}")).await;
        assert_eq!(answer.code(), (400, "invalid_query"), "{query}");
    }
    let answer = stage.get(&format!("/admin/tenants/{id}/conversations?limit=0")).await;
    assert_eq!(answer.code(), (400, "invalid_query"));
}
