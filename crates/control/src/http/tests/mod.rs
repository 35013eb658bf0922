//! The routes as a whole.

mod document;
mod guarded;
mod people;
mod portal;
pub mod stage;
