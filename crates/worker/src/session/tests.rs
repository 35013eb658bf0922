use super::*;

fn snapshot(phase: Phase) -> Snapshot {
    let login = Some("1:2@s.whatsapp.net".to_owned());
    Snapshot { phase, login, pairing: None, pairing_request: None }
}

#[test]
fn each_phase_reports_only_what_is_valid_in_it() {
    let now = Utc::now();
    let waiting =
        snapshot(Phase::Waiting { detail: "no network".to_owned(), retry_at: now }).report(Some(5));
    assert_eq!(waiting.state, SessionState::Disconnected);
    assert_eq!((waiting.retry_at, waiting.detail.as_deref()), (Some(now), Some("no network")));
    assert_eq!((waiting.qr, waiting.last_frame_age_ms), (None, Some(5)));

    let qr = QrCode { code: "x".to_owned(), expires_at: now };
    let scan = snapshot(Phase::Scan(qr.clone())).report(None);
    assert_eq!((scan.state, scan.qr), (SessionState::QrReady, Some(qr)));
    assert_eq!((scan.retry_at, scan.detail), (None, None));

    let connected = snapshot(Phase::Connected { since: Instant::now() }).report(None);
    assert_eq!(connected.state, SessionState::Connected);
    assert_eq!((connected.detail, connected.paired), (None, true));

    let trouble =
        Trouble { kind: api::link::TroubleKind::Unreachable, detail: "no route".to_owned() };
    let stuck = snapshot(Phase::Stuck { trouble: trouble.clone(), retry_at: Some(now) });
    let stuck = stuck.report(None);
    assert_eq!(stuck.state, SessionState::Disconnected);
    assert_eq!((stuck.trouble, stuck.retry_at), (Some(trouble), Some(now)));

    let out = snapshot(Phase::LoggedOut { detail: "unlinked".to_owned() }).report(None);
    assert_eq!((out.state, out.retry_at), (SessionState::LoggedOut, None));
}

#[test]
fn a_second_attempt_still_says_why_the_first_failed() {
    let phase = Phase::Connecting { earlier: Some("no route to host".to_owned()) };
    let detail = snapshot(phase).report(None).detail.unwrap();
    assert!(detail.contains("no route to host"), "{detail}");
}

#[test]
fn entering_the_same_phase_again_is_no_change() {
    let session = Session::new(None);
    let mut changes = session.subscribe();
    session.enter(Phase::Connecting { earlier: None });
    assert!(!changes.has_changed().unwrap());
    session.set_login(Some("1@s.whatsapp.net".to_owned()));
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    session.set_login(Some("1@s.whatsapp.net".to_owned()));
    assert!(!changes.has_changed().unwrap());
}

#[test]
fn the_last_frame_has_no_age_before_the_first() {
    let last = LastFrame::new();
    assert_eq!(last.age_ms(), None);
    last.mark();
    assert!(last.age_ms().unwrap() < 1000);
}
