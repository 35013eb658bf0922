//! Signing in with an identity provider (OpenID Connect, authorization code with PKCE). Only who has an
//! account already gets in, found by the address that the provider says it has verified.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm as Algorithm, CoreProviderMetadata,
};
use openidconnect::{
    AsyncHttpClient, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    TokenResponse as _,
};
use parking_lot::Mutex;
use tokio::sync::RwLock;

use crate::config::Settings;
use crate::problem::{ApiError, Kind};
use crate::startup::StartError;
use crate::token;

/// A provider that takes longer is away.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 1024 * 1024;
/// How long somebody may take at the provider.
const UNDER_WAY: Duration = Duration::from_secs(600);
/// So many may be at the provider at once.
const AT_ONCE: usize = 1000;
/// How long what the provider says of itself, its keys too, is believed.
const FRESH: Duration = Duration::from_secs(3600);

/// How tokens may be signed: with a key of which only the provider has the secret half.
const SIGNED_WITH: [Algorithm; 9] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];

/// The provider, as the settings say.
pub struct Oidc {
    /// What the button says.
    pub name: String,
    issuer: IssuerUrl,
    client: ClientId,
    secret: Option<ClientSecret>,
    http: Http,
    metadata: RwLock<Option<(Instant, CoreProviderMetadata)>>,
    under_way: Mutex<Vec<Attempt>>,
}

/// Somebody who is at the provider.
struct Attempt {
    state: String,
    /// The hash of the cookie that the browser was given: nobody else can bring the answer.
    browser: String,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    since: Instant,
}

/// Where somebody is sent, and what the browser keeps meanwhile.
pub struct Departure {
    /// The provider's page.
    pub url: String,
    /// The cookie's value.
    pub cookie: String,
}

/// Why the provider's answer could not be had.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There was none.
    #[error(transparent)]
    Http(#[from] ureq::Error),
    /// The call was broken off.
    #[error(transparent)]
    Broken(#[from] tokio::task::JoinError),
}

impl Oidc {
    /// What the settings say of a provider; `None`: nothing.
    ///
    /// # Errors
    /// [`StartError::Oidc`].
    pub fn new(settings: &Settings) -> Result<Option<Self>, StartError> {
        let (Some(issuer), Some(client)) = (&settings.oidc_issuer, &settings.oidc_client_id) else {
            return Ok(None);
        };
        let bad = |error: &dyn std::fmt::Display| StartError::Oidc(error.to_string());
        let http = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            // Where a provider would send us on is not for it to say.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .build();
        let secret = settings.oidc_client_secret.as_ref();
        Ok(Some(Self {
            name: settings.oidc_name.clone(),
            issuer: IssuerUrl::new(issuer.clone()).map_err(|error| bad(&error))?,
            client: ClientId::new(client.clone()),
            secret: secret.map(|secret| ClientSecret::new(secret.expose().to_owned())),
            http: Http(http.new_agent()),
            metadata: RwLock::default(),
            under_way: Mutex::default(),
        }))
    }

    /// Sends somebody to the provider, who comes back to `callback`.
    ///
    /// # Errors
    /// [`Kind::OidcFailed`].
    pub async fn depart(&self, callback: &str) -> Result<Departure, ApiError> {
        let client = CoreClient::from_provider_metadata(
            self.metadata().await?,
            self.client.clone(),
            self.secret.clone(),
        );
        let callback = RedirectUrl::new(callback.to_owned()).map_err(|error| failed(&error))?;
        let client = client.set_redirect_uri(callback);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let (url, state, nonce) = client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scope(Scope::new("email".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        let cookie = token::secret();
        let cookie = cookie.map_err(|error| ApiError::new(Kind::Internal, error.to_string()))?;
        let mut under_way = self.under_way.lock();
        under_way.retain(|attempt| attempt.since.elapsed() < UNDER_WAY);
        if under_way.len() >= AT_ONCE {
            under_way.remove(0);
        }
        under_way.push(Attempt {
            state: state.secret().clone(),
            browser: token::hash(&cookie),
            nonce,
            verifier,
            since: Instant::now(),
        });
        Ok(Departure { url: url.to_string(), cookie })
    }

    /// Whoever comes back: the verified address of the person.
    ///
    /// # Errors
    /// [`Kind::OidcFailed`].
    pub async fn arrive(
        &self,
        callback: &str,
        state: &str,
        code: String,
        cookie: &str,
    ) -> Result<String, ApiError> {
        let attempt = {
            let mut under_way = self.under_way.lock();
            let browser = token::hash(cookie);
            let own = |attempt: &Attempt| {
                token::equal(&attempt.state, state)
                    && token::equal(&attempt.browser, &browser)
                    && attempt.since.elapsed() < UNDER_WAY
            };
            let at = under_way.iter().position(own);
            at.map(|at| under_way.remove(at))
        };
        let attempt = attempt.ok_or_else(|| {
            failed(&"the answer belongs to no sign-in that this browser began; begin again")
        })?;
        let client = CoreClient::from_provider_metadata(
            self.metadata().await?,
            self.client.clone(),
            self.secret.clone(),
        );
        let callback = RedirectUrl::new(callback.to_owned()).map_err(|error| failed(&error))?;
        let client = client.set_redirect_uri(callback);
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| failed(&error))?
            .set_pkce_verifier(attempt.verifier)
            .request_async(&self.http)
            .await
            .map_err(|error| failed(&error))?;
        let token = answer.id_token().ok_or_else(|| failed(&"it gave no ID token"))?;
        let verifier = client.id_token_verifier().set_allowed_algs(SIGNED_WITH);
        let claims = token.claims(&verifier, &attempt.nonce).map_err(|error| failed(&error))?;
        let email = claims.email().filter(|_| claims.email_verified() == Some(true));
        let email = email.ok_or_else(|| {
            failed(&"it does not say that the person's e-mail address is verified")
        })?;
        Ok(email.to_string())
    }

    async fn metadata(&self) -> Result<CoreProviderMetadata, ApiError> {
        let fresh = |known: &Option<(Instant, CoreProviderMetadata)>| {
            let (since, metadata) = known.as_ref()?;
            (since.elapsed() < FRESH).then(|| metadata.clone())
        };
        if let Some(metadata) = fresh(&*self.metadata.read().await) {
            return Ok(metadata);
        }
        let mut known = self.metadata.write().await;
        if let Some(metadata) = fresh(&known) {
            return Ok(metadata);
        }
        let metadata = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http).await;
        let metadata = metadata.map_err(|error| failed(&error))?;
        *known = Some((Instant::now(), metadata.clone()));
        Ok(metadata)
    }
}

/// How the provider is spoken to.
struct Http(ureq::Agent);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = CallError;
    type Future = BoxFuture<'c, Result<HttpResponse, CallError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        let agent = self.0.clone();
        Box::pin(async move {
            let call = tokio::task::spawn_blocking(move || {
                let (parts, mut body) = agent.run(request)?.into_parts();
                Ok(HttpResponse::from_parts(
                    parts,
                    body.with_config().limit(MAX_ANSWER).read_to_vec()?,
                ))
            });
            call.await?
        })
    }
}

fn failed(error: &dyn std::fmt::Display) -> ApiError {
    tracing::warn!(%error, "a sign-in with the identity provider failed");
    let detail = format!("signing in with the identity provider failed: {error}");
    ApiError::new(Kind::OidcFailed, detail)
}
