//! Questions and changes, by topic.

mod keys;
mod records;
mod tenants;
mod workers;
