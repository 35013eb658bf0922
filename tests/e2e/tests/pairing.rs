//! Pairing by code and by QR, asked for over the API and the command line, with the real program.

use api::client::ClientError;
use api::link::PairingStep;
use api::session::SessionState;
use api::tenant::{CreateTenant, TenantStatus};
use api::worker::{LifecycleAction, WorkerStatus};
use e2e::{Installation, eventually};
use futures::StreamExt;
use whatsim::Fault;

const PHONE: &str = "+254700000042";
const DIGITS: &str = "254700000042";

fn code_of(error: &ClientError) -> (Option<u16>, Option<&str>) {
    (error.status(), error.code())
}

/// The simulated network answers while the command line is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_is_linked_by_a_code_and_everything_shows_it() {
    let stage = Installation::start().await;
    stage.sim.add_account(DIGITS).unwrap();
    let tenant = stage.tenant("Duka", PHONE).await;
    let client = stage.client();
    let refused = client.pairing_code(&tenant.slug, None).await.unwrap_err();
    assert_eq!(code_of(&refused), (Some(409), Some("worker_not_running")));
    stage.act(&tenant, LifecycleAction::Start).await;
    let mut changes = client.follow_session(&tenant.slug).await.unwrap();

    let wrong = stage.cli(&["pair", &tenant.slug, "--phone", "0700"]);
    assert!(wrong.code != 0 && wrong.stderr.contains("country code"), "{}", wrong.stderr);
    let run = stage.cli(&["pair", &tenant.slug]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let shown = run.stdout.trim().to_owned();
    assert_eq!(shown.len(), 9, "{shown}");
    let code = client.pairing_code(&tenant.slug, None).await.unwrap();
    assert_eq!(code.code, shown.replace('-', ""), "a code that is good is not replaced");
    assert_eq!(code.phone.as_str(), PHONE);
    let status = client.status(&tenant.slug).await.unwrap();
    assert_eq!(status.session.pairing_code, Some(code.clone()));
    assert!(stage.cli(&["status", &tenant.slug]).stdout.contains(&shown));
    let pushed = async {
        loop {
            let event = changes.next().await.unwrap();
            if event.session.pairing_code.as_ref() == Some(&code) {
                return event;
            }
        }
    };
    let pushed = tokio::time::timeout(std::time::Duration::from_secs(20), pushed).await.unwrap();
    assert_eq!(pushed.qr.code, None);

    let session = client.cancel_pairing(&tenant.slug).await.unwrap();
    assert_eq!((session.state, session.pairing_code), (SessionState::Disconnected, None));
    assert_eq!(session.pairing, Some(PairingStep::Cancelled));
    let run = stage.cli(&["qr", &tenant.slug]);
    assert!(run.stderr.contains("pair"), "{}", run.stderr);
    assert!(client.show_qr(&tenant.slug).await.unwrap().code.is_some());
    let code = client.pairing_code(&tenant.slug, Some(PHONE.parse().unwrap())).await.unwrap();
    stage.sim.enter_code(&code.code, DIGITS).await.unwrap();
    let linked = eventually("the session is connected", async || {
        let status = client.status(&tenant.slug).await.unwrap();
        (status.session.state == SessionState::Connected).then_some(status)
    })
    .await;
    assert_eq!((linked.session.pairing, linked.session.pairing_code), (None, None));
    let health = linked.worker.health.unwrap();
    assert!(health.pss_kb.unwrap() > 0, "{health:?}");
    let refused = client.pairing_code(&tenant.slug, None).await.unwrap_err();
    assert_eq!(code_of(&refused), (Some(409), Some("already_paired")));
}

#[tokio::test]
async fn a_refused_code_says_why() {
    let stage = Installation::start().await;
    stage.sim.add_account(DIGITS).unwrap();
    let tenant = stage.tenant("Duka", PHONE).await;
    stage.act(&tenant, LifecycleAction::Start).await;
    stage.sim.inject(DIGITS, Fault::RefusePairingCode { code: 429 }).unwrap();
    let refused = stage.client().pairing_code(&tenant.slug, None).await.unwrap_err();
    assert_eq!(code_of(&refused), (Some(502), Some("pairing_failed")));
    assert!(refused.to_string().contains("429"), "{refused}");
}

/// A ban shows as `ERROR` with its reason, and ends with an order to reconnect.
#[tokio::test]
async fn a_worker_in_trouble_is_in_error_until_it_is_out_of_it() {
    let stage = Installation::start().await;
    let tenant = stage.tenant("Duka", PHONE).await;
    stage.pair(&tenant).await;
    stage.sim.inject_until_ended(DIGITS, Fault::RefuseLogin { reason: 403 }).unwrap();
    stage.act(&tenant, LifecycleAction::Restart).await;
    let ill = stage.until(&tenant, TenantStatus::Error).await;
    assert_eq!(ill.worker.status, WorkerStatus::Error);
    assert!(ill.worker.last_error.unwrap().contains("banned or locked"));
    assert!(ill.session.paired, "the login is kept");
    stage.sim.end_faults(DIGITS).unwrap();
    let run = stage.cli(&["session", "reconnect", &tenant.slug]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let well = stage.until(&tenant, TenantStatus::Active).await;
    assert_eq!((well.worker.status, well.worker.last_error), (WorkerStatus::Running, None));
}

/// A worker that has given up would not try for hours, but hears that another session connects.
#[tokio::test]
async fn a_worker_that_gave_up_tries_again_when_another_session_connects() {
    let stage = Installation::start().await;
    let patience = [
        ("RECONNECT_INITIAL_MS", "50"),
        ("RECONNECT_MAX_MS", "100"),
        ("RECONNECT_ATTEMPTS", "2"),
        ("RECONNECT_PROBE_MS", "80000000"),
    ];
    let env = patience.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let wish = CreateTenant {
        name: "Duka".to_owned(),
        phone: Some(PHONE.to_owned()),
        env: env.into(),
        ..CreateTenant::default()
    };
    let tenant = stage.client().create_tenant(&wish).await.unwrap();
    stage.prepare(&tenant).await;
    stage.pair(&tenant).await;
    stage.sim.inject_until_ended(DIGITS, Fault::Cut).unwrap();
    let ill = stage.until(&tenant, TenantStatus::Error).await;
    assert!(ill.worker.last_error.unwrap().contains("2 attempts in a row"));
    stage.sim.end_faults(DIGITS).unwrap();
    let other = stage.tenant("Salon", "+254700000043").await;
    stage.pair(&other).await;
    stage.until(&tenant, TenantStatus::Active).await;
}
