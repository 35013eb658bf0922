//! `/v1/…`: for programs that send messages. Each route works on the one tenant that its path names, by
//! itself or through a message.

pub mod media;
pub mod messages;

#[cfg(test)]
pub(super) mod tests;
