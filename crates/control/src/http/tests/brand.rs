//! The operator's name, colour and logo.

use api::access::OperatorRole;
use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;

use super::people::PASSWORD;
use super::stage::{ADMIN, Answer, Stage};
use crate::brand::Brands;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot really a picture";

impl Stage {
    async fn brand(&self) -> serde_json::Value {
        self.ask(Method::GET, "/brand", &[], None).await.body
    }

    async fn put_logo(&self, bytes: Vec<u8>) -> Answer {
        let request = Request::put("/admin/brand/logo")
            .header("authorization", format!("Bearer {ADMIN}"))
            .header("content-type", "image/png")
            .header("content-length", bytes.len());
        self.call(request.body(Body::from(bytes)).unwrap()).await
    }
}

#[tokio::test]
async fn everybody_sees_what_an_administrator_sets() {
    let stage = Stage::new().await;
    assert_eq!(stage.brand().await, json!({"name": "Tenantry"}));
    let set = async |body| stage.as_admin(Method::PUT, "/admin/brand", Some(body)).await;
    let made = set(json!({"name": " Duka Cloud ", "colour": "#0F766E"})).await;
    assert_eq!(made.body, json!({"name": "Duka Cloud", "colour": "#0f766e"}));
    assert_eq!(stage.brand().await, made.body);
    assert_eq!(set(json!({"name": "", "colour": "red"})).await.fields(), ["name", "colour"]);
    assert_eq!(set(json!({"name": "x", "logo": "y"})).await.code(), (422, "invalid_body"));
    assert_eq!(stage.brand().await, made.body);
    // It comes back after a restart.
    let again = Brands::open(stage.plane.store.clone()).await.unwrap().now();
    assert_eq!(again.view().colour.as_deref(), Some("#0f766e"));
    assert_eq!(set(json!({"name": "Duka"})).await.body, json!({"name": "Duka"}));
    stage.person("operator@example.com", Some(OperatorRole::Operator), None).await;
    let operator = stage.sign_in("operator@example.com", PASSWORD).await.unwrap();
    let body = Some(json!({"name": "Mine"}));
    let refused = stage.as_person(&operator, Method::PUT, "/admin/brand", body).await;
    assert_eq!(refused.code(), (403, "forbidden"));
    let verified = stage.get("/admin/audit?action=brand.*").await.body;
    assert_eq!(verified["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_logo_is_served_as_what_it_is() {
    let stage = Stage::new().await;
    let logo =
        async |headers: &[(&str, &str)]| stage.ask(Method::GET, "/brand/logo", headers, None).await;
    assert_eq!(logo(&[]).await.code(), (404, "no_logo"));
    let set = stage.put_logo(PNG.to_vec()).await;
    let address = set.body["logo"].as_str().unwrap().to_owned();
    assert!(address.starts_with("/brand/logo?v="), "{address}");
    assert_eq!(stage.ask(Method::GET, &address, &[], None).await.status, 200);
    let served = logo(&[]).await;
    let header = |name: &str| served.headers[name].to_str().unwrap();
    assert_eq!(
        (header("content-type"), header("x-content-type-options")),
        ("image/png", "nosniff")
    );
    assert!(header("cache-control").contains("max-age"));
    let tag = header("etag").to_owned();
    for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
        let same = logo(&[("if-none-match", &known)]).await;
        assert_eq!((same.status, same.headers["etag"].to_str().unwrap()), (304, &*tag), "{known}");
    }
    assert_eq!(logo(&[("if-none-match", "\"x\"")]).await.status, 200);
    // A new name leaves the logo, and the logo the name.
    let body = Some(json!({"name": "Duka"}));
    let named = stage.as_admin(Method::PUT, "/admin/brand", body).await;
    assert_eq!(named.body, json!({"name": "Duka", "logo": address}));
    let other = stage.put_logo(b"\xff\xd8\xff\xe0 not one either".to_vec()).await;
    assert_ne!(other.body["logo"], named.body["logo"]);
    assert_eq!(logo(&[]).await.headers["content-type"], "image/jpeg");
    let gone = stage.as_admin(Method::DELETE, "/admin/brand/logo", None).await;
    assert_eq!(gone.body, json!({"name": "Duka"}));
    assert_eq!(logo(&[]).await.code(), (404, "no_logo"));
}

#[tokio::test]
async fn what_is_no_picture_or_too_large_is_refused() {
    let stage = Stage::new().await;
    let svg = stage.put_logo(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec()).await;
    assert_eq!(svg.code(), (415, "unsupported_logo"));
    assert!(svg.body["detail"].as_str().unwrap().contains("script"));
    assert_eq!(stage.put_logo(b"GIF89a".to_vec()).await.code(), (415, "unsupported_logo"));
    let of_size = |size: usize| [PNG, &vec![0; size - PNG.len()]].concat();
    let most = 256 * 1024;
    assert_eq!(stage.put_logo(of_size(most + 1)).await.code(), (413, "body_too_large"));
    let request =
        Request::put("/admin/brand/logo").header("authorization", format!("Bearer {ADMIN}"));
    let unsized_body = Body::from_stream(futures::stream::iter(
        of_size(most + 1)
            .chunks(65536)
            .map(|part| Ok::<_, std::io::Error>(part.to_vec()))
            .collect::<Vec<_>>(),
    ));
    let unsized_answer = stage.call(request.body(unsized_body).unwrap()).await;
    assert_eq!(unsized_answer.code(), (413, "body_too_large"));
    assert_eq!(stage.brand().await, json!({"name": "Tenantry"}));
    assert_eq!(stage.put_logo(of_size(most)).await.status, 200);
}
