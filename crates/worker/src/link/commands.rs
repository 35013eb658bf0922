//! Commands from the control plane, as they come.

use std::time::Duration;

use api::link::Command;
use futures::StreamExt;
use tokio::time::sleep;

use super::pace::Pace;
use super::{Link, fatal};
use crate::connection::Order;
use crate::error::WorkerError;
use crate::pairing::Wish;

/// The wait after the stream ended as it may (a control plane that restarts, a worker that lagged).
const AFTER_END: Duration = Duration::from_millis(500);

/// No reconnect is put off longer than this.
const LATEST: Duration = Duration::from_secs(3600);

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
                    while let Some(command) = commands.next().await {
                        self.obey(command).await;
                    }
                    AFTER_END.mul_f64(0.5 + rand::random::<f64>())
                }
                Err(error) => match fatal(&error) {
                    Some(fatal) => return Err(fatal),
                    None => pace.failed(&error),
                },
            };
            sleep(wait).await;
        }
    }

    async fn obey(&self, command: Command) {
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
        }
    }

    async fn order(&self, order: Order) {
        tracing::info!(?order, "told by the control plane");
        // An error means that the worker is ending.
        let _ = self.orders.send(order).await;
    }
}
