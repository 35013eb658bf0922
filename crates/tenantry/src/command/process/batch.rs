//! Doing something to many processes, with a progress bar when a person waits for it.

use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressStyle};
use supervisor::client::Client;
use supervisor::wire::{ActBatch, BatchAction, BatchResult, ErrorBody, ListRow, StartBatch};

use super::call::Call;
use crate::text::clean;

/// So many processes or more are worth a bar.
const WORTH_A_BAR: usize = 20;
/// So many at a time, when a bar shows how far it is.
const CHUNK: usize = 64;
/// How many at a time where nobody watches: a request has to be read as a whole.
const MOST: usize = 1000;
/// So many are named one by one; more are only counted.
const NAMED: usize = 20;

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Those with which it went well.
    pub done: Vec<ListRow>,
    /// Those with which it did not.
    pub failed: Vec<ErrorBody>,
}

impl Outcome {
    /// Adds another one.
    pub fn extend(&mut self, other: Self) {
        self.done.extend(other.done);
        self.failed.extend(other.failed);
    }

    fn take(&mut self, results: Vec<BatchResult>) {
        for result in results {
            match result {
                BatchResult::Done(view) => self.done.push(*view),
                BatchResult::Failed(error) => self.failed.push(error),
            }
        }
    }
}

/// Does one thing to processes.
///
/// # Errors
/// When the supervisor does not answer; what goes wrong with one process is in the outcome.
pub async fn act(client: &Client, batch: ActBatch) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let bar = Bar::new(batch.ids.len(), word(batch.action));
    for ids in batch.ids.chunks(bar.chunk()) {
        let part = ActBatch { ids: ids.to_vec(), ..batch.clone() };
        outcome.take(client.act_batch(&part).await?.results);
        bar.advance(ids.len());
    }
    Ok(outcome)
}

/// Does one thing to processes, in the ordinary way.
///
/// # Errors
/// As [`act`].
pub async fn act_plainly(
    client: &Client,
    action: BatchAction,
    ids: Vec<u32>,
) -> anyhow::Result<Outcome> {
    if ids.is_empty() {
        return Ok(Outcome::default());
    }
    act(client, ActBatch { action, ids, force: false, settle_ms: 0 }).await
}

/// Starts processes.
///
/// # Errors
/// As [`act`].
pub async fn start(client: &Client, batch: StartBatch) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let bar = Bar::new(batch.specs.len(), "started");
    for specs in batch.specs.chunks(bar.chunk()) {
        let part = StartBatch { specs: specs.to_vec(), base_env: batch.base_env.clone(), ..batch };
        outcome.take(client.start_batch(&part).await?.results);
        bar.advance(specs.len());
    }
    Ok(outcome)
}

/// What was done, in one word.
pub const fn word(action: BatchAction) -> &'static str {
    match action {
        BatchAction::Start => "started",
        BatchAction::Stop => "stopped",
        BatchAction::Restart | BatchAction::ForceRestart => "restarted",
        BatchAction::Delete => "deleted",
        BatchAction::Reset => "counters reset",
        BatchAction::FlushLogs => "logs emptied",
        BatchAction::ReopenLogs => "logs reopened",
        BatchAction::Watch => "watched",
        BatchAction::Unwatch => "not watched any more",
    }
}

/// Tells what became of a batch: each process where they are few, else how many. The failures come as one error.
///
/// # Errors
/// What went wrong, if anything did.
pub fn tell(call: &mut Call<'_>, verb: &str, outcome: &Outcome) -> anyhow::Result<()> {
    if outcome.done.len() <= NAMED {
        for view in &outcome.done {
            call.say(&format!("{} ({}) {verb}", clean(&view.name), view.id))?;
        }
    } else {
        call.say(&format!("{} processes {verb}", outcome.done.len()))?;
    }
    failures(&outcome.failed)
}

/// The failures as one error.
///
/// # Errors
/// If there is one.
pub fn failures(failed: &[ErrorBody]) -> anyhow::Result<()> {
    if failed.is_empty() {
        return Ok(());
    }
    let lines = failed.iter().take(NAMED).map(|error| {
        let log = error.log_tail.iter().map(|line| format!("\n    {}", clean(line)));
        format!("{}{}", clean(&error.message), log.collect::<String>())
    });
    let mut text = lines.collect::<Vec<_>>().join("\n");
    if failed.len() > NAMED {
        text.push_str(&format!("\nand {} more of them", failed.len() - NAMED));
    }
    Err(anyhow::anyhow!(text))
}

/// A progress bar on stderr, where there is a terminal and enough to do.
struct Bar(Option<ProgressBar>);

impl Bar {
    fn new(length: usize, verb: &'static str) -> Self {
        if length < WORTH_A_BAR || !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new(u64::try_from(length).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        bar.set_message(verb);
        Self(Some(bar))
    }

    /// How many to do at a time.
    const fn chunk(&self) -> usize {
        if self.0.is_some() { CHUNK } else { MOST }
    }

    fn advance(&self, by: usize) {
        if let Some(bar) = &self.0 {
            bar.inc(u64::try_from(by).unwrap_or(0));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use supervisor::wire::{ErrorBody, ErrorCode};

    use super::failures;

    #[test]
    fn failures_name_a_few_and_count_the_rest() {
        let error = |number: usize| ErrorBody {
            code: ErrorCode::SpawnFailed,
            message: format!("web-{number} has no program"),
            exit: None,
            log_tail: if number == 0 { vec!["oh\u{1b}[2J".to_owned()] } else { Vec::new() },
        };
        let many: Vec<_> = (0..23).map(error).collect();
        let text = failures(&many).unwrap_err().to_string();
        assert!(text.starts_with("web-0 has no program\n    oh\u{fffd}[2J\nweb-1 has"), "{text}");
        assert!(text.ends_with("web-19 has no program\nand 3 more of them"), "{text}");
        assert!(failures(&[]).is_ok());
    }
}
