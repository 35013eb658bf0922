//! Requests that concern many processes at once, and their answers.

use serde::{Deserialize, Serialize};

use super::{Env, ErrorBody, ListRow, ProcessSpec};

/// `POST /v1/batch/start`: starts many processes in one go. Each is created where there is none of this name and instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartBatch {
    /// Put under the environment of every process whose own `base_env` is empty.
    #[serde(default)]
    pub base_env: Env,
    /// What to run.
    pub specs: Vec<ProcessSpec>,
    /// What to do with one that runs already.
    #[serde(default)]
    pub running: WhenRunning,
    /// Whether to start them. If not, those that do not exist are created `stopped`, and those that exist get the new
    /// description.
    #[serde(default = "yes")]
    pub start: bool,
    /// Whether a process of the same name and instance is no reason to replace it: the new one gets the lowest
    /// free instance number instead.
    #[serde(default)]
    pub always_new: bool,
    /// As in [`super::CreateRequest`].
    #[serde(default)]
    pub settle_ms: u64,
}

fn yes() -> bool {
    true
}

/// What a start does with a process that runs already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenRunning {
    /// Refuses it with `already_running`.
    #[default]
    Refuse,
    /// Gives it the new description and restarts it.
    Restart,
    /// Leaves it alone, and answers as if it had been started.
    Keep,
}

/// `POST /v1/batch/act`: does one thing to many processes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActBatch {
    /// What.
    pub action: BatchAction,
    /// To which, by id.
    pub ids: Vec<u32>,
    /// For `stop` and `delete`: only the short grace (200 ms) comes between the polite signal and SIGKILL.
    #[serde(default)]
    pub force: bool,
    /// As in [`super::CreateRequest`], for `start` and `restart`.
    #[serde(default)]
    pub settle_ms: u64,
}

/// What can be done to many processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BatchAction {
    /// Runs it.
    Start,
    /// Ends it.
    Stop,
    /// Ends it, then runs it.
    Restart,
    /// Ends it after a short grace, then runs it.
    ForceRestart,
    /// Ends it and forgets it.
    Delete,
    /// Sets its counters to 0.
    Reset,
    /// Empties its log files.
    FlushLogs,
    /// Opens its log files anew, as after a rotation by another program.
    ReopenLogs,
    /// Turns watching its files on (with what its description says, else its working directory).
    Watch,
    /// Turns watching its files off.
    Unwatch,
}

/// What became of each process of a batch, in the batch's order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchAnswer {
    /// One a process.
    pub results: Vec<BatchResult>,
}

/// What became of one process of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchResult {
    /// It was done.
    Done(Box<ListRow>),
    /// It was not.
    Failed(ErrorBody),
}
