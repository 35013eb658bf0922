//! The worker against the simulated WhatsApp network and a small control plane of the tests' own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod deafness;
mod ending;
mod ends;
mod faults;
mod fixture;
mod full_disk;
mod guide;
mod linking;
mod logins;
mod messages;
mod order;
mod orders;
mod outages;
mod pacing;
mod pairing;
mod plane;
mod receipts;
mod rules;
mod sending;
mod webhooks;
