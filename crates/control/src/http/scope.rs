//! The tenant that a request is about, and who asks.

use std::sync::Arc;

use api::messages::SentMessage;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::audit::Actor;
use crate::fleet::Member;
use crate::problem::{ApiError, Kind};

/// The one tenant that a request may touch, as its audience's layer found it.
#[derive(Clone)]
pub struct Scope(pub Arc<Member>);

/// Who asks, on the operators' routes.
#[derive(Clone, Copy)]
pub struct Operator(pub Actor);

/// Which process asks, on the worker link.
#[derive(Clone, Copy)]
pub struct WorkerScope {
    /// The generation that its token is good for.
    pub generation: u64,
}

/// The one message from outside that a request is about.
#[derive(Clone)]
pub struct MessageScope(pub Box<SentMessage>);

macro_rules! from_extensions {
    ($($kind:ty),*) => {$(
        impl<S: Send + Sync> FromRequestParts<S> for $kind {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
                // Only a route outside its layer gets here without one: refuse, never guess.
                parts.extensions.get::<Self>().cloned().ok_or_else(|| {
                    ApiError::new(Kind::Unauthorized, "this route needs a credential")
                })
            }
        }
    )*};
}

from_extensions!(Scope, Operator, WorkerScope, MessageScope);
