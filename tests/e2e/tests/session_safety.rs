//! Sessions at rest: encrypted where that is wanted, and brought back when a disk spoils them.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::Path;

use api::session::SessionState;
use api::tenant::TenantView;
use api::worker::LifecycleAction;
use e2e::{Installation, Setup, eventually, kill};

const SALON: &str = "254700000001";
const WANJIKU: &str = "254711111111";

/// A word that a contact writes and nobody else.
const SECRET: &str = "Mchanganyiko";

fn session(stage: &Installation, tenant: &TenantView) -> std::path::PathBuf {
    stage.home().join("sessions").join(tenant.id.to_string())
}

/// Whether any file of the folder holds these bytes.
fn holds(folder: &Path, wanted: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        // Files come and go while the bot works.
        let bytes = fs::read(entry.unwrap().path()).unwrap_or_default();
        bytes.windows(wanted.len()).any(|window| window == wanted)
    })
}

async fn connected(stage: &Installation, tenant: &TenantView, not: Option<u32>) {
    eventually("it is connected", async || {
        let now = stage.show(tenant).await;
        let other = now.worker.pid.is_some() && now.worker.pid != not;
        (other && now.session.state == SessionState::Connected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_session_is_encrypted_at_its_next_start_and_dies_with_its_key() {
    let mut stage = Installation::start().await;
    let salon = stage.tenant("Salon", &format!("+{SALON}")).await;
    stage.pair(&salon).await;
    stage.sim.add_contact("Wanjiku", WANJIKU).unwrap();
    stage.sim.send_text(WANJIKU, SALON, SECRET).unwrap();
    assert_eq!(stage.answers(WANJIKU, 1).await.len(), 1);
    let folder = session(&stage, &salon);
    assert!(holds(&folder, SECRET.as_bytes()), "not encrypted unless it is wanted");

    stage.kill_server();
    stage.setup = Setup { env: vec![("ENCRYPT_SESSIONS".to_owned(), "true".to_owned())] };
    stage.start_server().await;
    let before = stage.pid(&salon).await;
    stage.act(&salon, LifecycleAction::Restart).await;
    connected(&stage, &salon, Some(before)).await;
    for wanted in [SECRET.as_bytes(), b"SQLite format 3", b"s.whatsapp.net"] {
        assert!(!holds(&folder, wanted), "{}", String::from_utf8_lossy(wanted));
    }

    // It is the same session as before, also after a kill, and goes on being encrypted.
    stage.sim.send_text(WANJIKU, SALON, SECRET).unwrap();
    assert_eq!(stage.answers(WANJIKU, 2).await.len(), 2);
    let pid = stage.pid(&salon).await;
    kill(pid);
    connected(&stage, &salon, Some(pid)).await;
    stage.sim.send_text(WANJIKU, SALON, SECRET).unwrap();
    assert_eq!(stage.answers(WANJIKU, 3).await.len(), 3);
    assert!(!holds(&folder, SECRET.as_bytes()));

    // Without its key it is refused and says why; with the key back it goes on.
    let key = stage.home().join("keys").join(salon.id.to_string());
    let kept = fs::read(&key).unwrap();
    stage.act(&salon, LifecycleAction::Stop).await;
    fs::remove_file(&key).unwrap();
    let _ = stage.client().lifecycle(&salon.slug, LifecycleAction::Start, None).await;
    eventually("the missing key is told", async || {
        let reason = stage.show(&salon).await.worker.last_error?;
        reason.contains("key").then_some(())
    })
    .await;
    assert!(!key.exists(), "a new key would be of no use");
    fs::write(&key, kept).unwrap();
    stage.act(&salon, LifecycleAction::Restart).await;
    connected(&stage, &salon, None).await;

    stage.client().delete_tenant(&salon.slug).await.unwrap();
    assert!(!key.exists() && !folder.exists());
}

#[tokio::test]
async fn a_login_that_a_disk_spoiled_comes_back_from_its_copy() {
    let stage = Installation::start().await;
    let salon = stage.tenant("Salon", &format!("+{SALON}")).await;
    stage.pair(&salon).await;
    stage.sim.add_contact("Wanjiku", WANJIKU).unwrap();
    let folder = session(&stage, &salon);
    eventually("a copy of the login is made", async || {
        folder.join("whatsapp.db.good").exists().then_some(())
    })
    .await;
    // Keys go on changing after the copy was made.
    stage.sim.send_text(WANJIKU, SALON, "Habari?").unwrap();
    assert_eq!(stage.answers(WANJIKU, 1).await.len(), 1);
    stage.act(&salon, LifecycleAction::Stop).await;
    let path = folder.join("whatsapp.db");
    let length = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
    fs::write(&path, vec![0xa5; length]).unwrap();

    stage.act(&salon, LifecycleAction::Start).await;
    connected(&stage, &salon, None).await;
    stage.sim.send_text(WANJIKU, SALON, "Habari tena?").unwrap();
    assert_eq!(stage.answers(WANJIKU, 2).await.len(), 2);
    eventually("it is told loudly", async || {
        let events = stage.client().events(&salon.slug, 0).await.unwrap().items;
        events.iter().any(|event| event.kind == "session.restored").then_some(())
    })
    .await;
}
