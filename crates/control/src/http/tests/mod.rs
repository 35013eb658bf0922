//! The routes as a whole.

mod brand;
mod document;
mod guarded;
mod keys;
mod mail;
mod oidc;
mod pair_links;
mod pairing;
mod people;
mod portal;
pub mod stage;
pub mod streams;
mod system;
