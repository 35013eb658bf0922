//! Watches one main process from its start to its burial: exit, order to end, leftovers, status, last output.
//!
//! Of our own child the zombie is left in place until its whole tree is gone and its end is written down, because as long as it is there its pid and its group's number cannot pass to others.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::OptionFuture;
use rustix::process::{Pid, Signal, kill_process_group, pidfd_send_signal};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

use crate::exit_status;
use crate::identity::Identity;
use crate::outlet::Outlet;
use crate::process::Exit;
use crate::process_table::Census;
use crate::readiness::readable;
use crate::tree::{Members, Tree};

/// How long processes may take to go after SIGKILL. One that hangs in the kernel does not go at all.
const AFTER_KILL: Duration = Duration::from_secs(10);
/// Rounds of killing leftovers; each finds those that were born during the one before.
const ROUNDS: usize = 8;

/// What the engine tells a watched process's task.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    /// Ask the tree to end, and force it after the timeout.
    Terminate {
        signal: Signal,
        timeout: Duration,
        /// Whether the signal goes to the main process alone.
        main_only: bool,
    },
}

impl Order {
    fn hurried_by(self, other: Self) -> Self {
        let Self::Terminate { signal, timeout, main_only } = self;
        let Self::Terminate { timeout: other, .. } = other;
        Self::Terminate { signal, timeout: timeout.min(other), main_only }
    }
}

/// What the task reports.
#[derive(Debug)]
pub(crate) enum Report {
    /// Process and tree are gone, the status is known, the output is in the file.
    Ended(Exit),
    /// It did not go in spite of SIGKILL. `Ended` still comes if it ever does.
    Stuck,
}

/// Where orders are given to a watch. (A channel would be ten times as large, and there is one for each process.)
#[derive(Debug, Default)]
struct Desk {
    given: Mutex<Option<Order>>,
    came: Notify,
}

impl Desk {
    /// A second order can only shorten the time that the first one gives.
    fn give(&self, order: Order) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        *given = Some(given.take().map_or(order, |first| first.hurried_by(order)));
        drop(given);
        self.came.notify_one();
    }

    /// The next order. Nothing is lost when this is not waited for to its end.
    async fn next(&self) -> Order {
        loop {
            let given = self.given.lock().unwrap_or_else(PoisonError::into_inner).take();
            match given {
                Some(order) => return order,
                None => self.came.notified().await,
            }
        }
    }
}

/// A running watch: where its orders go.
#[derive(Debug)]
pub(crate) struct Child {
    desk: Arc<Desk>,
    pidfd: Arc<OwnedFd>,
    pid: i32,
    adopted: bool,
    census: Census,
}

impl Child {
    /// Gives an order.
    pub(crate) fn order(&self, order: Order) {
        self.desk.give(order);
    }

    /// Sends the main process alone a signal. An error means that it has ended.
    pub(crate) fn signal(&self, signal: Signal) -> rustix::io::Result<()> {
        pidfd_send_signal(&self.pidfd, signal)
    }

    /// Its end is written down: nobody will ask for it any more.
    pub(crate) fn bury(&self) {
        if !self.adopted {
            exit_status::reap(self.pidfd.as_fd());
        }
        self.census.forget_main(self.pid);
    }
}

/// What is needed to watch a process.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) identity: Identity,
    pub(crate) pidfd: Arc<OwnedFd>,
    /// Not our child: it cannot be reaped, nor its zombie be kept.
    pub(crate) adopted: bool,
    pub(crate) tree: Tree,
    pub(crate) census: Census,
    /// Where its output goes.
    pub(crate) outlet: Option<Arc<Outlet>>,
}

impl Watch {
    /// Starts to watch. `report` turns a report into the engine's own message.
    pub(crate) fn start<M: Send + 'static>(
        self,
        reports: mpsc::Sender<M>,
        report: impl Fn(Report) -> M + Send + Sync + 'static,
    ) -> Child {
        let desk = Arc::<Desk>::default();
        let orders = Arc::clone(&desk);
        let pidfd = Arc::clone(&self.pidfd);
        let (pid, adopted, census) = (self.identity.pid, self.adopted, self.census.clone());
        tokio::spawn(Box::new(Watching::new(self)).run(orders, reports, report));
        Child { desk, pidfd, pid, adopted, census }
    }
}

struct Watching {
    watch: Watch,
    /// When the force comes, once an order was given.
    deadline: Option<Instant>,
    forced: bool,
    /// Whether its control group was killed, which it must not be used after.
    group_was_killed: bool,
}

impl Watching {
    fn new(watch: Watch) -> Self {
        // One whom we adopted may have been killed by the supervisor before us.
        let group_was_killed = watch.adopted;
        Self { watch, deadline: None, forced: false, group_was_killed }
    }

