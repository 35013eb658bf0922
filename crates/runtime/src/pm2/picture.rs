//! Pictures of PM2's list, taken one at a time and shown to everybody who wants one.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::{Mutex, RwLock, RwLockWriteGuard, watch};
use tokio::time::Instant;

use super::call::{Call, Program, failed};
use super::conversion::observed;
use super::list::{Item, parse};
use crate::{ObservedState, ObservedWorker, RuntimeError};

/// What PM2 listed at one moment.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    /// When PM2 was asked; `None`: it never was.
    asked_at: Option<Instant>,
    /// Everything in the list.
    pub(super) items: Arc<Vec<Item>>,
    /// The workers in it, one of each name.
    pub(super) workers: Arc<Vec<ObservedWorker>>,
}

impl Picture {
    fn new(asked_at: Option<Instant>, items: Vec<Item>) -> Self {
        let now = Utc::now();
        let mut workers: Vec<ObservedWorker> =
            items.iter().filter(|item| item.is_worker()).map(|item| observed(item, now)).collect();
        // PM2 may have a name twice; the one that lives is the one to speak of.
        let at_rest = |worker: &ObservedWorker| {
            matches!(worker.state, ObservedState::Stopped | ObservedState::Failed { .. })
        };
        workers.sort_by(|a, b| (&a.name, at_rest(a)).cmp(&(&b.name, at_rest(b))));
        workers.dedup_by(|later, first| later.name == first.name);
        Self { asked_at, items: Arc::new(items), workers: Arc::new(workers) }
    }

    /// The entries of a worker, one as a rule.
    pub(super) fn of(&self, name: &str) -> Vec<Item> {
        self.items.iter().filter(|item| item.is_worker() && item.name == name).cloned().collect()
    }

    /// The worker of this name.
    pub(super) fn worker(&self, name: &str) -> Option<ObservedWorker> {
        self.workers.iter().find(|worker| worker.name == name).cloned()
    }
}

/// Takes pictures.
#[derive(Debug, Clone)]
pub(super) struct Pictures {
    program: Program,
    interval: Duration,
    latest: watch::Sender<Picture>,
    taking: Arc<Mutex<()>>,
    /// Held while a worker is taken out of the list and put in again: a picture between would say that it is gone.
    exchange: Arc<RwLock<()>>,
}

impl Pictures {
    pub(super) fn new(program: Program, interval: Duration) -> Self {
        let (latest, _) = watch::channel(Picture::new(None, Vec::new()));
        Self { program, interval, latest, taking: Arc::default(), exchange: Arc::default() }
    }

    /// The time between two pictures that a watch takes by itself.
    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    /// Hears of every picture that is taken.
    pub(super) fn subscribe(&self) -> watch::Receiver<Picture> {
        self.latest.subscribe()
    }

    /// A picture of what is now. Many who ask at once share one.
    pub(super) async fn fresh(&self) -> Result<Picture, RuntimeError> {
        let wanted_at = Instant::now();
        let _one = self.taking.lock().await;
        let latest = self.latest.borrow().clone();
        if latest.asked_at.is_some_and(|at| at > wanted_at) {
            return Ok(latest);
        }
        let _complete = self.exchange.read().await;
        self.take().await
    }

    /// A picture that is not older than `age`.
    pub(super) async fn recent(&self, age: Duration) -> Result<Picture, RuntimeError> {
        let latest = self.latest.borrow().clone();
        match latest.asked_at {
            Some(at) if at.elapsed() <= age => Ok(latest),
            Some(_) | None => self.fresh().await,
        }
    }

    /// A picture within an exchange.
    pub(super) async fn take(&self) -> Result<Picture, RuntimeError> {
        let asked_at = Instant::now();
        let printed = self.program.call(Call::look(&["jlist"])).await?;
        let items = parse(&printed);
        let items = items.ok_or_else(|| failed("`pm2 jlist` has printed no list of processes"))?;
        let picture = Picture::new(Some(asked_at), items);
        self.latest.send_replace(picture.clone());
        Ok(picture)
    }

    /// Keeps pictures from being taken until dropped.
    pub(super) async fn exchange(&self) -> RwLockWriteGuard<'_, ()> {
        self.exchange.write().await
    }
}
