//! What to do next, from what the server says.

use api::link::PairingStep;
use api::records::StatusView;
use api::session::{QrView, SessionState};
use api::worker::{DesiredState, WorkerStatus};

use crate::text::clean;

/// The next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Draw this code.
    Draw(String),
    /// The code was scanned; by which number.
    Connected(String),
    /// Wait, and say why.
    Wait(String),
    /// No code will come, and why.
    Hopeless(String),
}

/// Decides what to do next.
pub fn decide(code: &QrView, status: &StatusView) -> Step {
    if let Some(code) = &code.code {
        return Step::Draw(code.clone());
    }
    if code.state == SessionState::Connected {
        let who = status.session.jid.as_ref();
        return Step::Connected(who.map(|jid| format!(" as {}", clean(jid))).unwrap_or_default());
    }
    let worker = &status.worker;
    let why = worker.last_error.as_deref().map(|why| format!(": {}", clean(why)));
    let why = why.unwrap_or_default();
    let name = &worker.name;
    match worker.status {
        WorkerStatus::Stopped if worker.desired == DesiredState::Stopped => {
            Step::Hopeless(format!(
                "{name} is not started; start it with `tenantry worker start {}`",
                status.tenant_id
            ))
        }
        WorkerStatus::Stopping if worker.desired == DesiredState::Stopped => {
            Step::Hopeless(format!("{name} is being stopped"))
        }
        WorkerStatus::Error => Step::Hopeless(format!(
            "{name} has failed{why}; see `tenantry logs {0}`, then `tenantry worker restart {0}`",
            status.tenant_id
        )),
        WorkerStatus::Backoff => Step::Wait(format!("{name} died and will be started again{why}")),
        WorkerStatus::Stopped | WorkerStatus::Stopping | WorkerStatus::Starting => {
            Step::Wait(format!("waiting for {name} to start…"))
        }
        WorkerStatus::Running => match code.state {
            SessionState::LoggedOut => {
                Step::Wait("the phone has logged the bot out; waiting for a new code…".to_owned())
            }
            SessionState::Disconnected if is_over(status) => Step::Hopeless(format!(
                "{}; next: tenantry pair {} --qr",
                clean(status.session.detail.as_deref().unwrap_or("no code is shown")),
                status.tenant_id
            )),
            _ if status.session.pairing_code.is_some() => Step::Hopeless(format!(
                "a pairing code is shown in place of QR codes; next: tenantry pair {} --qr",
                status.tenant_id
            )),
            SessionState::Disconnected if status.session.paired => {
                Step::Wait("a login is stored; waiting for it to connect…".to_owned())
            }
            SessionState::Disconnected | SessionState::QrReady | SessionState::Connected => {
                Step::Wait("waiting for the next code…".to_owned())
            }
        },
    }
}

/// Whether codes are shown only when somebody asks for them.
fn is_over(status: &StatusView) -> bool {
    match status.session.pairing {
        Some(
            PairingStep::TimedOut
            | PairingStep::Cancelled
            | PairingStep::Refused
            | PairingStep::PasskeyNeeded,
        ) => true,
        None | Some(PairingStep::Qr | PairingStep::CodeRequested | PairingStep::Code) => false,
    }
}

#[cfg(test)]
mod tests {
    use api::TenantId;
    use api::records::StatusView;
    use api::session::{QrView, SessionState, SessionView};
    use api::tenant::TenantStatus;
    use api::worker::{DesiredState, WorkerStatus, WorkerView};

    use super::{Step, decide};

    fn status(worker: WorkerStatus, desired: DesiredState) -> StatusView {
        StatusView {
            tenant_id: TenantId::generate(),
            name: "Acme".to_owned(),
            status: TenantStatus::New,
            worker: WorkerView {
                name: "worker-acme-1".to_owned(),
                desired,
                status: worker,
                runtime: api::worker::RuntimeKind::Local,
                generation: 1,
                pid: None,
                started_at: None,
                restarts: 0,
                cpu_percent: None,
                memory_bytes: None,
                last_seen_at: None,
                last_error: Some("exit status 1".to_owned()),
                health: None,
            },
            session: SessionView { jid: Some("2547@s".to_owned()), ..SessionView::default() },
        }
    }

    fn code(state: SessionState, code: Option<&str>) -> QrView {
        QrView { state, code: code.map(str::to_owned), expires_at: None }
    }

    #[test]
    fn a_code_is_drawn_and_a_connection_ends_the_wait() {
        let running = status(WorkerStatus::Running, DesiredState::Running);
        let next = decide(&code(SessionState::QrReady, Some("2@x")), &running);
        assert_eq!(next, Step::Draw("2@x".to_owned()));
        let next = decide(&code(SessionState::Connected, None), &running);
        assert_eq!(next, Step::Connected(" as 2547@s".to_owned()));
        // Between two codes there is none for a moment.
        assert!(matches!(decide(&code(SessionState::QrReady, None), &running), Step::Wait(_)));
    }

    #[test]
    fn a_worker_that_will_show_no_code_ends_the_wait_and_says_why() {
        let none = code(SessionState::Disconnected, None);
        let stopped = decide(&none, &status(WorkerStatus::Stopped, DesiredState::Stopped));
        assert!(matches!(stopped, Step::Hopeless(why) if why.contains("tenantry worker start")));
        let failed = decide(&none, &status(WorkerStatus::Error, DesiredState::Running));
        assert!(matches!(failed, Step::Hopeless(why) if why.contains("exit status 1")));
        let mut over = status(WorkerStatus::Running, DesiredState::Running);
        over.session.pairing = Some(api::link::PairingStep::TimedOut);
        over.session.detail = Some("pairing timed out".to_owned());
        let over = decide(&none, &over);
        assert!(
            matches!(over, Step::Hopeless(why) if why.contains("timed out; next: tenantry pair"))
        );
        let starting = decide(&none, &status(WorkerStatus::Stopped, DesiredState::Running));
        assert!(matches!(starting, Step::Wait(_)));
        let dying = decide(&none, &status(WorkerStatus::Backoff, DesiredState::Running));
        assert!(matches!(dying, Step::Wait(why) if why.contains("exit status 1")));
    }
}