    async fn run<M: Send>(
        mut self: Box<Self>,
        orders: Arc<Desk>,
        reports: mpsc::Sender<M>,
        report: impl Fn(Report) -> M + Send + Sync,
    ) {
        let pidfd = match readable(Arc::clone(&self.watch.pidfd)) {
            Ok(pidfd) => pidfd,
            Err(error) => {
                tracing::error!(%error, pid = self.watch.identity.pid, "cannot watch a process; ending it");
                let none = Box::pin(self.watch.tree.members(true)).await;
                self.watch.tree.signal(Some(&self.watch.pidfd), &none, Signal::KILL);
                let _ = Box::pin(reports.send(report(Report::Ended(Exit::Unknown)))).await;
                return;
            }
        };
        loop {
            let deadline = self.deadline;
            // Boxed, as is all that is rare: for most of its life this task only waits, and there are thousands of it.
            let timer =
                OptionFuture::from(deadline.map(|deadline| Box::pin(sleep_until(deadline))));
            tokio::select! {
                _ = pidfd.readable() => break,
                order = orders.next() => Box::pin(self.obey(order)).await,
                _ = timer, if deadline.is_some() => {
                    if self.forced {
                        self.deadline = None;
                        let _ = Box::pin(reports.send(report(Report::Stuck))).await;
                    } else {
                        Box::pin(self.force()).await;
                    }
                }
            }
        }
        let exit = Box::pin(self.clear_up(&orders)).await;
        // Nobody listens when the supervisor leaves; its successor finds out by itself.
        let _ = Box::pin(reports.send(report(Report::Ended(exit)))).await;
    }

    /// The main process has ended: sees to its tree, its status and its last output.
    async fn clear_up(&mut self, orders: &Desk) -> Exit {
        self.clear_leftovers(orders).await;
        if self.group_was_killed {
            self.watch.tree.discard_group().await;
        }
        let exit = self.status().await;
        if let Some(outlet) = &self.watch.outlet {
            outlet.attachment().drain().await;
        }
        exit
    }

    async fn obey(&mut self, order: Order) {
        let Order::Terminate { signal, timeout, main_only } = order;
        let deadline = Instant::now() + timeout;
        let first = self.deadline.is_none();
        self.deadline = Some(self.deadline.map_or(deadline, |earlier| earlier.min(deadline)));
        if first && !self.forced && main_only {
            // An error only says that it has just ended.
            let _ = pidfd_send_signal(&self.watch.pidfd, signal);
        } else if first && !self.forced {
            let members = self.watch.tree.members(true).await;
            self.watch.tree.signal(Some(&self.watch.pidfd), &members, signal);
        }
    }

    async fn force(&mut self) {
        let members = self.watch.tree.members(true).await;
        self.kill_group();
        self.watch.tree.signal(Some(&self.watch.pidfd), &members, Signal::KILL);
        self.forced = true;
        self.deadline = Some(Instant::now() + AFTER_KILL);
    }

    /// The main process has ended. What is left of its tree may still use the time that it was given when it was
    /// told to end; when the end came by itself, or the time is over, it is killed.
    async fn clear_leftovers(&mut self, orders: &Desk) {
        let pinned = !self.watch.adopted;
        let mut rounds = 0;
        loop {
            let grace = self.deadline.filter(|deadline| !self.forced && *deadline > Instant::now());
            if grace.is_none() {
                self.kill_own_group();
            }
            let members = self.watch.tree.members(pinned).await;
            if members.is_empty() {
                return;
            }
            if let Some(deadline) = grace {
                self.wait_politely(&members, deadline, orders).await;
                continue;
            }
            rounds += 1;
            self.kill_group();
            self.watch.tree.signal(pinned.then_some(&self.watch.pidfd), &members, Signal::KILL);
            let killed = members.all_ended(Instant::now() + AFTER_KILL).await;
            if !killed || rounds == ROUNDS {
                tracing::error!(
                    pid = self.watch.identity.pid,
                    left = members.len(),
                    "processes of a tree could not be ended"
                );
                return;
            }
        }
    }

    async fn wait_politely(&mut self, members: &Members, deadline: Instant, orders: &Desk) {
        tokio::select! {
            in_time = members.all_ended(deadline) => if !in_time {
                self.forced = true;
            },
            // A second order can only shorten the time.
            Order::Terminate { timeout, .. } = orders.next() => {
                self.deadline = Some(deadline.min(Instant::now() + timeout));
            }
        }
    }

    fn kill_group(&mut self) {
        self.group_was_killed |= self.watch.tree.kill_group();
    }

    fn kill_own_group(&self) {
        if let Some(group) = Pid::from_raw(self.watch.identity.pid).filter(|_| !self.watch.adopted)
        {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    async fn status(&self) -> Exit {
        let Identity { pid, start_ticks, .. } = self.watch.identity;
        if self.watch.adopted {
            return exit_status::of_adopted(&self.watch.pidfd, pid, start_ticks).await;
        }
        match exit_status::of_child(self.watch.pidfd.as_fd()) {
            Ok(exit) => exit,
            Err(error) => {
                tracing::warn!(%error, pid, "cannot learn how a process ended");
                Exit::Unknown
            }
        }
    }
}
