//! Does its worst to a real supervisor, and checks that its promises hold.
//!
//! [`crash::crash`] kills the supervisor again and again under many workers that log constantly;
//! [`chaos::chapter`] mixes kills of everything, requests and full disks by a seeded dice. What a worker
//! writes is a pure function of its name, its incarnation and the line's number ([`script`]), and it counts its lines
//! in a file beside ([`counts`]), so a log tells exactly whether a line was lost, doubled or torn
//! ([`logs`]). Used by this package's tests, in a bounded form, and by `cargo xtask chaos`.

pub mod actions;
pub mod census;
pub mod chaos;
pub mod counts;
pub mod crash;
pub mod disk;
pub mod invariants;
pub mod logs;
pub mod poll;
pub mod report;
pub mod script;
pub mod stage;
