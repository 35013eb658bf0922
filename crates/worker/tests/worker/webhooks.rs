//! A tenant's webhook: signed, bounded, asked again, and never in another chat's way.

use std::sync::{Arc, Mutex};

use api::link::WorkerConfig;
use api::rules::WebhookSecret;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;

use crate::fixture::{ACCOUNT, CONTACT, Fixture};

const SECRET: &str = "s3cret";

/// What the webhook was asked, in order.
type Asked = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// A webhook that does what the message says.
async fn listen() -> (String, Asked) {
    let asked = Asked::default();
    let routes = Router::new().route("/hook", post(answer)).with_state(Arc::clone(&asked));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (url, asked)
}

async fn answer(State(asked): State<Asked>, headers: HeaderMap, body: String) -> Response {
    let question: Value = serde_json::from_str(&body).unwrap();
    let times = {
        let mut asked = asked.lock().unwrap();
        asked.push((headers, body.clone()));
        asked.iter().filter(|(_, other)| *other == body).count()
    };
    match question["text"].as_str().unwrap() {
        "hang" => std::future::pending().await,
        "fail twice" if times <= 2 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        "fail" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        "redirect" => Redirect::temporary("http://127.0.0.1/").into_response(),
        "nonsense" => "<html>".into_response(),
        "large" => format!(r#"{{"reply": "{}"}}"#, "x".repeat(70_000)).into_response(),
        "quiet" => r#"{"ignore": true}"#.into_response(),
        "person" => r#"{"handover_minutes": 5}"#.into_response(),
        text => json!({"reply": format!("re: {text}")}).to_string().into_response(),
    }
}

async fn fixture(url: &str) -> Fixture {
    let mut fixture = Fixture::new().await;
    fixture.set("WEBHOOK_ALLOW_PRIVATE", "true");
    fixture.set("WEBHOOK_RETRY_MS", "20");
    let rules = json!({
        "webhook": {"url": url},
        "rules": [
            {"name": "here", "match": {"keywords": ["local"]}, "action": {"reply": "here"}},
            {"name": "there", "action": "webhook"}]});
    fixture.plane.set_config(WorkerConfig {
        version: 2,
        rate_limit_max_per_minute: 600,
        pacing: api::pacing::Pacing::off(),
        rules: Some(rules),
        webhook_secret: Some(WebhookSecret(SECRET.to_owned())),
        ..WorkerConfig::default()
    });
    fixture
}

#[tokio::test]
async fn what_the_webhook_answers_is_done_once_and_in_order() {
    let (url, asked) = listen().await;
    let fixture = fixture(&url).await;
    let running = fixture.start_paired().await;
    for text in ["one", "local", "quiet", "fail twice", "two"] {
        fixture.write(text);
    }
    for (n, expected) in ["re: one", "here", "re: fail twice", "re: two"].iter().enumerate() {
        assert_eq!(fixture.answer_after(n as u64).await, *expected);
    }
    // The message that asks for a person, and one that then gets no answer.
    fixture.write("person");
    assert!(fixture.plane.note("chat.handed_over").await.contains("webhook"));
    fixture.write("three");
    fixture.plane.messages(11).await;
    running.stop().await;
    assert_eq!(fixture.answers(), 4);

    let asked = asked.lock().unwrap();
    let texts: Vec<String> = asked
        .iter()
        .map(|(_, body)| {
            serde_json::from_str::<Value>(body).unwrap()["text"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(texts, ["one", "quiet", "fail twice", "fail twice", "fail twice", "two", "person"]);
    let (headers, body) = &asked[0];
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(headers["x-tenantry-signature"], signature.as_str());
    let question: Value = serde_json::from_str(body).unwrap();
    assert_eq!(headers["x-tenantry-message"], question["message_id"].as_str().unwrap());
    assert_eq!(question["tenant"], json!(fixture.tenant));
    assert_eq!((&question["number"], &question["kind"]), (&json!(CONTACT), &json!("text")));
    // A question that is asked again is the same in every byte.
    assert_eq!(asked[2].1, asked[4].1);
}

#[tokio::test]
async fn a_webhook_that_hangs_is_in_nobodys_way_and_ends_with_the_worker() {
    let (url, asked) = listen().await;
    let fixture = fixture(&url).await;
    fixture.sim.add_contact("Bob", "4915558888").unwrap();
    let running = fixture.start_paired().await;
    fixture.write("hang");
    fixture.plane.messages(1).await;
    for (n, text) in ["local", "far"].into_iter().enumerate() {
        fixture.sim.send_text("4915558888", ACCOUNT, text).unwrap();
        let wait = crate::plane::PATIENCE;
        fixture.sim.wait_for_reply("4915558888", n as u64, wait).await.unwrap();
    }
    assert!(running.stop().await.as_millis() < 1000);
    assert_eq!(fixture.answers(), 0);
    // The next worker asks about the same message, under the same id.
    let first = asked.lock().unwrap()[0].1.clone();
    let from = fixture.plane.beats();
    let running = fixture.start();
    fixture.connected_from(from).await;
    fixture.sim.send_text("4915558888", ACCOUNT, "more").unwrap();
    fixture.sim.wait_for_reply("4915558888", 2, crate::plane::PATIENCE).await.unwrap();
    running.stop().await;
    let again = asked.lock().unwrap().iter().filter(|(_, body)| *body == first).count();
    assert_eq!(again, 2);
}

#[tokio::test]
async fn what_cannot_be_used_is_told_and_the_chat_goes_on() {
    for (text, part) in [
        ("nonsense", "not understood: it is no JSON"),
        ("redirect", "redirects are not followed"),
        ("large", "larger than 65536 bytes"),
        ("fail", "asked 5 times: it answers 500"),
    ] {
        let (url, asked) = listen().await;
        let fixture = fixture(&url).await;
        let running = fixture.start_paired().await;
        fixture.write(text);
        fixture.write("after");
        assert_eq!(fixture.answer_after(0).await, "re: after");
        let told = fixture.plane.note("webhook.failed").await;
        assert!(told.contains(part) && told.contains("\"there\""), "{text}: {told}");
        let tries = if text == "fail" { 5 } else { 1 };
        assert_eq!(asked.lock().unwrap().len(), tries + 1, "{text}");
        running.stop().await;
    }
}

#[tokio::test]
async fn an_address_of_this_machine_is_refused_unless_the_operator_allows_it() {
    let (url, asked) = listen().await;
    let mut fixture = fixture(&url).await;
    fixture.set("WEBHOOK_ALLOW_PRIVATE", "false");
    let running = fixture.start_paired().await;
    fixture.write("one");
    let told = fixture.plane.note("webhook.failed").await;
    assert!(told.contains("webhook_allow_private"), "{told}");
    assert!(asked.lock().unwrap().is_empty());
    running.stop().await;
}
