//! Signing in with an identity provider, which is played here.

use std::sync::Arc;

use api::access::OperatorRole;
use axum::extract::{Form, State};
use axum::http::Method;
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{Duration, Utc};
use openidconnect::core::{
    CoreEdDsaPrivateSigningKey, CoreIdToken, CoreIdTokenClaims, CoreJsonWebKeySet,
    CoreJwsSigningAlgorithm,
};
use openidconnect::{
    Audience, EmptyAdditionalClaims, EndUserEmail, IssuerUrl, JsonWebKeyId, Nonce,
    PrivateSigningKey as _, StandardClaims, SubjectIdentifier,
};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::people::PASSWORD;
use super::stage::{Answer, Stage};

/// The example key of RFC 8410.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----";

/// What the provider will say of the person.
#[derive(Clone)]
struct Says {
    email: &'static str,
    verified: bool,
    audience: &'static str,
    nonce: Option<String>,
    expires_in: i64,
}

const HONEST: Says = Says {
    email: "Amina@example.com",
    verified: true,
    audience: "tenantry",
    nonce: None,
    expires_in: 60,
};

struct Provider {
    url: String,
    says: Mutex<Says>,
    /// The nonce and the challenge of the last request.
    asked: Mutex<(String, String)>,
}

fn key() -> CoreEdDsaPrivateSigningKey {
    let id = JsonWebKeyId::new("k".to_owned());
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(KEY, Some(id)).unwrap()
}

async fn provider() -> Arc<Provider> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let provider = Arc::new(Provider { url, says: Mutex::new(HONEST), asked: Mutex::default() });
    let routes = Router::new()
        .route("/.well-known/openid-configuration", get(configuration))
        .route(
            "/keys",
            get(async || {
                let keys: CoreJsonWebKeySet =
                    CoreJsonWebKeySet::new(vec![key().as_verification_key()]);
                Json(keys)
            }),
        )
        .route("/token", post(token))
        .with_state(Arc::clone(&provider));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    provider
}

async fn configuration(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let url = &provider.url;
    Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    }))
}

async fn token(
    State(provider): State<Arc<Provider>>,
    Form(form): Form<Vec<(String, String)>>,
) -> Json<Value> {
    use base64::Engine as _;
    use sha2::Digest as _;
    let field = |name: &str| form.iter().find(|(key, _)| key == name).unwrap().1.clone();
    let (nonce, challenge) = provider.asked.lock().clone();
    let digest = sha2::Sha256::digest(field("code_verifier"));
    let proof = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest);
    assert_eq!(proof, challenge, "the code is exchanged by who asked for it");
    assert_eq!(field("code"), "the-code");
    let says = provider.says.lock().clone();
    let claims = CoreIdTokenClaims::new(
        IssuerUrl::new(provider.url.clone()).unwrap(),
        vec![Audience::new(says.audience.to_owned())],
        Utc::now() + Duration::seconds(says.expires_in),
        Utc::now(),
        StandardClaims::new(SubjectIdentifier::new("1".to_owned()))
            .set_email(Some(EndUserEmail::new(says.email.to_owned())))
            .set_email_verified(Some(says.verified)),
        EmptyAdditionalClaims {},
    )
    .set_nonce(Some(Nonce::new(says.nonce.unwrap_or(nonce))));
    let token =
        CoreIdToken::new(claims, &key(), CoreJwsSigningAlgorithm::EdDsa, None, None).unwrap();
    Json(json!({"access_token": "a", "token_type": "Bearer", "id_token": token.to_string()}))
}

/// What stands behind a name in an address.
fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').unwrap().1;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).unwrap().1.to_owned()
}

struct Journey<'s> {
    stage: &'s Stage,
    provider: &'s Provider,
}

impl Journey<'_> {
    /// To the provider: the cookie, and the state.
    async fn depart(&self) -> (String, String) {
        let answer = self.stage.ask(Method::GET, "/auth/oidc/start", &[], None).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let url = answer.headers["location"].to_str().unwrap();
        assert!(url.starts_with(&format!("{}/authorize?", self.provider.url)), "{url}");
        *self.provider.asked.lock() = (parameter(url, "nonce"), parameter(url, "code_challenge"));
        (answer.cookie().unwrap(), parameter(url, "state"))
    }

    async fn arrive(&self, cookie: &str, state: &str) -> Answer {
        let path = format!("/auth/oidc/callback?code=the-code&state={state}");
        self.stage.ask(Method::GET, &path, &[("cookie", cookie)], None).await
    }

    async fn go(&self) -> Answer {
        let (cookie, state) = self.depart().await;
        self.arrive(&cookie, &state).await
    }
}

async fn stage(provider: &Provider) -> Stage {
    let settings = [
        ("oidc_issuer", provider.url.as_str()),
        ("oidc_client_id", "tenantry"),
        ("oidc_client_secret", "secret"),
        ("public_url", "https://bots.example.com"),
    ];
    let stage = Stage::with(&settings).await;
    stage.person("amina@example.com", Some(OperatorRole::Viewer), None).await;
    stage
}

#[tokio::test]
async fn who_has_an_account_gets_in() {
    let provider = provider().await;
    let stage = stage(&provider).await;
    let journey = Journey { stage: &stage, provider: &provider };
    let answer = journey.go().await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let cookie = answer.cookie().unwrap();
    let info = stage.ask(Method::GET, "/auth/session", &[("cookie", &cookie)], None).await;
    assert_eq!(info.body["user"]["email"], "amina@example.com");
    provider.says.lock().email = "stranger@example.com";
    assert_eq!(journey.go().await.code(), (401, "sign_in_failed"));
    assert!(stage.sign_in("amina@example.com", PASSWORD).await.is_some(), "both ways are open");
}

#[tokio::test]
async fn what_the_provider_says_must_be_meant_for_us_and_for_now() {
    let provider = provider().await;
    let stage = stage(&provider).await;
    let journey = Journey { stage: &stage, provider: &provider };
    let lies = [
        Says { verified: false, ..HONEST },
        Says { audience: "another", ..HONEST },
        Says { nonce: Some("of another sign-in".to_owned()), ..HONEST },
        Says { expires_in: -600, ..HONEST },
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        *provider.says.lock() = lie;
        assert_eq!(journey.go().await.code(), (502, "oidc_failed"), "{number}");
    }
}

#[tokio::test]
async fn an_answer_is_good_once_and_for_the_browser_that_asked() {
    let provider = provider().await;
    let stage = stage(&provider).await;
    let journey = Journey { stage: &stage, provider: &provider };
    let (cookie, state) = journey.depart().await;
    for (cookie, state) in [("", state.as_str()), ("tenantry_oidc=other", &state), (&cookie, "x")] {
        assert_eq!(journey.arrive(cookie, state).await.code().1, "oidc_failed");
    }
    assert_eq!(journey.arrive(&cookie, &state).await.status, 200);
    assert_eq!(journey.arrive(&cookie, &state).await.code().1, "oidc_failed");
    let refused = "/auth/oidc/callback?error=access_denied&state=x";
    let answer = stage.ask(Method::GET, refused, &[], None).await;
    assert!(answer.body["detail"].as_str().unwrap().contains("access_denied"));
    let none = Stage::new().await;
    let answer = none.ask(Method::GET, "/auth/oidc/start", &[], None).await;
    assert_eq!(answer.code(), (404, "no_oidc"));
}
