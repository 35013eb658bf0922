//! The log pipeline: what processes write, from their FIFOs into their log files.
//!
//! One thread of its own moves the output of all processes ([`LogPump`]), so that a disk that hangs stalls logs
//! and nothing else. Bytes that nothing is to be done with go from the pipe to the file inside the kernel
//! (`splice(2)`): whenever this program is killed, a byte is either still in the pipe or already in the file. Where lines
//! must be looked at (a file with several writers, JSON, dates), they are read from a copy (`tee(2)`) and taken
//! out of the pipe only once they are written: a kill can then double the last piece, never lose it.
//!
//! From the outside in: [`pump`] is what the engine holds, `mover` the thread, `stream` one FIFO and `file` one log
//! file, with `lines` and `dates` deciding what is written, and `rotation` and `archive` minding the
//! files that came before.

mod archive;
mod dates;
pub(crate) mod fifo;
mod file;
mod files;
mod lines;
mod mover;
mod plan;
mod pump;
pub(crate) mod rotation;
mod stream;
mod unfinished;

pub(crate) use plan::{LogPlan, Origin};
pub(crate) use pump::{Attachment, LogPump, Source};

#[cfg(test)]
mod tests;
