//! Extractors for bodies and query strings that refuse with a problem document.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::MAX_BODY;
use crate::problem::{ApiError, Kind};

/// A JSON body.
pub struct Body<T>(pub T);

/// A query string.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
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
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                let detail = format!("the body may have at most {MAX_BODY} bytes");
                Err(ApiError::new(Kind::BodyTooLarge, detail))
            }
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

/// The text of the error at the bottom, which says what is wrong at which place.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
