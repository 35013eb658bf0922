//! One attempt: a connection from its beginning to its end.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio::time::{sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;
use whatsapp_rust::Client;

use super::observer::{News, Outcome};
use super::verdict::Verdict;
use super::{Connection, End, GOODBYE, Order, ask};
use crate::liveness::{Act, Watch};
use crate::pairing::{Effect, Ending, Input};
use crate::session::Phase;

/// How long the worker's end waits for the acknowledgement of a message that is under way.
const UNDER_WAY: Duration = Duration::from_millis(250);

/// How long telling WhatsApp of a logout may take; the keys are deleted whether it heard or not.
const LOGOUT: Duration = Duration::from_secs(5);

/// A connection while it lasts.
struct Line {
    client: Arc<Client>,
    running: AbortOnDropHandle<()>,
    watch: Watch,
    /// A ping that is out.
    ping: Option<AbortOnDropHandle<Option<Duration>>>,
    /// A request for a pairing code that is out.
    code: Option<AbortOnDropHandle<Option<Input>>>,
}

/// What can happen to a connection.
enum Happening {
    Stop,
    Order(Order),
    Ended(Result<(), JoinError>),
    News(News),
    Pong(Option<Duration>),
    Code(Option<Input>),
    Time,
}

impl Connection {
    /// Makes one connection and follows it to its end.
    pub(super) async fn attempt(&mut self) -> End {
        let unstored = |detail| {
            let verdict = Some(Verdict::Unstored(detail));
            End::Outcome(Outcome { verdict, ..Outcome::NOTHING })
        };
        if let Some(detail) = self.still_unstored() {
            return unstored(detail);
        }
        let stop = self.ends.stop.clone();
        let taken = tokio::select! {
            biased;
            // The library tries for half a minute to open a store.
            () = stop.cancelled() => return End::Stopped,
            taken = self.take_client() => taken,
        };
        let mut wired = match taken {
            Ok(wired) => wired,
            Err(detail) => return unstored(detail),
        };
        // What went wrong before is not what may go wrong now.
        self.dialing.take();
        while wired.news.try_recv().is_ok() {}
        let mut line = Line {
            client: Arc::clone(&wired.client),
            running: wired.connect(),
            watch: Watch::new(self.ends.liveness, Instant::now()),
            ping: None,
            code: None,
        };
        let end = loop {
            let wake = match line.watch.look(Instant::now(), self.ends.vitals.last_frame.at()) {
                Act::Look(at) => self.pairing.deadline().map_or(at, |deadline| deadline.min(at)),
                Act::Ping => {
                    line.ping = Some(ask::ping(&line.client, self.ends.liveness.patience));
                    continue;
                }
                Act::Dead => break End::Outcome(self.dead(wired.observer.take())),
            };
            let happening = self.happens(&mut line, &mut wired.news, wake).await;
            if let Happening::Ended(ended) = happening {
                if let Err(error) = ended {
                    tracing::error!(%error, "the WhatsApp client failed");
                }
                let outcome = wired.observer.take();
                self.wired = Some(wired);
                self.lost();
                return End::Outcome(outcome);
            }
            if matches!(happening, Happening::News(News::Unstored)) {
                break End::Outcome(wired.observer.take());
            }
            if let ControlFlow::Break(end) = self.on(happening, &mut line) {
                break end;
            }
        };
        if !matches!(end, End::Stopped) {
            // What the client says of an end that it did not choose is not news; but a worker that
            // stops still waits for acknowledgements.
            wired.observer.mute();
        }
        self.wired = Some(wired);
        self.lost();
        self.leave(&end, line).await;
        end
    }

    /// Waits for the next that happens.
    async fn happens(
        &mut self,
        line: &mut Line,
        news: &mut mpsc::Receiver<News>,
        wake: Instant,
    ) -> Happening {
        tokio::select! {
            biased;
            () = self.ends.stop.cancelled() => Happening::Stop,
            Some(order) = self.ends.orders.recv() => Happening::Order(order),
            Some(news) = news.recv() => Happening::News(news),
            ended = &mut line.running => Happening::Ended(ended),
            pong = answer(&mut line.ping) => Happening::Pong(pong),
            code = answer(&mut line.code) => Happening::Code(code),
            () = sleep_until(wake.into()) => Happening::Time,
        }
    }

    fn on(&mut self, happening: Happening, line: &mut Line) -> ControlFlow<End> {
        let now = Instant::now();
        let input = match happening {
            Happening::Stop => return ControlFlow::Break(End::Stopped),
            Happening::Order(Order::Logout) => return ControlFlow::Break(End::Logout),
            Happening::Order(Order::Pair { wish, request }) => {
                let effect = self.hear(wish, request);
                return self.act(effect, line);
            }
            Happening::Pong(Some(took)) => {
                line.ping = None;
                line.watch.proven(now);
                self.ends.vitals.ping(took);
                None
            }
            Happening::Pong(None) => {
                line.ping = None;
                None
            }
            Happening::Code(input) => {
                line.code = None;
                input
            }
            Happening::News(news) => {
                if matches!(news, News::Connected | News::Qr(_)) {
                    line.watch.proven(now);
                }
                match news {
                    News::Qr(code) => Some(Input::Qr(code)),
                    News::CodeVoid => Some(Input::Void),
                    News::Passkey => Some(Input::Passkey),
                    News::Linked => Some(Input::Linked),
                    News::Connected | News::Unstored => None,
                }
            }
            Happening::Time => Some(Input::Time),
            // There is a connection, or one is being made.
            Happening::Order(Order::Reconnect(_)) | Happening::Ended(_) => None,
        };
        match input {
            Some(input) => {
                let effect = self.pairing.take(input, now);
                self.act(effect, line)
            }
            None => ControlFlow::Continue(()),
        }
    }

