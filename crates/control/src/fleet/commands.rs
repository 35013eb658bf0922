//! Commands on their way to a tenant's worker.

use std::sync::Arc;

use api::link::Command;
use parking_lot::Mutex;
use tokio::sync::broadcast;

/// Commands that wait for a worker to listen; a worker that lags reconnects and is told everything.
const WAITING: usize = 16;

/// The channel to a worker. There is none until somebody listens: most tenants of a large fleet have nobody
/// who does, and room for commands that nobody hears would be most of their memory.
#[derive(Default)]
pub struct Commands(Mutex<Option<broadcast::Sender<Arc<Command>>>>);

/// Nobody listened.
#[derive(Debug, thiserror::Error)]
#[error("no worker listens to commands")]
pub struct Unheard;

impl Commands {
    /// Says a command to those who listen.
    ///
    /// # Errors
    /// [`Unheard`].
    pub fn send(&self, command: Command) -> Result<(), Unheard> {
        let mut channel = self.0.lock();
        let sent = channel.as_ref().is_some_and(|sender| sender.send(Arc::new(command)).is_ok());
        if sent {
            return Ok(());
        }
        *channel = None;
        Err(Unheard)
    }

    /// Listens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Command>> {
        self.0.lock().get_or_insert_with(|| broadcast::Sender::new(WAITING)).subscribe()
    }
}

#[cfg(test)]
mod tests {
    use api::link::Command;

    use super::Commands;

    #[test]
    fn only_who_listens_hears() {
        let commands = Commands::default();
        assert!(commands.send(Command::Logout).is_err());
        let mut listener = commands.subscribe();
        commands.send(Command::Logout).unwrap();
        assert_eq!(*listener.try_recv().unwrap(), Command::Logout);
        drop(listener);
        assert!(commands.send(Command::Logout).is_err());
        let mut next = commands.subscribe();
        assert!(next.try_recv().is_err(), "what nobody heard is gone");
        commands.send(Command::Logout).unwrap();
        assert!(next.try_recv().is_ok());
    }
}
