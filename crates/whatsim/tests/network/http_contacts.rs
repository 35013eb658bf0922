//! What contacts do, by HTTP.

use reqwest::StatusCode;
use serde_json::{Value, json};
use whatsim::Config;

use crate::bot::{ACCOUNT, ANN, PATIENCE, Seen, linked};
use crate::http::Script;

/// The answer of the bot to the text with this index.
async fn reply(script: &Script, index: u64) -> Value {
    let path = format!("/contacts/{ANN}/reply?after={index}&wait_ms=60000");
    let (status, reply) = script.get(&path).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    reply
}

#[tokio::test]
async fn files_groups_and_signs_by_http() {
    let (sim, bot, _folder) = linked(Config { http_port: Some(0), ..Config::default() }).await;
    let script = Script::new(&sim);
    let ann = format!("/contacts/{ANN}");

    // A file of five bytes.
    let media = json!({ "to": ACCOUNT, "kind": "image", "data": "aGVsbG8=", "caption": "look" });
    let (status, sent) = script.post(&format!("{ann}/media"), media).await;
    assert_eq!(status, StatusCode::CREATED, "{sent}");
    let file = Seen::File { kind: "image", bytes: Ok(b"hello".to_vec()) };
    bot.diary.wait(1, |seen| *seen == file).await;
    let flawed = json!({ "to": ACCOUNT, "kind": "image", "data": "aGVsbG8=", "flaw": "damaged" });
    script.post(&format!("{ann}/media"), flawed).await;
    bot.diary.wait(1, |seen| matches!(seen, Seen::File { bytes: Err(_), .. })).await;

    // `conversation: "hello"`, as bytes.
    let raw = json!({ "to": ACCOUNT, "message": "CgVoZWxsbw==" });
    script.post(&format!("{ann}/raw"), raw).await;
    let first = reply(&script, 0).await;
    assert_eq!(first["text"], "echo: hello");

    let group = json!({ "subject": "Tennis", "members": [ANN, ACCOUNT], "addressing": "lid" });
    let (status, group) = script.post("/groups", group).await;
    assert_eq!(status, StatusCode::CREATED);
    let id = group["id"].as_str().unwrap();
    script.post(&format!("{ann}/messages"), json!({ "to": id, "text": "all" })).await;
    assert_eq!(reply(&script, 1).await["group"], group["id"]);
    let (_, smaller) = script.delete(&format!("/groups/{id}/members/{ANN}")).await;
    assert_eq!(smaller["members"], json!([ACCOUNT]));
    let (_, larger) = script.post(&format!("/groups/{id}/members/{ANN}"), Value::Null).await;
    assert_eq!(larger, script.get(&format!("/groups/{id}")).await.1);

    let typing = json!({ "to": ACCOUNT, "sign": "composing" });
    let (status, _) = script.post(&format!("{ann}/typing"), typing).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    bot.diary.wait(1, |seen| *seen == Seen::Typing).await;
    script.post(&ann, json!({ "withhold_receipts": true, "available": false })).await;
    bot.diary.wait(1, |seen| *seen == Seen::Available(false)).await;
    let read = json!({ "message": first["id"], "kind": "read" });
    script.post(&format!("{ann}/receipts"), read).await;
    bot.diary.wait(1, |seen| matches!(seen, Seen::Receipt { read: true, .. })).await;
    let reaction = json!({ "to": ACCOUNT, "message": first["id"], "emoji": "+" });
    let (status, _) = script.post(&format!("{ann}/reactions"), reaction).await;
    assert_eq!(status, StatusCode::CREATED);
    let jid = whatsapp_rust::Jid::pn(ANN);
    bot.client().chatstate().send_composing(&jid).await.unwrap();
    sim.wait_for_sign(ACCOUNT, ANN, whatsim::Sign::Composing, PATIENCE).await.unwrap();
    let (_, signs) = script.get(&format!("/accounts/{ACCOUNT}/signs")).await;
    assert_eq!((&signs[0]["chat"], &signs[0]["sign"]), (&json!(ANN), &json!("composing")));
    bot.stop().await;
}

#[tokio::test]
async fn wrong_requests_are_told_what_is_wrong() {
    let (sim, bot, _folder) = linked(Config { http_port: Some(0), ..Config::default() }).await;
    let script = Script::new(&sim);
    let ann = format!("/contacts/{ANN}");
    let cases = [
        (
            format!("{ann}/media"),
            json!({ "to": ACCOUNT, "kind": "image", "data": "%" }),
            400,
            "invalid_body",
        ),
        (
            format!("{ann}/media"),
            json!({ "to": ACCOUNT, "kind": "hologram", "data": "" }),
            422,
            "invalid_body",
        ),
        (
            format!("{ann}/typing"),
            json!({ "to": "49155500099", "sign": "paused" }),
            404,
            "unknown_account",
        ),
        (
            format!("{ann}/receipts"),
            json!({ "message": "?", "kind": "read" }),
            404,
            "unknown_message",
        ),
        ("/groups".to_owned(), json!({ "subject": "x", "members": [] }), 400, "empty_group"),
        (
            "/groups".to_owned(),
            json!({ "subject": "x", "members": ["491555"] }),
            404,
            "unknown_contact",
        ),
        (format!("/groups/1/members/{ANN}"), Value::Null, 404, "unknown_group"),
        (
            "/enter-code".to_owned(),
            json!({ "code": "ABCD1234", "phone": ACCOUNT }),
            410,
            "code_expired",
        ),
    ];
    for (path, body, status, code) in cases {
        let (answered, fault) = script.post(&path, body).await;
        assert_eq!((answered.as_u16(), &fault["code"]), (status, &json!(code)), "{path}");
    }
    let (status, fault) = script.get(&format!("{ann}/received/0/file")).await;
    assert_eq!((status.as_u16(), &fault["code"]), (404, &json!("unknown_message")));
    bot.stop().await;
}
