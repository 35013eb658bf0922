//! What operators ask of a session's pairing: a command to the worker, and the wait for its effect.
//!
//! A worker that is wanted and has given up is started for it; one that is switched off stays so.
//!
//! Each command carries a number that comes back with the heartbeats, so that the state before is
//! never taken for the answer.

use std::sync::Arc;
use std::time::Duration;

use api::Phone;
use api::link::{Command, PairingCode, PairingStep, SessionReport};
use api::session::SessionState;
use api::worker::{DesiredState, HeartbeatMode};
use chrono::Utc;
use tokio::time::{Instant, sleep, timeout_at};

use crate::fleet::{Member, Snapshot};
use crate::lifecycle::{self, Roused};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};
use crate::reconcile::{has_given_up, inputs};

/// The time between two looks for a worker that listens: right after its start it does not yet.
const LISTENS: Duration = Duration::from_millis(20);

/// What is wanted besides a pairing code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// QR codes.
    Qr,
    /// No codes.
    Nothing,
}

/// Gets a pairing code for a phone.
///
/// # Errors
/// [`Kind::WorkerNotRunning`], [`Kind::AlreadyPaired`], [`Kind::PairingFailed`].
pub async fn code(
    plane: &Arc<ControlPlane>,
    member: &Arc<Member>,
    phone: Phone,
) -> Result<PairingCode, ApiError> {
    let deadline = awake(plane, member).await?;
    let wanted = phone.clone();
    let command = |request| Command::PairWithCode { phone, request };
    ask(member, deadline, command, |report| match report.pairing? {
        PairingStep::Code => {
            report.pairing_code.clone().filter(|code| code.phone == wanted).map(Ok)
        }
        PairingStep::Qr | PairingStep::CodeRequested => None,
        PairingStep::TimedOut
        | PairingStep::Cancelled
        | PairingStep::Refused
        | PairingStep::PasskeyNeeded => Some(Err(report.detail.clone().unwrap_or_default())),
    })
    .await
}

/// Has QR codes shown, or none.
///
/// # Errors
/// As [`code`].
pub async fn want(
    plane: &Arc<ControlPlane>,
    member: &Arc<Member>,
    wanted: Wanted,
) -> Result<(), ApiError> {
    match wanted {
        Wanted::Qr => {
            let deadline = awake(plane, member).await?;
            ask(
                member,
                deadline,
                |request| Command::PairWithQr { request },
                |report| report.qr.as_ref().map(|_| Ok(())),
            )
            .await
        }
        Wanted::Nothing => {
            ask(
                member,
                Instant::now() + plane.settings.lifecycle_wait,
                |request| Command::CancelPairing { request },
                |report| (report.state != SessionState::QrReady).then_some(Ok(())),
            )
            .await
        }
    }
}

/// Has a worker try to connect now.
///
/// # Errors
/// [`Kind::WorkerNotRunning`].
pub async fn reconnect(plane: &Arc<ControlPlane>, member: &Arc<Member>) -> Result<(), ApiError> {
    let deadline = awake(plane, member).await?;
    tell(member, deadline, Command::Reconnect { within_ms: 0 }).await
}

/// Has a worker that is wanted run and speak, and gives until when its answer is waited for. Who may pair
/// decides nothing about a worker that is switched off.
async fn awake(plane: &Arc<ControlPlane>, member: &Arc<Member>) -> Result<Instant, ApiError> {
    let deadline = Instant::now() + plane.settings.lifecycle_wait;
    let snapshot = member.snapshot();
    if snapshot.live_link().is_some() {
        return Ok(deadline);
    }
    let record = &snapshot.record;
    if record.worker.desired == DesiredState::Stopped
        || record.config.heartbeat == HeartbeatMode::Process
    {
        return Err(not_running(member));
    }
    let mut changes = member.subscribe();
    let generation = record.worker.generation;
    let elsewhere = lifecycle::rouse(plane, member).await? == Roused::UnderWay;
    let mut outlook = Outlook::Unclear;
    let wait = changes.wait_for(|snapshot| {
        // While somebody else starts it, its having given up is of the run before.
        let is_old = elsewhere && snapshot.record.worker.generation == generation;
        outlook = match Outlook::of(snapshot) {
            Outlook::GivenUp if is_old => Outlook::Unclear,
            outlook => outlook,
        };
        outlook != Outlook::Unclear
    });
    // Whether it came or the time is over shows in the outlook.
    let _ = timeout_at(deadline, wait).await.map(|found| found.map(drop));
    match outlook {
        Outlook::Awake => Ok(deadline),
        Outlook::SwitchedOff => Err(not_running(member)),
        Outlook::GivenUp => {
            let detail = format!(
                "worker {} could not be started; whoever runs it finds the reason in its status and its log",
                member.worker_name
            );
            Err(ApiError::new(Kind::WorkerNotRunning, detail))
        }
        Outlook::Unclear => {
            let detail = format!(
                "worker {} is being started and does not answer yet; ask again in a moment",
                member.worker_name
            );
            Err(ApiError::new(Kind::WorkerNotRunning, detail))
        }
    }
}

