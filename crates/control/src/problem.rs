//! Problems: every error that the control plane's API can answer with, its stable code and status.

use std::time::Duration;

use api::problem::{FieldError, Problem};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use runtime::RuntimeError;
use store::StoreError;

/// An error of the API. Its [`Kind`] gives code, status and title; the detail says what happened to
/// what, and what to do next.
#[derive(Clone, Debug)]
pub struct ApiError {
    kind: Kind,
    detail: String,
    errors: Vec<FieldError>,
    log_tail: Vec<String>,
    retry_after: Option<Duration>,
}

macro_rules! kinds {
    ($($name:ident = $code:literal, $status:ident, $title:literal;)*) => {
        /// The kinds of problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $(#[doc = $title] $name,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable word that programs match on.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The summary.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

kinds! {
    MalformedJson = "malformed_json", BAD_REQUEST, "The body is not JSON.";
    InvalidBody = "invalid_body", UNPROCESSABLE_ENTITY, "The body has not the form that this route takes.";
    InvalidField = "invalid_field", UNPROCESSABLE_ENTITY, "A field of the request was refused.";
    InvalidQuery = "invalid_query", BAD_REQUEST, "The query string was refused.";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body must be application/json.";
    UriTooLong = "uri_too_long", URI_TOO_LONG, "The address of the request is too long.";
    HeadersTooLarge = "headers_too_large", REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers of the request are too large.";
    MisdirectedRequest = "misdirected_request", MISDIRECTED_REQUEST, "The request names a host that this server is not.";
    ForwardedContradiction = "forwarded_contradiction", BAD_REQUEST, "The proxy's headers name different clients.";
    TooManyRequests = "too_many_requests", TOO_MANY_REQUESTS, "Too many requests.";
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "The body is too large.";
    Unauthorized = "unauthorized", UNAUTHORIZED, "The request has no valid credential.";
    TenantNotNamed = "tenant_not_named", BAD_REQUEST, "The request names no tenant.";
    Forbidden = "forbidden", FORBIDDEN, "The credential does not allow this.";
    CsrfToken = "csrf_token", FORBIDDEN, "The request of a browser has no valid x-csrf-token.";
    PortalAddress = "portal_address", FORBIDDEN, "A foreign portal may not call from here.";
    SignInFailed = "sign_in_failed", UNAUTHORIZED, "Address, password or code are wrong.";
    CodeRequired = "code_required", UNAUTHORIZED, "The account asks for a code as well.";
    WrongCode = "wrong_code", UNPROCESSABLE_ENTITY, "The code is not the right one.";
    TooManySignIns = "too_many_sign_ins", TOO_MANY_REQUESTS, "There were too many attempts to sign in.";
    LinkNotGood = "link_not_good", GONE, "The link is not good, or not any more.";
    InvalidPairLink = "invalid_pair_link", GONE, "The link to connect WhatsApp is not good, or not any more.";
    AlreadyUnderWay = "already_under_way", CONFLICT, "The same is under way already.";
    DoctorFailed = "doctor_failed", BAD_GATEWAY, "The doctor did not come to an end.";
    BackupFailed = "backup_failed", INTERNAL_SERVER_ERROR, "The backup could not be made.";
    UnsupportedLogo = "unsupported_logo", UNSUPPORTED_MEDIA_TYPE, "The logo is no PNG, JPEG or WebP picture.";
    NoLogo = "no_logo", NOT_FOUND, "No logo is set.";
    UnknownUser = "unknown_user", NOT_FOUND, "There is no such account.";
    UnknownKey = "unknown_key", NOT_FOUND, "There is no such key.";
    UnknownSession = "unknown_session", NOT_FOUND, "There is no such session.";
    EmailTaken = "email_taken", CONFLICT, "Another account has this address.";
    LastAdmin = "last_admin", CONFLICT, "This is the only administrator.";
    TooManyKeys = "too_many_keys", CONFLICT, "There are too many keys.";
    NoOidc = "no_oidc", NOT_FOUND, "No identity provider is configured.";
    OidcFailed = "oidc_failed", BAD_GATEWAY, "Signing in with the identity provider failed.";
    MailFailed = "mail_failed", BAD_GATEWAY, "The mail server did not take the letter.";
    MailNotConfigured = "mail_not_configured", CONFLICT, "No mail server is configured.";
    PortalDisabled = "portal_disabled", FORBIDDEN, "The portal routes are switched off.";
    NoSuchRoute = "no_such_route", NOT_FOUND, "There is no such route.";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The route does not take this method.";
    UnknownTenant = "unknown_tenant", NOT_FOUND, "There is no such tenant.";
    PhoneTaken = "phone_taken", CONFLICT, "Another tenant has this phone number.";
    WorkerAlreadyRunning = "worker_already_running", CONFLICT, "The worker runs already.";
    WorkerNotRunning = "worker_not_running", CONFLICT, "The worker does not run, or does not listen.";
    AlreadyPaired = "already_paired", CONFLICT, "The session has a login.";
    LifecycleBusy = "lifecycle_busy", CONFLICT, "Another lifecycle request for this tenant is under way.";
    StaleGeneration = "stale_generation", CONFLICT, "A newer generation of this worker has taken over.";
    WorkerStartFailed = "worker_start_failed", BAD_GATEWAY, "The worker could not be started.";
    WorkerStopFailed = "worker_stop_failed", BAD_GATEWAY, "The worker could not be stopped.";
    PairingFailed = "pairing_failed", BAD_GATEWAY, "The worker did not do what was asked of the pairing.";
    UnknownMessage = "unknown_message", NOT_FOUND, "There is no such message.";
    UnknownUpload = "unknown_upload", NOT_FOUND, "There is no such upload.";
    IdempotencyKeyMissing = "idempotency_key_missing", BAD_REQUEST, "The request has no Idempotency-Key.";
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another request.";
    QueueFull = "queue_full", TOO_MANY_REQUESTS, "Too many messages of this tenant wait to be sent.";
    UploadsFull = "uploads_full", TOO_MANY_REQUESTS, "The tenant's files take too much room.";
    Busy = "busy", TOO_MANY_REQUESTS, "Too much is asked for at once.";
    TooManyListeners = "too_many_listeners", TOO_MANY_REQUESTS, "Too many follow already.";
    WorkerWithoutLink = "worker_without_link", CONFLICT, "The tenant's own program cannot be told to send.";
    UnknownTemplate = "unknown_template", NOT_FOUND, "There is no such template.";
    NoQr = "no_qr", NOT_FOUND, "No QR code waits to be scanned.";
    NoLog = "no_log", NOT_FOUND, "There is no log to follow.";
    RuntimeUnavailable = "runtime_unavailable", SERVICE_UNAVAILABLE, "The runtime does not answer.";
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE, "The database does not answer.";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong inside the control plane.";
}

impl ApiError {
    /// A problem with its detail.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            log_tail: Vec::new(),
            retry_after: None,
        }
    }

    /// Fields that were refused.
    #[must_use]
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let detail = errors
            .iter()
            .map(|error| format!("{}: {}", error.field, error.message))
            .collect::<Vec<_>>()
            .join("; ");
        Self { errors, ..Self::new(Kind::InvalidField, detail) }
    }

    /// The same in other words.
    #[must_use]
    pub fn with_detail(mut self, detail: String) -> Self {
        self.detail = detail;
        self
    }

    /// The same with the last lines of a log.
    #[must_use]
    pub fn with_log_tail(mut self, log_tail: Vec<String>) -> Self {
        self.log_tail = log_tail;
        self
    }

    /// The same with the time after which trying again makes sense, told in whole seconds (`Retry-After`).
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The detail.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::PhoneTaken(_) => Self::new(Kind::PhoneTaken, error.to_string()),
            StoreError::UnknownTenant(_) => Self::new(Kind::UnknownTenant, error.to_string()),
            StoreError::EmailTaken(_) => Self::new(Kind::EmailTaken, error.to_string()),
            StoreError::UnknownUser(_) => Self::new(Kind::UnknownUser, error.to_string()),
            error => {
                tracing::error!(%error, "the store failed");
                Self::new(Kind::StoreUnavailable, "the database did not do its work; see the log")
            }
        }
    }
}

