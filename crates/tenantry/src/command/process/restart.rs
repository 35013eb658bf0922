//! `restart` and `reload`: what runs, again; with another description where flags or a file give one.

use std::sync::Arc;

use anyhow::bail;
use pm2::App;
use supervisor::client::Client;
use supervisor::wire::{
    ActBatch, BatchAction, ListRow, Phase, ProcessSpec, StartBatch, WhenRunning,
};

use super::apps;
use super::batch::{self, Outcome};
use super::call::Call;
use super::how::How;
use super::options::ProcessOptions;

/// How long a process that is reloaded may take to come to rest, in milliseconds, before the next one's turn.
pub const SETTLE_MS: u64 = 3000;

/// What is to be different after the restart.
#[derive(Clone, Copy)]
pub struct Change<'a> {
    pub flags: &'a App,
    pub options: &'a ProcessOptions,
    pub how: &'a How,
}

impl Change<'_> {
    /// Whether the description stays.
    fn is_none(&self) -> bool {
        self.options.is_empty() && !self.how.update_env && self.flags.args.is_none()
    }
}

/// Restarts processes.
///
/// # Errors
/// When a flag makes no sense for one of them, or the supervisor does not answer.
pub async fn several(
    ids: &[u32],
    rows: &[ListRow],
    change: &Change<'_>,
    client: &Client,
    call: &mut Call<'_>,
) -> anyhow::Result<Outcome> {
    toggle_watch(ids, rows, change, client).await?;
    if change.is_none() {
        return again(ids, rows, change.how, client).await;
    }
    let mut specs = Vec::new();
    for id in ids {
        let old = client.spec(&id.to_string()).await?;
        let new = changed(&old, change, call)?;
        if new.name != old.name {
            rename(*id, &new, client).await?;
        }
        specs.push(new);
    }
    let base_env = apps::common_env(&mut specs);
    let running = WhenRunning::Restart;
    let batch =
        StartBatch { base_env, specs, running, start: true, always_new: false, settle_ms: 0 };
    batch::start(client, batch).await
}

/// Restarts what runs; what rests is started, which does not count as a restart.
async fn again(
    ids: &[u32],
    rows: &[ListRow],
    how: &How,
    client: &Client,
) -> anyhow::Result<Outcome> {
    let rests = |id: &&u32| {
        let row = rows.iter().find(|row| row.id == **id);
        row.is_some_and(|row| matches!(row.state, Phase::Stopped | Phase::Errored))
    };
    let (rest, run): (Vec<u32>, Vec<u32>) = ids.iter().partition(rests);
    let restart = if how.force { BatchAction::ForceRestart } else { BatchAction::Restart };
    let mut outcome = Outcome::default();
    for (action, ids) in [(restart, run), (BatchAction::Start, rest)] {
        for ids in ids.chunks(how.parallel.map_or(usize::MAX, usize::from)) {
            let batch = ActBatch { action, ids: ids.to_vec(), force: false, settle_ms: 0 };
            outcome.extend(batch::act(client, batch).await?);
        }
    }
    Ok(outcome)
}

/// Restarts processes one after the other.
///
/// # Errors
/// As [`several`].
pub async fn one_by_one(
    ids: &[u32],
    rows: &[ListRow],
    change: &Change<'_>,
    client: &Client,
    call: &mut Call<'_>,
) -> anyhow::Result<Outcome> {
    if !change.is_none() {
        let mut outcome = Outcome::default();
        for id in ids {
            outcome.extend(several(&[*id], rows, change, client, call).await?);
            if !outcome.failed.is_empty() {
                break;
            }
        }
        return Ok(outcome);
    }
    let mut outcome = Outcome::default();
    for ids in ids.chunks(change.how.parallel.map_or(1, usize::from)) {
        let batch = ActBatch {
            action: BatchAction::Restart,
            ids: ids.to_vec(),
            force: false,
            settle_ms: SETTLE_MS,
        };
        outcome.extend(batch::act(client, batch).await?);
        // A bad release must not take all instances down.
        if !outcome.failed.is_empty() {
            break;
        }
    }
    Ok(outcome)
}

/// The description with what the flags change. It inherits what it inherited, or the present shell's variables.
fn changed(old: &ProcessSpec, change: &Change<'_>, call: &Call<'_>) -> anyhow::Result<ProcessSpec> {
    let mut context = apps::context(call, change.options)?;
    if !change.how.update_env {
        context.env = Arc::clone(&old.base_env);
    }
    let mut new = pm2::updated(old, change.flags, &context)?;
    let Some(spec) = new.specs.pop() else { bail!("{} came to nothing", old.name) };
    Ok(spec)
}

/// A name cannot be changed in place: the old process goes first.
async fn rename(id: u32, new: &ProcessSpec, client: &Client) -> anyhow::Result<()> {
    let taken = client.rows().await?;
    if taken.iter().any(|row| row.name == new.name && row.instance == new.instance) {
        bail!("there is a process named {} already", new.name);
    }
    let outcome = batch::act_plainly(client, BatchAction::Delete, vec![id]).await?;
    batch::failures(&outcome.failed)
}

/// `--watch` turns watching on, or off where it is on.
async fn toggle_watch(
    ids: &[u32],
    rows: &[ListRow],
    change: &Change<'_>,
    client: &Client,
) -> anyhow::Result<()> {
    if !change.options.wants_watch() {
        return Ok(());
    }
    let meant = |watching: bool| {
        let rows = rows.iter().filter(move |row| ids.contains(&row.id) && row.watching == watching);
        rows.map(|row| row.id).collect()
    };
    for (action, ids) in [(BatchAction::Watch, meant(false)), (BatchAction::Unwatch, meant(true))] {
        let outcome = batch::act_plainly(client, action, ids).await?;
        batch::failures(&outcome.failed)?;
    }
    Ok(())
}
