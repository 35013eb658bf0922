//! The tenant that a request is about, and who asks.

use std::sync::Arc;

use api::messages::SentMessage;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::audit::Actor;
use crate::fleet::Member;
use crate::grant::Principal;
use crate::people::directory::{Browser, User};
use crate::problem::{ApiError, Kind};

/// The one tenant that a request may touch, as the guard found it.
#[derive(Clone)]
pub struct Scope(pub Arc<Member>);

/// Who asks, for the audit log.
#[derive(Clone)]
pub struct By(pub Actor);

/// Who asks, with everything that is known of them.
#[derive(Clone)]
pub struct Caller {
    /// Who, and what they may do.
    pub principal: Arc<Principal>,
    /// The person and the browser, if it is one.
    pub person: Option<Person>,
    /// What the caller showed, where that can be taken back.
    pub shown: Option<Shown>,
}

/// What is needed to look whether a credential is still good: a hash where that is enough.
#[derive(Clone)]
pub enum Shown {
    /// A key's.
    Key(String),
    /// A browser's cookie's.
    Cookie(String),
    /// The token of a link itself: nothing of it is kept anywhere.
    PairLink(Arc<str>),
}

/// A person at a browser.
#[derive(Clone)]
pub struct Person {
    /// The account.
    pub user: Arc<User>,
    /// The session.
    pub browser: Arc<Browser>,
    /// What proves that a request comes from our own pages.
    pub csrf_token: String,
}

/// Which process asks, on the worker link.
#[derive(Clone, Copy)]
pub struct WorkerScope {
    /// The generation that its token is good for.
    pub generation: u64,
}

/// The one message from outside that a request is about.
#[derive(Clone)]
pub struct MessageScope(pub Box<SentMessage>);

fn outside_the_guard() -> ApiError {
    // Only a route outside the guard gets here without one: refuse, never guess.
    ApiError::new(Kind::Unauthorized, "this route needs a credential")
}

macro_rules! from_extensions {
    ($($kind:ty),*) => {$(
        impl<S: Send + Sync> FromRequestParts<S> for $kind {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
                parts.extensions.get::<Self>().cloned().ok_or_else(outside_the_guard)
            }
        }
    )*};
}

from_extensions!(Scope, Caller, WorkerScope, MessageScope);

impl<S: Send + Sync> FromRequestParts<S> for By {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Caller>().ok_or_else(outside_the_guard)?;
        Ok(Self(caller.principal.actor.clone()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Caller>().ok_or_else(outside_the_guard)?;
        caller.person.clone().ok_or_else(outside_the_guard)
    }
}
