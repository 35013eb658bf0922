//! A link with which somebody without an account connects a tenant's WhatsApp, with the real program.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use api::client::{AdminClient, ClientError};
use api::session::SessionState;
use api::tenant::TenantView;
use api::worker::LifecycleAction;
use e2e::{Installation, eventually};

const PHONE: &str = "+254700000043";
const DIGITS: &str = "254700000043";

fn code_of(error: &ClientError) -> (Option<u16>, Option<&str>) {
    (error.status(), error.code())
}

/// Makes a link with the command line; gives a client that has nothing but the link.
fn with_link(stage: &Installation, tenant: &TenantView) -> AdminClient {
    let run = stage.cli(&["tenant", "link", &tenant.slug, "--minutes", "30"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let (_, token) = run.stdout.lines().next().unwrap().split_once("/connect#").unwrap();
    AdminClient::new(&stage.url().unwrap(), token).unwrap()
}

async fn until(stage: &Installation, tenant: &TenantView, state: SessionState) {
    eventually(&format!("the session is {state:?}"), async || {
        (stage.show(tenant).await.session.state == state).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_a_link_connects_the_tenant_and_connects_it_again() {
    let stage = Installation::start().await;
    stage.sim.add_account(DIGITS).unwrap();
    let tenant = stage.tenant("Duka", PHONE).await;
    let holder = with_link(&stage, &tenant);
    let refused = holder.show_qr(&tenant.slug).await.unwrap_err();
    assert_eq!(code_of(&refused), (Some(409), Some("worker_not_running")));
    assert!(refused.to_string().contains("switched off"), "{refused}");
    stage.act(&tenant, LifecycleAction::Start).await;

    let code = holder.pairing_code(&tenant.slug, None).await.unwrap();
    stage.sim.enter_code(&code.code, DIGITS).await.unwrap();
    until(&stage, &tenant, SessionState::Connected).await;
    let refused = holder.show_qr(&tenant.slug).await.unwrap_err();
    assert_eq!(code_of(&refused), (Some(409), Some("already_paired")));
    let refused = holder.reset_session(&tenant.slug).await.unwrap_err();
    assert_eq!(code_of(&refused), (Some(403), Some("forbidden")));

    // The phone ends the login: the link brings it back.
    stage.sim.logout(DIGITS).unwrap();
    until(&stage, &tenant, SessionState::LoggedOut).await;
    // With its keys a session loses its trust in the simulated network, which a real one needs no file for.
    stage.act(&tenant, LifecycleAction::Stop).await;
    stage.prepare(&tenant).await;
    stage.act(&tenant, LifecycleAction::Start).await;
    let qr = holder.show_qr(&tenant.slug).await.unwrap().code.unwrap();
    stage.sim.scan(&qr, DIGITS).await.unwrap();
    until(&stage, &tenant, SessionState::Connected).await;

    let run = stage.cli(&["tenant", "link", &tenant.slug, "--revoke"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let refused = holder.qr(&tenant.slug).await.unwrap_err();
    assert_eq!(code_of(&refused), (Some(401), Some("unauthorized")));
}
