//! Questions and changes, by topic.

mod keys;
mod outgoing;
mod progress;
mod records;
mod rules;
mod tenants;
mod uploads;
mod workers;
