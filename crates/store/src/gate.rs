//! Whether the database's server is there.
//!
//! ```text
//! open ──a statement fails for want of a connection──► suspected ──a probe fails──► closed
//!   ▲                                                     │                           │
//!   └──────────────────── a probe succeeds ───────────────┴───────────────────────────┘
//! ```
//! Without it a server that is away would be asked by every request, each waiting its whole time for a
//! connection; and when the server is back, those who come to their turn have no time left to connect, so that
//! a busy pool never finds back. While the gate is closed requests fail at once, and the probe alone connects.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sea_orm::sqlx;
use sea_orm::{DbErr, RuntimeErr};
use tokio::sync::watch;

/// The time between two probes.
const PAUSE: Duration = Duration::from_millis(500);

/// Connects to the server and asks it something; says why that failed.
pub(crate) type Probe =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// Lets statements through as long as the server is there. Clones are one gate.
#[derive(Clone)]
pub(crate) struct Gate {
    probe: Probe,
    /// Why nothing is let through.
    away: watch::Sender<Option<String>>,
    probing: Arc<AtomicBool>,
}

impl Gate {
    /// A gate that is open.
    pub(crate) fn new(probe: Probe) -> Self {
        Self { probe, away: watch::Sender::new(None), probing: Arc::default() }
    }

    /// Whether a statement may go through.
    pub(crate) fn pass(&self) -> Result<(), DbErr> {
        match &*self.away.borrow() {
            None => Ok(()),
            Some(why) => {
                Err(DbErr::Conn(RuntimeErr::Internal(format!("its server is away: {why}"))))
            }
        }
    }

    /// Takes note of how a statement ended.
    pub(crate) fn observe<T>(&self, outcome: &Result<T, DbErr>) {
        if !outcome.as_ref().err().is_some_and(is_for_want_of_a_connection)
            || self.probing.swap(true, Ordering::SeqCst)
        {
            return;
        }
        let gate = self.clone();
        tokio::spawn(async move { gate.look().await });
    }

    /// Probes until the server is there.
    async fn look(self) {
        let mut closed: Option<Instant> = None;
        while let Err(why) = (self.probe)().await {
            if closed.is_none() {
                closed = Some(Instant::now());
                tracing::error!(
                    why,
                    "the database's server is away; what needs it is refused until it is back"
                );
            }
            self.away.send_replace(Some(why));
            tokio::time::sleep(PAUSE).await;
        }
        self.away.send_replace(None);
        self.probing.store(false, Ordering::SeqCst);
        if let Some(since) = closed {
            let seconds = since.elapsed().as_secs();
            tracing::info!(seconds, "the database's server is back");
        }
    }
}

/// Whether a statement failed because there is no connection, or none any more.
fn is_for_want_of_a_connection(error: &DbErr) -> bool {
    let cause = match error {
        DbErr::ConnectionAcquire(_) => return true,
        DbErr::Conn(RuntimeErr::Internal(_)) => return true,
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => cause,
        _ => return false,
    };
    match &**cause {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed => true,
        // Connection exceptions; the server ends, crashed, or begins.
        sqlx::Error::Database(said) => said.code().is_some_and(|code| {
            code.starts_with("08") || ["57P01", "57P02", "57P03"].contains(&&*code)
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    /// A server that is back at the third probe.
    #[tokio::test]
    async fn nothing_goes_through_until_the_server_is_back() {
        let probes = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&probes);
        let gate = Gate::new(Arc::new(move || {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move { if number < 2 { Err("refused".to_owned()) } else { Ok(()) } })
        }));
        let mut away = gate.away.subscribe();
        gate.observe(&Err::<(), _>(DbErr::RecordNotFound("a row".to_owned())));
        gate.observe(&Ok(()));
        gate.pass().unwrap();
        assert_eq!(probes.load(Ordering::SeqCst), 0, "an answer is an answer");

        let lost = || {
            Err::<(), _>(DbErr::Conn(RuntimeErr::SqlxError(Arc::new(sqlx::Error::PoolTimedOut))))
        };
        gate.observe(&lost());
        gate.observe(&lost());
        away.wait_for(Option::is_some).await.unwrap();
        assert!(gate.pass().unwrap_err().to_string().contains("refused"));
        away.wait_for(Option::is_none).await.unwrap();
        gate.pass().unwrap();
        assert_eq!(probes.load(Ordering::SeqCst), 3, "one probe at a time");
    }
}
