//! Commands from the control plane, as they come.

use std::time::Duration;

use api::link::Command;
use chrono::Utc;
use futures::StreamExt;
use tokio::time::sleep;

use super::pace::Pace;
use super::{Link, fatal};
use crate::connection::Order;
use crate::error::WorkerError;
use crate::pairing::Wish;
use crate::sends;
use crate::store::StoreError;

/// The wait after the stream ended as it may (a control plane that restarts, a worker that lagged).
const AFTER_END: Duration = Duration::from_millis(500);

/// No reconnect is put off longer than this.
const LATEST: Duration = Duration::from_secs(3600);
/// The wait after the worker's database failed.
const AFTER_STORE_FAILURE: Duration = Duration::from_secs(5);

impl Link {
    /// Listens for commands, without end.
    ///
    /// # Errors
    /// [`WorkerError::Superseded`] and [`WorkerError::TokenRefused`].
    pub async fn commands(self) -> Result<(), WorkerError> {
        let mut pace = Pace::new("commands");
        loop {
            let wait = match self.client.commands().await {
                Ok(mut commands) => {
                    pace.answered();
                    // A control plane that was away knows nothing of us until the next heartbeat.
                    self.beat_now.notify_one();
                    loop {
                        let Some(command) = commands.next().await else {
                            break AFTER_END.mul_f64(0.5 + rand::random::<f64>());
                        };
                        if let Err(error) = self.obey(command).await {
                            // What was not kept is said again on the next stream.
                            tracing::error!(%error, "cannot keep a message from outside");
                            break AFTER_STORE_FAILURE;
                        }
                    }
                }
                Err(error) => match fatal(&error) {
                    Some(fatal) => return Err(fatal),
                    None => pace.failed(&error),
                },
            };
            sleep(wait).await;
        }
    }

    async fn obey(&self, command: Command) -> Result<(), StoreError> {
        match command {
            Command::Config(config) => self.apply(config),
            Command::Logout => self.order(Order::Logout).await,
            Command::PairWithCode { phone, request } => {
                self.order(Order::Pair { wish: Wish::Code(phone), request }).await;
            }
            Command::PairWithQr { request } => {
                self.order(Order::Pair { wish: Wish::Qr, request }).await;
            }
            Command::CancelPairing { request } => {
                self.order(Order::Pair { wish: Wish::Cancel, request }).await;
            }
            Command::Reconnect { within_ms } => {
                self.order(Order::Reconnect(Duration::from_millis(within_ms).min(LATEST))).await;
            }
            Command::Send(message) => {
                self.store.accept(&message, &sends::new_message_id(), Utc::now())?;
            }
        }
        Ok(())
    }

    async fn order(&self, order: Order) {
        tracing::info!(?order, "told by the control plane");
        // An error means that the worker is ending.
        let _ = self.orders.send(order).await;
    }
}
