//! Extractors for bodies and query strings that refuse with a problem document.

use std::time::Duration;

use api::brand::MAX_LOGO;
use api::messages::MAX_MEDIA;
use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use futures::StreamExt as _;
use serde::de::DeserializeOwned;

use super::MAX_BODY;
use crate::problem::{ApiError, Kind};

/// The longest body that is read to its end only to be refused, in bytes.
const MAX_DRAINED: usize = 32 * 1024 * 1024;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// A JSON body.
pub struct Body<T>(pub T);

/// Whether a text in a JSON document holds a NUL.
fn has_nul(document: &[u8]) -> bool {
    let mut rest = document;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let escape = &rest[at + 1..];
        if escape.starts_with(b"u0000") {
            return true;
        }
        // A backslash that is escaped itself begins nothing.
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}

/// A query string.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        // What workers hand over is cleaned where it is kept: a contact's message must not hold up the rest.
        let of_worker = request.uri().path().starts_with("/link/");
        let (parts, body) = request.into_parts();
        let bytes = Bytes::from_request(Request::from_parts(parts.clone(), body), state).await;
        let bytes = bytes.map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            _ => ApiError::new(Kind::InvalidBody, innermost(&error)),
        })?;
        if !of_worker && has_nul(&bytes) {
            let detail = "a text holds the character NUL (\\u0000), which databases do not keep";
            return Err(ApiError::new(Kind::InvalidBody, detail));
        }
        let request = Request::from_parts(parts, bytes.into());
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(JsonRejection::JsonSyntaxError(error)) => {
                Err(ApiError::new(Kind::MalformedJson, innermost(&error)))
            }
            Err(JsonRejection::JsonDataError(error)) => {
                Err(ApiError::new(Kind::InvalidBody, innermost(&error)))
            }
            Err(JsonRejection::MissingJsonContentType(_)) => {
                let detail = "send the body as JSON with content-type: application/json";
                Err(ApiError::new(Kind::UnsupportedMediaType, detail))
            }
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large()),
            Err(error) => Err(ApiError::new(Kind::InvalidBody, innermost(&error))),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(error) => Err(ApiError::new(Kind::InvalidQuery, innermost(&error))),
        }
    }
}

/// Refuses a body that says itself that it is too large. What comes of it is read and dropped up to
/// a bound first: many clients do not look at an answer before they have sent all, and would only
/// see a broken connection.
///
/// # Errors
/// [`Kind::BodyTooLarge`].
pub async fn limit(request: Request, next: Next) -> Result<Response, ApiError> {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length: usize = length.and_then(|it| it.to_str().ok()?.parse().ok()).unwrap_or(0);
    let most = largest(request.uri().path());
    if length <= most {
        return Ok(next.run(request).await);
    }
    if length <= MAX_DRAINED {
        let mut rest = request.into_body().into_data_stream();
        let drained = async { while let Some(Ok(_)) = rest.next().await {} };
        // Whoever is slower than this does not get to see why.
        let _ = tokio::time::timeout(DRAIN_TIME, drained).await;
    }
    let detail = format!("the body may have at most {most} bytes");
    Err(ApiError::new(Kind::BodyTooLarge, detail))
}

/// The largest body that the route at a path takes.
fn largest(path: &str) -> usize {
    if path.starts_with("/v1/") && path.ends_with("/media") {
        MAX_MEDIA
    } else if path == "/admin/brand/logo" {
        MAX_LOGO
    } else {
        MAX_BODY
    }
}

fn too_large() -> ApiError {
    ApiError::new(Kind::BodyTooLarge, format!("the body may have at most {MAX_BODY} bytes"))
}

/// The text of the error at the bottom, which says what is wrong at which place.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::has_nul;

    #[test]
    fn a_nul_is_found_and_what_only_looks_like_one_is_not() {
        for bad in [r#"{"a":"\u0000"}"#, r#""x\\\u0000""#, r#""\n\u0000""#] {
            assert!(has_nul(bad.as_bytes()), "{bad}");
        }
        for good in [r#"{"a":"\\u0000"}"#, r#""\u0001""#, "", r#""\"#] {
            assert!(!has_nul(good.as_bytes()), "{good}");
        }
    }
}