/// Whether a worker will speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outlook {
    /// It does.
    Awake,
    /// It is not meant to run.
    SwitchedOff,
    /// It could not be started.
    GivenUp,
    /// It is on its way.
    Unclear,
}

impl Outlook {
    fn of(snapshot: &Snapshot) -> Self {
        let (wanted, process) = inputs(snapshot);
        if snapshot.live_link().is_some() {
            Self::Awake
        } else if wanted.desired == DesiredState::Stopped {
            Self::SwitchedOff
        } else if has_given_up(wanted, process) {
            Self::GivenUp
        } else {
            Self::Unclear
        }
    }
}

/// Tells a worker something of which no answer is awaited.
async fn tell(member: &Member, deadline: Instant, command: Command) -> Result<(), ApiError> {
    if member.snapshot().live_link().is_none() {
        return Err(not_running(member));
    }
    while let Err(refused) = member.commands.send(command.clone()) {
        if Instant::now() >= deadline {
            tracing::debug!(tenant = %member.id, %refused, "nobody listens");
            return Err(not_running(member));
        }
        sleep(LISTENS).await;
    }
    Ok(())
}

/// Tells a worker something about its pairing and waits for what comes of it.
async fn ask<T>(
    member: &Member,
    deadline: Instant,
    command: impl FnOnce(u64) -> Command,
    came_of_it: impl Fn(&SessionReport) -> Option<Result<T, String>>,
) -> Result<T, ApiError> {
    if member.snapshot().live_link().is_some_and(|link| link.session.paired) {
        return Err(already_paired());
    }
    let mut changes = member.subscribe();
    let request = Utc::now().timestamp_micros().unsigned_abs();
    tell(member, deadline, command(request)).await?;
    let answer = |snapshot: &Snapshot| {
        let report = &snapshot.live_link()?.session;
        if report.pairing_request != Some(request) {
            return None;
        }
        if report.paired {
            return Some(Err(already_paired()));
        }
        let failed = |why: String| ApiError::new(Kind::PairingFailed, why);
        Some(came_of_it(report)?.map_err(failed))
    };
    let mut came = None;
    let wait = changes.wait_for(|snapshot| {
        came = answer(snapshot);
        came.is_some()
    });
    // Whether it came or the time is over shows in what came.
    let _ = timeout_at(deadline, wait).await.map(|found| found.map(drop));
    came.unwrap_or_else(|| Err(late(member)))
}

fn not_running(member: &Member) -> ApiError {
    let switched_off = member.read(|now| now.record.worker.desired == DesiredState::Stopped);
    let why = if switched_off {
        "is switched off"
    } else {
        "does not run, or its program does not listen to the worker link"
    };
    let detail =
        format!("worker {} {why}; whoever may control it must start it first", member.worker_name);
    ApiError::new(Kind::WorkerNotRunning, detail)
}

fn already_paired() -> ApiError {
    let detail = "the session has a login already; reset the session first to link another phone";
    ApiError::new(Kind::AlreadyPaired, detail)
}

fn late(member: &Member) -> ApiError {
    let snapshot = member.snapshot();
    let said = snapshot.live_link().and_then(|link| link.session.detail.clone());
    let said = said.map(|said| format!(" ({said})")).unwrap_or_default();
    let detail = format!("nothing came in time{said}; see the session's status, and ask again");
    ApiError::new(Kind::PairingFailed, detail)
}
