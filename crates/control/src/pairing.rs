//! What operators ask of a session's pairing: a command to the worker, and the wait for its effect.
//!
//! Each command carries a number that comes back with the heartbeats, so that the state before is
//! never taken for the answer.

use std::time::Duration;

use api::Phone;
use api::link::{Command, PairingCode, PairingStep, SessionReport};
use api::session::SessionState;
use chrono::Utc;
use tokio::time::{Instant, sleep, timeout_at};

use crate::fleet::{Member, Snapshot};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

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
    plane: &ControlPlane,
    member: &Member,
    phone: Phone,
) -> Result<PairingCode, ApiError> {
    let wanted = phone.clone();
    let command = |request| Command::PairWithCode { phone, request };
    ask(plane, member, command, |report| match report.pairing? {
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
pub async fn want(plane: &ControlPlane, member: &Member, wanted: Wanted) -> Result<(), ApiError> {
    match wanted {
        Wanted::Qr => {
            ask(
                plane,
                member,
                |request| Command::PairWithQr { request },
                |report| report.qr.as_ref().map(|_| Ok(())),
            )
            .await
        }
        Wanted::Nothing => {
            ask(
                plane,
                member,
                |request| Command::CancelPairing { request },
                |report| (report.state != SessionState::QrReady).then_some(Ok(())),
            )
            .await
        }
    }
}

/// Tells a worker something of which no answer is awaited.
///
/// # Errors
/// [`Kind::WorkerNotRunning`].
pub async fn tell(plane: &ControlPlane, member: &Member, command: Command) -> Result<(), ApiError> {
    let deadline = Instant::now() + plane.settings.lifecycle_wait;
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
    plane: &ControlPlane,
    member: &Member,
    command: impl FnOnce(u64) -> Command,
    came_of_it: impl Fn(&SessionReport) -> Option<Result<T, String>>,
) -> Result<T, ApiError> {
    if member.snapshot().live_link().is_some_and(|link| link.session.paired) {
        return Err(already_paired());
    }
    let mut changes = member.subscribe();
    let request = Utc::now().timestamp_micros().unsigned_abs();
    let deadline = Instant::now() + plane.settings.lifecycle_wait;
    tell(plane, member, command(request)).await?;
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
    let detail = format!(
        "worker {} does not run, or its program does not listen to the worker link; start it first",
        member.worker_name
    );
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
