//! The main job, as its operator sees it.

use api::session::SessionState;
use api::tenant::TenantStatus;
use api::worker::{LifecycleAction, WorkerStatus};
use e2e::{Installation, alive, eventually};

const SALON: &str = "254700000001";
const CAFE: &str = "254700000002";
const WANJIKU: &str = "254711111111";

/// Two tenants: start → QR code → scan → active → a contact writes and is answered → restart without
/// a new QR code → stop.
#[tokio::test]
async fn two_tenants_from_qr_code_to_answers() {
    let stage = Installation::start().await;
    let salon = stage.tenant("Mama Njeri Salon", &format!("+{SALON}")).await;
    let cafe = stage.tenant("Café Ümit", &format!("+{CAFE}")).await;
    assert_eq!((salon.slug.as_str(), cafe.slug.as_str()), ("mama-njeri-salon", "cafe-umit"));
    assert_eq!(salon.status, TenantStatus::New);

    for tenant in [&salon, &cafe] {
        let active = stage.pair(tenant).await;
        assert_eq!(active.worker.status, WorkerStatus::Running);
        assert!(active.session.paired);
        assert_eq!(stage.client().qr(&tenant.slug).await.unwrap().code, None, "the code is gone");
    }

    stage.sim.add_contact("Wanjiku", WANJIKU).unwrap();
    stage.sim.send_text(WANJIKU, SALON, "Habari?").unwrap();
    assert_eq!(stage.answers(WANJIKU, 1).await, ["Karibu Mama Njeri Salon"]);

    let before = stage.pid(&salon).await;
    stage.act(&salon, LifecycleAction::Restart).await;
    let after = eventually("the session is back", async || {
        let tenant = stage.show(&salon).await;
        assert_ne!(tenant.session.state, SessionState::QrReady, "no new QR code");
        (tenant.session.state == SessionState::Connected).then_some(tenant)
    })
    .await;
    assert_ne!(after.worker.pid, Some(before));
    assert!(after.worker.generation > salon.worker.generation + 1);

    stage.sim.send_text(WANJIKU, SALON, "Bado mpo?").unwrap();
    assert_eq!(stage.answers(WANJIKU, 2).await.len(), 2);
    let messages = eventually("the message log holds both ways", async || {
        let page = stage.client().messages(&salon.slug).await.unwrap();
        (page.items.len() == 4).then_some(page.items)
    })
    .await;
    assert_eq!(messages.last().unwrap().text, "Habari?");
    assert!(stage.client().messages(&cafe.slug).await.unwrap().items.is_empty());

    let pid = stage.pid(&salon).await;
    let stopped = stage.act(&salon, LifecycleAction::Stop).await;
    assert_eq!(stopped.worker.status, WorkerStatus::Stopped);
    assert!(!alive(pid));
    assert_eq!(stage.show(&salon).await.status, TenantStatus::Paused);
    assert_eq!(stage.show(&cafe).await.status, TenantStatus::Active, "the other goes on");
}

/// A message that WhatsApp delivers twice is answered once.
#[tokio::test]
async fn a_message_delivered_twice_is_answered_once() {
    let stage = Installation::start().await;
    let salon = stage.tenant("Salon", &format!("+{SALON}")).await;
    stage.pair(&salon).await;
    stage.sim.add_contact("Wanjiku", WANJIKU).unwrap();
    let first = stage.sim.send_text(WANJIKU, SALON, "Moja").unwrap();
    stage.answers(WANJIKU, 1).await;
    stage.sim.redeliver(WANJIKU, &first).unwrap();
    // The answer to a later message proves that the bot is through with the second delivery.
    stage.sim.send_text(WANJIKU, SALON, "Mbili").unwrap();
    assert_eq!(stage.answers(WANJIKU, 2).await.len(), 2);
    let page = stage.client().messages(&salon.slug).await.unwrap();
    let moja = page.items.iter().filter(|message| message.text == "Moja").count();
    assert!(moja <= 1, "logged once");
}

/// The phone logs the bot out: said, not retried; a restart shows a new QR code.
#[tokio::test]
async fn a_logout_by_the_phone_is_reported() {
    let stage = Installation::start().await;
    let salon = stage.tenant("Salon", &format!("+{SALON}")).await;
    stage.pair(&salon).await;
    stage.sim.logout(SALON).unwrap();
    eventually("the logout is seen", async || {
        let tenant = stage.show(&salon).await;
        (tenant.session.state == SessionState::LoggedOut).then_some(())
    })
    .await;
    assert_eq!(stage.show(&salon).await.status, TenantStatus::QrPending);
    let events = stage.client().events(&salon.slug, 0).await.unwrap();
    assert!(events.items.iter().any(|event| event.kind == "session.logged_out"), "{events:?}");
}

/// Another client takes the session over: the worker ends, says why, and does not fight for it.
#[tokio::test]
async fn a_replaced_worker_does_not_fight() {
    let stage = Installation::start().await;
    let salon = stage.tenant("Salon", &format!("+{SALON}")).await;
    stage.pair(&salon).await;
    let logins = stage.sim.account(SALON).unwrap().logins;
    stage.sim.replace(SALON).unwrap();
    let tenant = stage.until(&salon, TenantStatus::Error).await;
    assert_eq!((tenant.worker.status, tenant.worker.pid), (WorkerStatus::Error, None));
    let why = tenant.worker.last_error.unwrap();
    assert!(why.contains("another WhatsApp client"), "{why}");
    // Long enough for the supervisor's first restart, and for two looks of the stale detector.
    let begun = std::time::Instant::now();
    eventually("a second is over", async || (begun.elapsed().as_secs() >= 1).then_some(())).await;
    assert_eq!(stage.sim.account(SALON).unwrap().logins, logins);
    assert_eq!(stage.show(&salon).await.worker.pid, None);
    // A person decides to take it back.
    stage.act(&salon, LifecycleAction::Start).await;
    eventually("it is connected again", async || {
        let session = stage.show(&salon).await.session;
        (session.state == SessionState::Connected).then_some(())
    })
    .await;
}

/// The connection is cut: the worker comes back by itself.
#[tokio::test]
async fn a_cut_connection_comes_back() {
    let mut stage = Installation::start().await;
    let salon = stage.tenant("Salon", &format!("+{SALON}")).await;
    let pid = stage.pair(&salon).await.worker.pid;
    stage.sim.cut(SALON).unwrap();
    stage.sim.add_contact("Wanjiku", WANJIKU).unwrap();
    stage.sim.send_text(WANJIKU, SALON, "Mko?").unwrap();
    assert_eq!(stage.answers(WANJIKU, 1).await.len(), 1);
    assert_eq!(stage.show(&salon).await.worker.pid, pid, "the same process");
    stage.kill_server();
}
