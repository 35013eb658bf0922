//! The contract.

mod environment;
mod failures;
mod trees;
mod verbs;
mod watch;

pub use environment::what_is_told_arrives_exactly;
pub use failures::{a_crash_is_restarted_and_a_final_exit_is_not, failures_say_what_happened};
pub use trees::{a_forced_stop_is_quick, a_stop_ends_the_whole_tree};
pub use verbs::a_worker_through_all_verbs;
pub use watch::a_watch_tells_every_change;
