//! The HTTP interface, driven as a script would.

use reqwest::StatusCode;
use serde_json::{Value, json};
use whatsim::{Config, Sim, prepare_session};

use crate::bot::{ACCOUNT, ANN, EchoBot, PATIENCE};

/// A client of the HTTP interface.
pub struct Script {
    client: reqwest::Client,
    base: String,
}

impl Script {
    pub fn new(sim: &Sim) -> Self {
        Self { client: reqwest::Client::new(), base: sim.http_url().unwrap() }
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        let answer = self.client.get(format!("{}{path}", self.base)).send().await.unwrap();
        told(answer).await
    }

    pub async fn delete(&self, path: &str) -> (StatusCode, Value) {
        let answer = self.client.delete(format!("{}{path}", self.base)).send().await.unwrap();
        told(answer).await
    }

    pub async fn put(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.client.put(format!("{}{path}", self.base)).json(&body);
        told(request.send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.client.post(format!("{}{path}", self.base)).json(&body);
        let answer = request.send().await.unwrap();
        told(answer).await
    }
}

/// The status and the JSON of an answer; an empty one is null.
async fn told(answer: reqwest::Response) -> (StatusCode, Value) {
    let status = answer.status();
    let bytes = answer.bytes().await.unwrap();
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    (status, body)
}

#[tokio::test]
async fn a_conversation_by_http() {
    let sim = Sim::start(Config { http_port: Some(0), ..Config::default() }).await.unwrap();
    let script = Script::new(&sim);
    let (status, account) = script.post("/accounts", json!({ "phone": ACCOUNT })).await;
    assert_eq!((status, &account["link"]), (StatusCode::CREATED, &json!("unlinked")));
    let (status, _) = script.post("/contacts", json!({ "name": "Ann", "phone": ANN })).await;
    assert_eq!(status, StatusCode::CREATED);

    let folder = tempfile::tempdir().unwrap();
    prepare_session(folder.path(), sim.server_key()).await.unwrap();
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    let qr = bot.diary.qr().await;
    let (status, linked) = script.post("/scan", json!({ "qr": qr, "phone": ACCOUNT })).await;
    assert_eq!((status, &linked["device"]), (StatusCode::OK, &json!(1)));
    bot.diary.connected(1).await;

    let path = format!("/contacts/{ANN}/messages");
    let (status, sent) = script.post(&path, json!({ "to": ACCOUNT, "text": "hello" })).await;
    assert_eq!(status, StatusCode::CREATED);
    let (status, reply) = script.get(&format!("/contacts/{ANN}/reply?after=0&wait_ms=60000")).await;
    assert_eq!((status, &reply["text"]), (StatusCode::OK, &json!("echo: hello")));
    let (_, said) = script.get(&path).await;
    assert_eq!(said["received_total"], 1);
    assert_eq!(said["sent"][0]["id"], sent["id"]);

    let (status, _) = script.post(&format!("/accounts/{ACCOUNT}/logout"), json!({})).await;
    assert_eq!(status, StatusCode::OK);
    bot.ended().await;
    let (_, state) = script.get("/state").await;
    assert_eq!(state["accounts"][0]["link"], "unlinked");
    assert_eq!(state["ws_url"], sim.ws_url());
}

#[tokio::test]
async fn faults_are_armed_and_ended_by_http() {
    let sim = Sim::start(Config { http_port: Some(0), ..Config::default() }).await.unwrap();
    let script = Script::new(&sim);
    sim.add_account(ACCOUNT).unwrap();
    let path = format!("/accounts/{ACCOUNT}/faults");
    let (status, armed) = script.post(&path, json!({ "fault": "cut", "times": 2 })).await;
    assert_eq!((status, &armed), (StatusCode::OK, &json!([{ "fault": "cut", "uses_left": 2 }])));
    let slow = json!({ "slow": { "delay_ms": 20 } });
    let (_, armed) = script.post(&path, json!({ "fault": slow })).await;
    assert_eq!(armed[1], json!({ "fault": slow }));
    let (_, armed) = script.delete(&format!("{path}/slow")).await;
    assert_eq!(armed.as_array().unwrap().len(), 1);
    let (_, account) = script.get(&format!("/accounts/{ACCOUNT}")).await;
    assert_eq!(account["faults"], armed);
    let (_, armed) = script.delete(&path).await;
    assert_eq!(armed, json!([]));

    let cases = [
        (json!({ "fault": "melt" }), 422, "invalid_body"),
        (json!({ "fault": { "slow": { "delay_ms": 100_000 } } }), 400, "invalid_fault"),
        (json!({ "fault": "cut", "times": 1, "until_ended": true }), 400, "invalid_fault"),
        (json!({ "fault": "logout" }), 409, "not_linked"),
    ];
    for (body, status, code) in cases {
        let (answered, fault) = script.post(&path, body).await;
        assert_eq!((answered.as_u16(), &fault["code"]), (status, &json!(code)));
    }
    let (status, fault) = script.delete(&format!("{path}/melt")).await;
    assert_eq!((status.as_u16(), &fault["code"]), (400, &json!("invalid_path")));
}

#[tokio::test]
async fn events_are_streamed_by_http() {
    let sim = Sim::start(Config { http_port: Some(0), ..Config::default() }).await.unwrap();
    let script = Script::new(&sim);
    let url = format!("{}/events", sim.http_url().unwrap());
    let mut stream = script.client.get(url).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let folder = tempfile::tempdir().unwrap();
    prepare_session(folder.path(), sim.server_key()).await.unwrap();
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await.unwrap().unwrap().unwrap();
    assert_eq!(&chunk[..], b"data: {\"event\":\"pairing_offered\"}\n\n");
    bot.stop().await;
}

#[tokio::test]
async fn faults_have_a_code_and_a_message() {
    let sim = Sim::start(Config { http_port: Some(0), ..Config::default() }).await.unwrap();
    let script = Script::new(&sim);
    sim.add_account(ACCOUNT).unwrap();
    sim.add_contact("Ann", ANN).unwrap();
    let text = format!("/contacts/{ANN}/messages");
    let cases = [
        ("/accounts".to_owned(), json!({ "phone": "12" }), 400, "invalid_phone"),
        ("/accounts".to_owned(), json!({ "phone": ACCOUNT }), 409, "number_taken"),
        ("/accounts".to_owned(), json!({ "number": ACCOUNT }), 422, "invalid_body"),
        ("/scan".to_owned(), json!({ "qr": "x", "phone": ACCOUNT }), 400, "malformed_qr"),
        (text.clone(), json!({ "to": ACCOUNT, "text": "x" }), 409, "not_linked"),
        (text, json!({ "to": "49155512345", "text": "x" }), 404, "unknown_account"),
        (format!("/accounts/{ACCOUNT}/cut"), json!({}), 409, "not_linked"),
        (format!("/accounts/{ACCOUNT}/explode"), json!({}), 404, "unknown_route"),
        ("/state".to_owned(), json!({}), 405, "wrong_method"),
    ];
    for (path, body, status, code) in cases {
        let (answered, fault) = script.post(&path, body).await;
        assert_eq!((answered.as_u16(), &fault["code"]), (status, &json!(code)), "{path}");
        assert!(fault["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
    let (status, fault) = script.get(&format!("/contacts/{ANN}/reply?after=0")).await;
    assert_eq!((status.as_u16(), &fault["code"]), (408, &json!("timed_out")));
    let (status, _) = script.post("/network", json!({ "refuse": true })).await;
    assert_eq!(status, StatusCode::OK);
    assert!(sim.state().refusing);
}
