//! CPU and memory of the workers: asked for when somebody looks, else once a minute for the curves (`dashboard`).
//!
//! A runtime has to look at every process for it. So all who look share one question, and while they go on
//! looking they get the figures of the last answer at once and have the next one asked for behind their back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::worker::RuntimeKind;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::plane::ControlPlane;

/// Nobody who looks waits longer for figures than this.
const PATIENCE: Duration = Duration::from_secs(1);

/// Younger figures are not asked for anew.
const FRESH: Duration = Duration::from_secs(1);

/// Older figures are waited for: nobody has looked for a while.
const OLD: Duration = Duration::from_secs(5);

/// A question may take this part of the time: with very many workers it is asked less often.
const SHARE: u32 = 20;

/// When the figures were last asked for.
pub struct Figures {
    state: Mutex<State>,
    /// Counts the answers.
    answers: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    answered: Option<Instant>,
    /// How long the last answer took.
    took: Duration,
    asking: bool,
}

/// What to do for somebody who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Nothing.
    Use,
    /// Ask for new figures, and use the ones that are there.
    Renew,
    /// Ask for new figures and wait for them.
    Wait,
}

impl Default for Figures {
    fn default() -> Self {
        Self { state: Mutex::default(), answers: watch::Sender::new(0) }
    }
}

/// Decides by the age of the figures (`None`: there are none) and how long it took to get them.
fn look(age: Option<Duration>, took: Duration) -> Look {
    match age {
        Some(age) if age < FRESH.max(took * SHARE) => Look::Use,
        Some(age) if age < OLD.max(took * SHARE * 2) => Look::Renew,
        Some(_) | None => Look::Wait,
    }
}

/// Brings the figures of all workers up to date, as far as that makes sense. When a runtime does not
/// answer, the last figures stay.
pub async fn refresh(plane: &Arc<ControlPlane>) {
    let mut answers = plane.figures.answers.subscribe();
    if look_at(plane) == Look::Wait {
        let _ = tokio::time::timeout(PATIENCE, answers.changed()).await;
    }
}

/// The same for one who does not wait: new figures come when they come.
pub fn renew(plane: &Arc<ControlPlane>) {
    look_at(plane);
}

fn look_at(plane: &Arc<ControlPlane>) -> Look {
    let mut state = plane.figures.state.lock();
    let look = look(state.answered.map(|at| at.elapsed()), state.took);
    if look != Look::Use && !std::mem::replace(&mut state.asking, true) {
        let plane = Arc::clone(plane);
        // Not by whoever looks: that one may go before the answer comes, and others wait for it.
        tokio::spawn(async move { ask(&plane).await });
    }
    look
}

async fn ask(plane: &ControlPlane) {
    let begun = Instant::now();
    let used = plane.runtimes.used().into_iter().filter(|kind| plane.fleet.may_act(*kind));
    futures::future::join_all(used.map(|kind| refresh_of(plane, kind))).await;
    let mut state = plane.figures.state.lock();
    *state = State { answered: Some(Instant::now()), took: begun.elapsed(), asking: false };
    plane.figures.answers.send_modify(|count| *count += 1);
}

async fn refresh_of(plane: &ControlPlane, kind: RuntimeKind) {
    match tokio::time::timeout(PATIENCE, plane.runtimes.get(kind).list()).await {
        Ok(Ok(workers)) => {
            for worker in workers {
                if let Some(member) = plane.fleet.by_worker(&worker.name)
                    && member.runtime() == kind
                {
                    member.observe_usage(&worker);
                }
            }
        }
        Ok(Err(error)) => tracing::debug!(%error, "no figures of use"),
        Err(_) => tracing::debug!("the runtime takes its time; the last figures stay"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Look, look};

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn who_goes_on_looking_never_waits() {
        let quick = ms(5);
        assert_eq!(look(None, quick), Look::Wait);
        assert_eq!(look(Some(ms(999)), quick), Look::Use);
        assert_eq!(look(Some(ms(1000)), quick), Look::Renew);
        assert_eq!(look(Some(ms(4999)), quick), Look::Renew);
        assert_eq!(look(Some(ms(5000)), quick), Look::Wait);
    }

    #[test]
    fn what_takes_long_is_asked_less_often() {
        assert_eq!(look(Some(ms(5999)), ms(300)), Look::Use);
        assert_eq!(look(Some(ms(6000)), ms(300)), Look::Renew);
        assert_eq!(look(Some(ms(12_000)), ms(300)), Look::Wait);
    }
}
