//! What is done to a process without ending it.

use std::path::Path;

use rustix::process::Signal;
use tokio::sync::oneshot;

use super::handle::Answer;
use super::row::Row;
use super::view::view;
use super::{Edit, Engine, EngineError};
use crate::input;
use crate::policy::RestartLedger;
use crate::spec::Stdin;

impl Engine {
    pub(super) fn edit(&mut self, id: u32, edit: Edit, reply: oneshot::Sender<Answer>) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        let done = match edit {
            Edit::Reset => {
                row.restarts = 0;
                row.ledger = RestartLedger::default();
                self.record_present(id);
                self.publish(id);
                Ok(())
            }
            Edit::Signal(signal) => send_signal(row, signal.into()),
            Edit::Input(bytes) => send_input(row, &self.plumbing.run_dir.input_fifo(id), &bytes),
            Edit::FlushLogs => return flush_logs(row, reply),
            Edit::ReopenLogs => {
                if let Some(outlet) = &row.outlet {
                    outlet.attachment().reopen();
                }
                Ok(())
            }
            Edit::Watch(on) => self.set_watch(id, on),
        };
        let answer = done.and_then(|()| {
            let target = id.to_string();
            self.rows.get(&id).map(|row| view(row)).ok_or(EngineError::Unknown { target })
        });
        // Who asked may have gone.
        let _ = reply.send(answer);
    }
}

fn send_signal(row: &Row, signal: Signal) -> Result<(), EngineError> {
    let name = || row.spec.name.clone();
    let running = row.running().ok_or_else(|| EngineError::NotRunning { name: name() })?;
    match running.child.signal(signal) {
        Ok(()) => Ok(()),
        Err(_ended) => Err(EngineError::NotRunning { name: name() }),
    }
}

fn send_input(row: &Row, fifo: &Path, bytes: &[u8]) -> Result<(), EngineError> {
    let name = || row.spec.name.clone();
    if row.running().is_none() {
        return Err(EngineError::NotRunning { name: name() });
    }
    if row.spec.stdin != Stdin::Pipe {
        let reason = "its standard input is /dev/null; start it with stdin = \"pipe\"".to_owned();
        return Err(EngineError::NoStdin { name: name(), reason });
    }
    input::write(fifo, bytes)
        .map_err(|error| EngineError::NoStdin { name: name(), reason: error.to_string() })
}

/// Empties a process's log files, and answers when that is done.
fn flush_logs(row: &Row, reply: oneshot::Sender<Answer>) {
    let (shown, outlet) = (view(row), row.outlet.clone());
    tokio::spawn(async move {
        let flushed = match &outlet {
            Some(outlet) => outlet.attachment().flush().await,
            // It never ran, so it has written nothing.
            None => Ok(()),
        };
        let name = shown.name.clone();
        let answer = flushed
            .map(|()| shown)
            .map_err(|error| EngineError::NotSaved { name, reason: error.to_string() });
        // Who asked may have gone.
        let _ = reply.send(answer);
    });
}
