//! Ending workers: PM2 stops what it knows, and nothing of the tree is left behind.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;

use super::call::{Call, LOOK};
use super::list::Item;
use super::picture::Picture;
use super::{Pm2Runtime, tree};
use crate::{RuntimeError, StopMode};

/// The grace of a forced stop.
const GRACE: Duration = Duration::from_millis(200);

/// Whether PM2 may have a process of it, or be about to start one.
pub(super) fn may_live(item: &Item) -> bool {
    match item.pm2_env.status.as_str() {
        "stopped" | "errored" => false,
        "waiting restart" => !is_final(item),
        _ => true,
    }
}

/// Whether PM2 says `waiting restart` of what it will not start again.
fn is_final(item: &Item) -> bool {
    let meaning = item.pm2_env.exit_code.and_then(|code| item.pm2_env.env.final_exit(code));
    meaning.is_some() || item.pm2_env.created_at.is_none()
}

/// What ending it may take: PM2 waits once for the polite end and once more for the forced one.
fn limit(item: &Item) -> Duration {
    let patience = Duration::from_millis(item.pm2_env.kill_timeout.unwrap_or(0));
    LOOK.saturating_add(patience.saturating_mul(2))
}

impl Pm2Runtime {
    /// Ends every process of a worker, whether PM2 knows it or not.
    pub(super) async fn end(
        &self,
        name: &str,
        picture: &Picture,
        mode: StopMode,
    ) -> Result<(), RuntimeError> {
        let home = &self.program.home;
        let known = tree::of_worker(home, name);
        for item in picture.of(name).iter().filter(|item| item.pm2_env.status != "stopped") {
            self.stop_entry(item, mode).await?;
        }
        tree::sweep(home, name, &known).await
    }

    async fn stop_entry(&self, item: &Item, mode: StopMode) -> Result<(), RuntimeError> {
        let id = item.pm_id.to_string();
        let (announced, heard) = oneshot::channel();
        let args = ["stop", id.as_str()];
        let stopping = self.program.call(Call {
            args: &args,
            input: None,
            limit: limit(item),
            announced: Some(announced),
        });
        match mode {
            StopMode::Graceful => stopping.await.map(drop),
            StopMode::Force => {
                let killing = async {
                    // Sooner, PM2 would take the end for a crash and start it again.
                    let _ = heard.await;
                    sleep(GRACE).await;
                    tree::keep_killing(&self.program.home, &item.name).await;
                };
                tokio::select! {
                    stopped = stopping => stopped.map(drop),
                    () = killing => Ok(()),
                }
            }
        }
    }

    /// A forced stop does not wait for the end of a graceful one that is under way.
    pub(super) async fn cut_short(&self, name: &str, mode: StopMode) -> Result<(), RuntimeError> {
        if mode == StopMode::Force && self.verbs.try_lock().is_err() {
            let items = self.pictures.fresh().await?.of(name);
            if items.iter().any(|item| item.pm2_env.status == "stopping") {
                sleep(GRACE).await;
                tree::sweep(&self.program.home, name, &[]).await?;
            }
        }
        Ok(())
    }

    /// Takes a worker out of PM2's list; PM2 ends politely what still runs. Nothing of its tree is left.
    pub(super) async fn delete(&self, name: &str, picture: &Picture) -> Result<(), RuntimeError> {
        let home = &self.program.home;
        let known = tree::of_worker(home, name);
        for item in picture.of(name) {
            let id = item.pm_id.to_string();
            let args = ["delete", id.as_str()];
            self.program.call(Call { limit: limit(&item), ..Call::look(&args) }).await?;
        }
        tree::sweep(home, name, &known).await
    }
}
