mod deleting;
mod sending;

use api::worker::HeartbeatMode;
use axum::body::Body;
use axum::http::Method;
use serde_json::json;

use crate::http::tests::stage::{ADMIN, Stage, request};

const TO: &str = "+254700000001";

#[tokio::test]
async fn no_route_is_open_and_each_works_on_one_tenant() {
    let stage = Stage::new().await;
    let one = stage.tenant("one", HeartbeatMode::Link).await;
    let two = stage.tenant("two", HeartbeatMode::Link).await;
    let sent = stage.send("one", Some("k"), json!({"to": TO, "text": "hi"})).await;
    let id = sent.body["id"].as_str().unwrap().to_owned();
    let routes = [
        (Method::POST, format!("/v1/tenants/{one}/messages")),
        (Method::GET, format!("/v1/tenants/{one}/messages")),
        (Method::POST, format!("/v1/tenants/{one}/media")),
        (Method::GET, format!("/v1/messages/{id}")),
    ];
    let worker = stage.worker(one);
    for (method, path) in &routes {
        for token in [None, Some(""), Some("wrong"), Some(worker.as_str())] {
            let answer =
                stage.call(request(method.clone(), path, token).body(Body::empty()).unwrap()).await;
            assert_eq!(answer.code(), (401, "unauthorized"), "{method} {path} with {token:?}");
        }
        let nowhere = path.replace(&one.to_string(), "nobody").replace(&id, "nothing");
        let answer =
            stage.call(request(method.clone(), &nowhere, Some(ADMIN)).body(Body::empty()).unwrap());
        assert_eq!(answer.await.status, 404, "{method} {nowhere}");
    }
    // What one tenant has, the other does not show, nor its worker get.
    assert_eq!(stage.get("/v1/tenants/two/messages").await.body["items"], json!([]));
    let upload =
        stage.upload("one", b"a file".to_vec()).await.body["id"].as_str().unwrap().to_owned();
    let path = format!("/link/v1/media/{upload}");
    for (tenant, status) in [(one, 200), (two, 404)] {
        let token = stage.worker(tenant);
        let answer =
            stage.call(request(Method::GET, &path, Some(&token)).body(Body::empty()).unwrap());
        assert_eq!(answer.await.status, status);
    }
    let theirs = json!({"to": TO, "media": {"kind": "image", "upload": upload}});
    assert_eq!(stage.send("two", Some("k"), theirs).await.fields(), ["media.upload"]);
    let no_worker =
        stage.call(request(Method::GET, &path, Some(ADMIN)).body(Body::empty()).unwrap());
    assert_eq!(no_worker.await.status, 401);
}

#[tokio::test]
async fn each_bad_request_has_its_code_and_changes_nothing() {
    let stage = Stage::new().await;
    stage.tenant("one", HeartbeatMode::Link).await;
    stage.tenant("own", HeartbeatMode::Process).await;
    let good = json!({"to": TO, "text": "hi"});
    let missing = stage.send("one", None, good.clone()).await;
    assert_eq!(missing.code(), (400, "idempotency_key_missing"));
    assert!(missing.body["detail"].as_str().unwrap().contains("header Idempotency-Key"));
    let long = "x".repeat(256);
    assert_eq!(stage.send("one", Some(&long), good.clone()).await.fields(), ["Idempotency-Key"]);
    assert_eq!(stage.send("own", Some("k"), good).await.code(), (409, "worker_without_link"));
    let bad = stage.send("one", Some("k"), json!({"to": "0700", "text": ""})).await;
    assert_eq!((bad.code(), bad.fields()), ((422, "invalid_field"), vec!["to", "text"]));
    let unknown = stage.send("one", Some("k"), json!({"to": TO, "txt": "hi"})).await;
    assert_eq!(unknown.code(), (422, "invalid_body"));
    let upload = json!({"to": TO, "media": {"kind": "image", "upload": uuid::Uuid::now_v7()}});
    assert_eq!(stage.send("one", Some("k"), upload).await.fields(), ["media.upload"]);
    assert_eq!(stage.upload("one", Vec::new()).await.code(), (422, "invalid_body"));
    let large = stage.upload("one", vec![0; api::messages::MAX_MEDIA + 1]).await;
    assert_eq!(large.code(), (413, "body_too_large"));
    assert_eq!(stage.get("/v1/messages/x").await.code(), (404, "unknown_message"));
    assert_eq!(stage.get("/v1/tenants/one/messages?limit=0").await.code(), (400, "invalid_query"));
    assert_eq!(stage.get("/v1/tenants/one/messages").await.body["items"], json!([]));
    let folder = stage.plane.settings.home.media();
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().collect();
    assert!(left.iter().all(|tenant| tenant.path().read_dir().unwrap().next().is_none()));
}
