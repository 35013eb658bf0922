//! The routes as a whole.

mod document;
mod guarded;
mod keys;
mod mail;
mod oidc;
mod people;
mod portal;
pub mod stage;
pub mod streams;
