//! The times without a connection. In each of them orders are obeyed at once.

use std::time::Duration;

use api::link::{Trouble, TroubleKind};
use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep_until};

use super::verdict::Retry;
use super::{Connection, End, Order};
use crate::backoff::{Standing, Wait};
use crate::pairing::{Effect, Input, Wish};
use crate::session::Phase;

impl Connection {
    /// Waits after a failure, or gives up for long when it is one too many.
    pub(super) async fn back_off(
        &mut self,
        kind: TroubleKind,
        detail: String,
        at_least: Duration,
    ) -> End {
        let Wait { delay, failures, standing } = self.backoff.failed(rand::random());
        let delay = delay.max(at_least);
        if kind == TroubleKind::Storage {
            // Another attempt alone mends nothing: somebody has to hear of it at once.
            self.unstored = Some(detail.clone());
            return self.stay_stuck(Trouble { kind, detail }, Retry::After(delay)).await;
        }
        if standing == Standing::Within {
            tracing::warn!(detail, delay_ms = delay.as_millis(), "will connect again");
            return self.wait(detail, delay).await;
        }
        let detail = format!(
            "WhatsApp was not reached, or did not stay, in {failures} attempts in a row; check this machine's network, then reconnect the session (it is tried rarely meanwhile); last: {detail}"
        );
        if standing == Standing::Reached {
            self.note("session.unreachable", &detail);
        }
        self.stay_stuck(Trouble { kind, detail }, Retry::After(delay)).await
    }

    /// Waits for the time of the next attempt.
    pub(super) async fn wait(&mut self, detail: String, delay: Duration) -> End {
        let phase = Phase::Waiting { detail: detail.clone(), retry_at: moment(delay) };
        self.ends.session.enter(phase);
        let end = self.pause(Some(delay)).await;
        if !matches!(end, End::Stopped) {
            let earlier = matches!(end, End::Next).then_some(detail);
            self.ends.session.enter(Phase::Connecting { earlier });
        }
        end
    }

    /// Says what is the matter, and waits long, or until somebody wants something.
    pub(super) async fn stay_stuck(&mut self, trouble: Trouble, retry: Retry) -> End {
        let delay = match retry {
            Retry::Asked => None,
            Retry::Rarely => Some(self.backoff.probe(rand::random())),
            Retry::After(time) => Some(time),
        };
        tracing::error!(
            detail = trouble.detail,
            delay_ms = delay.map(|delay| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)),
            "not connected, and not soon"
        );
        let earlier = Some(trouble.detail.clone());
        self.ends.session.enter(Phase::Stuck { trouble, retry_at: delay.map(moment) });
        let end = self.pause(delay).await;
        match end {
            End::Stopped => {}
            // Still in trouble: that it is tried once more does not change that.
            End::Next => tracing::info!("trying once more"),
            _ => self.ends.session.enter(Phase::Connecting { earlier }),
        }
        end
    }

    /// Says loudly that connections die, in new processes too, and tries rarely.
    pub(super) async fn stay_deaf(&mut self, detail: String) -> End {
        let detail = format!(
            "connections to WhatsApp fall silent, in a new process too ({detail}); check this machine's network and the phone, then reconnect the session (it is tried rarely meanwhile)"
        );
        self.note("session.deaf", &detail);
        self.stay_stuck(Trouble { kind: TroubleKind::Deaf, detail }, Retry::Rarely).await
    }

    /// Waits for an operator: a login that was ended is not tried again.
    pub(super) async fn stay_logged_out(&mut self, detail: String) -> End {
        self.ends.session.set_pairing(None);
        self.ends.session.enter(Phase::LoggedOut { detail });
        let end = self.pause(None).await;
        if !matches!(end, End::Stopped) {
            self.ends.session.set_pairing(self.pairing.step());
            self.ends.session.enter(Phase::Connecting { earlier: None });
        }
        end
    }

    /// Waits for somebody who wants a code.
    pub(super) async fn stay_unpaired(&mut self, detail: String) -> End {
        self.ends.session.enter(Phase::Unpaired { detail });
        let end = self.pause(None).await;
        if matches!(end, End::Anew | End::Logout) {
            self.ends.session.enter(Phase::Connecting { earlier: None });
        }
        end
    }

    /// Waits so long, or without end, and for orders meanwhile.
    async fn pause(&mut self, delay: Option<Duration>) -> End {
        let mut until = delay.map(|delay| Instant::now() + delay);
        loop {
            let over = async {
                match until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            let order = tokio::select! {
                biased;
                () = self.ends.stop.cancelled() => return End::Stopped,
                Some(order) = self.ends.orders.recv() => order,
                () = over => return End::Next,
            };
            match order {
                Order::Logout => return End::Logout,
                Order::Reconnect(Duration::ZERO) => return self.reconnect(),
                Order::Reconnect(within) => {
                    let asked = Instant::now() + within.mul_f64(rand::random());
                    until = Some(until.map_or(asked, |until| until.min(asked)));
                }
                Order::Pair { wish, request } => {
                    let was_over = self.pairing.ending().is_some();
                    self.hear(wish, request);
                    match (self.pairing.step(), self.pairing.ending().is_some()) {
                        (None, _) => {}
                        (Some(_), true) if was_over => {}
                        (Some(_), true) => return End::Unpaired,
                        (Some(_), false) => return End::Anew,
                    }
                }
            }
        }
    }

    /// A person wants an attempt now: of a pairing that has ended too.
    fn reconnect(&mut self) -> End {
        if self.pairing.ending().is_some() {
            self.pairing.take(Input::Wish(Wish::Qr), std::time::Instant::now());
            self.ends.session.set_pairing(self.pairing.step());
        }
        End::Anew
    }

    /// Takes in what a person wants of the pairing, and says that it was heard.
    pub(super) fn hear(&mut self, wish: Wish, request: u64) -> Effect {
        tracing::info!(?wish, "told what to do about the pairing");
        let effect = self.pairing.take(Input::Wish(wish), std::time::Instant::now());
        self.ends.session.heard_wish(request, self.pairing.step());
        effect
    }
}

fn moment(delay: Duration) -> DateTime<Utc> {
    Utc::now() + chrono::Duration::from_std(delay).unwrap_or_default()
}
