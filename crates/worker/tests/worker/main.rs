//! The worker against the simulated WhatsApp network and a small control plane of the tests' own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod ending;
mod fixture;
mod guide;
mod linking;
mod logins;
mod messages;
mod outages;
mod plane;
mod rules;
mod sending;
mod webhooks;
