//! Starting workers.

use std::time::Duration;

use super::call::{Call, LOOK, failed};
use super::conversion::{incarnation, process_file};
use super::list::Item;
use super::picture::Picture;
use super::{Pm2Runtime, logs, settle};
use crate::{ObservedState, ObservedWorker, RuntimeError, StopMode, WorkerLaunch};

/// Lines of the log that a failed start shows.
const TAIL: usize = 20;

impl Pm2Runtime {
    /// Whether the launch can be made at all, and nobody else has the name: PM2 would restart theirs with what is
    /// ours.
    pub(super) fn check(
        &self,
        launch: &WorkerLaunch,
        picture: &Picture,
    ) -> Result<Vec<u8>, RuntimeError> {
        let ours = picture.of(&launch.name);
        let foreign = |item: &&Item| !item.is_worker() && item.name == launch.name;
        if let Some(other) = picture.items.iter().find(foreign) {
            return Err(failed(format!(
                "PM2 has another process named {} (id {}), which is no worker; rename or delete it",
                other.name, other.pm_id
            )));
        }
        // Numbers go on from those of the launch before.
        let first = ours.iter().map(incarnation).max().unwrap_or(0) + 1;
        process_file(launch, first)
    }

    /// Starts a worker of which nothing runs.
    pub(super) async fn launch(
        &self,
        launch: &WorkerLaunch,
        picture: &Picture,
        limit: Duration,
    ) -> Result<ObservedWorker, RuntimeError> {
        let file = self.check(launch, picture)?;
        let log = &launch.log_path;
        logs::prepare(log)
            .map_err(|error| failed(format!("the log {}: {error}", log.display())))?;
        let picture = {
            let _exchange = self.pictures.exchange().await;
            // With it goes what a daemon that died has left behind: it would be a second worker beside ours.
            self.delete(&launch.name, picture).await?;
            let input = Some(file.as_slice());
            let call = Call { args: &["start", "-"], input, limit: LOOK, announced: None };
            self.program.call(call).await?;
            self.pictures.take().await?
        };
        let started = Self::worker(&picture, &launch.name)?;
        if picture.of(&launch.name).len() > 1 {
            // A call of a control plane that was killed has gone on beside ours.
            self.end(&launch.name, &picture, StopMode::Force).await?;
            let message = "PM2 was asked to start it twice at once; both were ended".to_owned();
            return Err(RuntimeError::Busy { name: launch.name.clone(), message });
        }
        if let ObservedState::Failed { reason } = &started.state
            && started.exit.is_none()
        {
            let message = format!("{}: {reason}", launch.command.join(" "));
            self.end(&launch.name, &picture, StopMode::Force).await?;
            return Err(RuntimeError::SpawnFailed { message, log_tail: Vec::new() });
        }
        if limit.is_zero() || is_up(&picture, &started, limit).await {
            return Ok(started);
        }
        self.ended_early(launch, &picture).await
    }

    async fn ended_early(
        &self,
        launch: &WorkerLaunch,
        picture: &Picture,
    ) -> Result<ObservedWorker, RuntimeError> {
        // PM2 may be at the next try already; how the last one ended is to be read before that is ended too.
        let ended = Self::worker(&self.pictures.fresh().await?, &launch.name)?;
        self.end(&launch.name, picture, StopMode::Force).await?;
        self.pictures.fresh().await?;
        let how = ended.exit.map_or_else(|| "an unknown exit status".to_owned(), |e| e.to_string());
        let log_tail = logs::tail(&launch.log_path, TAIL).unwrap_or_default();
        let message = format!("the program ended with {how} right after its start");
        Err(RuntimeError::ExitedEarly { message, log_tail })
    }
}

/// Whether the first process of this launch lives and has come to rest.
async fn is_up(picture: &Picture, started: &ObservedWorker, limit: Duration) -> bool {
    let items = picture.of(&started.name);
    let first = items.iter().all(|item| item.pm2_env.restart_time.unwrap_or(0) == 0);
    match started.state {
        ObservedState::Running { pid, .. } if first => settle::survives(pid, limit).await,
        _ => false,
    }
}