impl From<RuntimeError> for ApiError {
    fn from(error: RuntimeError) -> Self {
        let kind = match error {
            RuntimeError::Unreachable { .. } | RuntimeError::Busy { .. } => {
                Kind::RuntimeUnavailable
            }
            RuntimeError::AlreadyRunning { .. } => Kind::WorkerAlreadyRunning,
            RuntimeError::SpawnFailed { .. }
            | RuntimeError::ExitedEarly { .. }
            | RuntimeError::Invalid { .. } => Kind::WorkerStartFailed,
            RuntimeError::Unknown { .. } | RuntimeError::Failed { .. } => Kind::Internal,
        };
        let log_tail = error.log_tail().to_vec();
        Self::new(kind, error.to_string()).with_log_tail(log_tail)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.kind.status();
        let problem = Problem {
            kind: format!("/problems/{}", self.kind.code()),
            title: self.kind.title().to_owned(),
            status: status.as_u16(),
            detail: self.detail,
            code: self.kind.code().to_owned(),
            errors: self.errors,
            log_tail: self.log_tail,
        };
        let mut response = (status, axum::Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let usual = match status {
            StatusCode::TOO_MANY_REQUESTS => Some(30),
            StatusCode::SERVICE_UNAVAILABLE => Some(5),
            _ => None,
        };
        // Rounded up: who comes too early is refused again.
        let told = self.retry_after.map(|wait| wait.as_millis().div_ceil(1000).max(1));
        if let Some(seconds) = told.or(usual) {
            let text = HeaderValue::from_str(&seconds.to_string());
            headers.extend(text.ok().map(|text| (header::RETRY_AFTER, text)));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::response::IntoResponse as _;

    use super::{ApiError, Kind};

    #[test]
    fn what_is_full_says_when_to_try_again() {
        for kind in [Kind::QueueFull, Kind::UploadsFull, Kind::StoreUnavailable] {
            let answer = ApiError::new(kind, "later").into_response();
            assert!(answer.headers().contains_key("retry-after"), "{kind:?}");
        }
        let answer = ApiError::new(Kind::InvalidField, "never").into_response();
        assert!(!answer.headers().contains_key("retry-after"));
    }

    #[test]
    fn an_error_may_say_when_to_try_again_by_itself() {
        let error = ApiError::new(Kind::TooManyRequests, "later");
        let answer = error.with_retry_after(Duration::from_millis(1001)).into_response();
        assert_eq!(answer.headers()["retry-after"], "2");
    }

    #[test]
    fn every_code_is_documented_with_its_status() {
        let docs = include_str!("../../../docs/errors.md");
        for kind in Kind::ALL {
            let row = format!("| `{}` | {} |", kind.code(), kind.status().as_u16());
            assert!(docs.contains(&row), "docs/errors.md lacks: {row}");
        }
    }
}
