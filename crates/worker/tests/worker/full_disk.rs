//! The disk fills while a worker runs. What a full disk refuses a limit on the size of files refuses too; it is one
//! of the process, so that the test is a process of its own: this program again.

use std::process::Command;
use std::sync::OnceLock;

use api::link::{Heartbeat, TroubleKind};
use api::pacing::Pacing;
use api::records::MessageState;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::fixture::{ACCOUNT, Fixture};

const INSIDE: &str = "WORKER_TEST_FULL_DISK";

/// Runs a test in a process of its own, to which a file that may not grow is an error and not its end.
fn alone(test: &str, body: impl Future<Output = ()>) {
    if std::env::var_os(INSIDE).is_some() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap().block_on(body);
        return;
    }
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("full_disk::{test}"), "--nocapture"]).env(INSIDE, "1");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

/// Lets no file grow, nor be written to, or all of them again.
fn fill_disk(is_full: bool) {
    static BEFORE: OnceLock<Rlimit> = OnceLock::new();
    let before = BEFORE.get_or_init(|| getrlimit(Resource::Fsize));
    let current = if is_full { Some(1) } else { before.current };
    setrlimit(Resource::Fsize, Rlimit { current, maximum: before.maximum }).unwrap();
}

#[test]
fn messages_to_a_full_disk_are_taken_and_answered_when_there_is_room() {
    alone("messages_to_a_full_disk_are_taken_and_answered_when_there_is_room", async {
        let fixture = Fixture::new().await;
        fixture.echo(2, Pacing::off());
        let running = fixture.start_paired().await;
        fixture.write("one");
        fixture.answer_after(0).await;
        let undelivered = || fixture.sim.account(ACCOUNT).unwrap().undelivered;
        fixture.plane.state(&fixture.answer_ids().remove(0), MessageState::Delivered).await;
        let taken = || (undelivered() == 0).then_some(());
        fixture.plane.until("an acknowledged message", taken).await;

        let from = fixture.plane.beats();
        fill_disk(true);
        fixture.write("two");
        let trouble = fixture.trouble_from(from).await.trouble.unwrap();
        assert_eq!(trouble.kind, TroubleKind::Storage, "{trouble:?}");
        assert!(trouble.detail.contains("make room"), "{trouble:?}");
        fixture.write("three");
        // It goes on trying, and has not told WhatsApp that it has them.
        let again = |beat: &Heartbeat| beat.session.retry_at;
        let first = fixture.plane.beat_from(from, again).await;
        let later = |beat: &Heartbeat| beat.session.retry_at.filter(|at| *at > first);
        fixture.plane.beat_from(from, later).await;
        assert_eq!((undelivered(), fixture.answers()), (2, 1));
        assert!(running.is_running());

        fill_disk(false);
        fixture.answer_after(2).await;
        assert_eq!(fixture.texts(), ["one", "two", "three"]);
        assert!(fixture.plane.note("store.failed").await.contains("make room"));
        assert_eq!((fixture.plane.messages(6).await.len(), fixture.answers()), (6, 3));
        running.stop().await;
    });
}