    /// Does what the pairing asks for.
    fn act(&mut self, effect: Effect, line: &mut Line) -> ControlFlow<End> {
        let session = &self.ends.session;
        let mut flow = ControlFlow::Continue(());
        match effect {
            Effect::Nothing => {}
            Effect::ShowQr(code) => {
                tracing::info!(expires_at = %code.expires_at, "a QR code waits to be scanned");
                session.enter(Phase::Scan(code));
            }
            Effect::ShowCode(code) => {
                tracing::info!(expires_at = %code.expires_at, "a pairing code waits to be typed");
                session.enter(Phase::TypeCode(code));
            }
            Effect::Ask(phone) => {
                session.enter(Phase::Connecting { earlier: None });
                line.code = Some(ask::code(&line.client, phone));
            }
            Effect::Connect => {
                session.enter(Phase::Connecting { earlier: None });
                flow = ControlFlow::Break(End::Anew);
            }
            Effect::HangUp => {
                if let Some(ending) = self.pairing.ending() {
                    let detail = ending.detail();
                    tracing::warn!(detail, "the pairing has ended");
                    self.note(name(ending), &detail);
                    session.enter(Phase::Unpaired { detail });
                }
                flow = ControlFlow::Break(End::Unpaired);
            }
        }
        // Last: whoever waits for the step then finds what belongs to it.
        session.set_pairing(self.pairing.step());
        flow
    }

    /// What is to be said of a connection that died.
    fn dead(&self, seen: Outcome) -> Outcome {
        let frame = self.ends.vitals.last_frame.at();
        let silent = frame.map(|frame| frame.elapsed()).unwrap_or_default();
        let seconds = silent.as_secs_f64();
        let verdict = if seen.held.is_zero() {
            let longest = self.ends.liveness.longest().as_secs_f64();
            Verdict::Lost(format!("WhatsApp was reached, but did not go on within {longest:.0} s"))
        } else {
            Verdict::Dead(format!(
                "WhatsApp does not answer a ping; the last that came from it is {seconds:.0} s old"
            ))
        };
        // What was seen last may say more than the silence.
        let verdict = Some(verdict.over(seen.verdict));
        Outcome { verdict, held: seen.held.saturating_sub(silent), reached: seen.reached }
    }

    /// The connection has ended, and its codes with it.
    fn lost(&mut self) {
        self.pairing.take(Input::Lost, Instant::now());
        self.ends.session.set_pairing(self.pairing.step());
    }

    /// Leaves a connection that lives on.
    async fn leave(&self, end: &End, line: Line) {
        match end {
            End::Logout => {
                self.ends.session.enter(Phase::Connecting { earlier: None });
                if self.ends.session.snapshot().login.is_some() {
                    self.log_out(&line.client).await;
                }
            }
            End::Stopped => {
                // Not acknowledged in time: it is sent again, under its id, at the next start.
                let _ = timeout(UNDER_WAY, self.ends.acks.under_way()).await;
            }
            End::Outcome(_) | End::Next | End::Anew | End::Unpaired => {}
        }
        hang_up(&line.client, line.running).await;
    }

    /// Tells WhatsApp that the login ends.
    async fn log_out(&self, client: &Arc<Client>) {
        tokio::select! {
            () = self.ends.stop.cancelled() => {}
            done = timeout(LOGOUT, client.logout()) => if done.is_err() {
                tracing::warn!("WhatsApp did not confirm the logout in time");
            }
        }
    }
}

/// The event that tells of the end of a pairing.
const fn name(ending: &Ending) -> &'static str {
    match ending {
        Ending::TimedOut => "session.pairing_timed_out",
        Ending::Cancelled => "session.pairing_cancelled",
        Ending::Refused(_) => "session.pairing_refused",
        Ending::PasskeyNeeded => "session.passkey_needed",
    }
}

/// What a request came to; never, if there is none.
async fn answer<T>(request: &mut Option<AbortOnDropHandle<Option<T>>>) -> Option<T> {
    match request {
        // A request that failed in itself came to nothing.
        Some(request) => request.await.ok().flatten(),
        None => std::future::pending().await,
    }
}

/// Ends a client, unless it has ended itself (a logout does), and its connection; a connection that does not end in
/// time is cut.
async fn hang_up(client: &Arc<Client>, mut running: AbortOnDropHandle<()>) {
    let done = timeout(GOODBYE, async {
        if !client.shutdown_signal().is_fired() {
            client.disconnect().await;
        }
        // Its failure, if any, is of no interest any more.
        let _ = (&mut running).await;
    });
    if done.await.is_err() {
        tracing::warn!("the WhatsApp client did not end in time; its connection is cut");
    }
    running.abort();
}
