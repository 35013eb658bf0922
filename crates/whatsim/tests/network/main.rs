//! A genuine client library against the simulated network.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod armed;
mod baileys;
mod bot;
mod code;
mod faults;
mod groups;
mod http;
mod http_contacts;
mod media;
mod messages;
mod pairing;
mod panel;
mod plain_http;
mod presence;
mod program;
