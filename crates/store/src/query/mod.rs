//! Questions and changes, by topic.

mod keys;
mod records;
mod rules;
mod tenants;
mod workers;
