//! What processes tell of themselves, and finding out whose word it is.

use super::row::{Row, State};
use super::{Engine, Message};
use crate::cgroup::Hierarchy;
use crate::notify_socket::{Notice, NotifySocket};
use crate::process_table::ProcessStat;
use crate::spawn;
use crate::spec::Readiness;

/// How far up a sender's parents are looked for a main process.
const MOST_PARENTS: usize = 16;
/// So many notices of nobody known are kept while processes are being executed.
const MOST_EARLY: usize = 1024;

/// Who told something, as found out at once: it may end right after.
#[derive(Debug)]
pub(super) struct Sender {
    /// The sender, its parent, and so on.
    lineage: Vec<i32>,
    /// Whose control group it is in.
    group: Option<u32>,
}

impl Sender {
    fn of(pid: i32, hierarchy: Option<&Hierarchy>) -> Self {
        let parent = |pid: &i32| {
            let stat = ProcessStat::read(*pid).ok().flatten()?;
            Some(stat.ppid).filter(|ppid| *ppid > 1)
        };
        let lineage = std::iter::successors(Some(pid), parent).take(MOST_PARENTS).collect();
        let group = hierarchy.and_then(|hierarchy| hierarchy.id_of(pid));
        Self { lineage, group }
    }
}

impl Engine {
    /// Takes what processes tell of themselves.
    pub(super) fn listen_to_notices(&self) {
        let path = self.plumbing.run_dir.notify_socket();
        let name = spawn::notify_name(&self.journal.contents().instance);
        for socket in [NotifySocket::bind(&path, 0o600), NotifySocket::bind_abstract(&name)] {
            match socket {
                Ok(socket) => self.listen_on(socket),
                Err(error) => {
                    tracing::error!(%error, path = %path.display(), name, "some processes cannot tell that they are ready");
                }
            }
        }
    }

    fn listen_on(&self, socket: NotifySocket) {
        let (tell, hierarchy) = (self.tell.clone(), self.hierarchy.clone());
        tokio::spawn(async move {
            loop {
                match socket.recv().await {
                    Ok((pid, notice)) => {
                        let sender = Sender::of(pid, hierarchy.as_ref());
                        if tell.send(Message::Noticed { sender, notice }).await.is_err() {
                            return;
                        }
                    }
                    Err(error) => {
                        tracing::error!(%error, "what processes tell cannot be read any more");
                        return;
                    }
                }
            }
        });
    }

    /// A process told something of itself.
    pub(super) fn on_notice(&mut self, sender: Sender, notice: Notice) {
        let Some(id) = self.whose(&sender) else {
            // It may be one whose execution we have not been told of yet.
            let is_launching =
                |row: &Row| matches!(row.state, State::Launching { queued: false, .. });
            if self.early_notices.len() < MOST_EARLY
                && self.rows.values().any(|row| is_launching(row))
            {
                self.early_notices.push((sender, notice));
            }
            return;
        };
        let Some(row) = self.rows.get_mut(&id) else { return };
        let incarnation = row.incarnation;
        let State::Online(running) = &mut row.state else { return };
        if notice.watchdog || notice.ready {
            running.beat.notify_one();
        }
        let tells_status = notice.status.is_some();
        if tells_status {
            running.status = notice.status;
        }
        let becomes_ready = notice.ready && !running.ready && row.spec.ready == Readiness::Notify;
        if becomes_ready {
            self.on_ready(id, incarnation, Ok(()));
        } else if tells_status {
            self.publish(id);
        }
    }

    /// One more process is known by its pid.
    pub(super) fn hear_early_notices(&mut self) {
        for (sender, notice) in std::mem::take(&mut self.early_notices) {
            self.on_notice(sender, notice);
        }
    }

    /// The process that a sender belongs to: as its main process, or as one of its tree.
    fn whose(&self, sender: &Sender) -> Option<u32> {
        let main = |pid: &i32| {
            let mut rows = self.rows.values();
            let row = rows.find(|row| row.running().is_some_and(|run| run.identity.pid == *pid))?;
            Some(row.id)
        };
        let by_group =
            sender.group.filter(|id| self.rows.get(id).is_some_and(|row| row.running().is_some()));
        by_group.or_else(|| sender.lineage.iter().find_map(main))
    }
}
