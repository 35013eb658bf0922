//! Messages from outside: over HTTP and from the command line, whatever is killed meanwhile.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;

use api::messages::{SendMessage, SentMessage};
use api::records::{Direction, MessageState};
use api::tenant::{TenantView, UpdateTenant};
use api::worker::LifecycleAction;
use e2e::{Installation, eventually, kill};

const SALON: &str = "254700000001";
const WANJIKU: &str = "254711111111";

/// A paired tenant that answers nothing and may send fast.
async fn salon(stage: &Installation) -> TenantView {
    let salon = stage.tenant("Salon", &format!("+{SALON}")).await;
    let change = UpdateTenant {
        greeting: Some(String::new()),
        rate_limit_max_per_minute: Some(600),
        ..UpdateTenant::default()
    };
    stage.client().update_tenant(&salon.slug, &change).await.unwrap();
    stage.pair(&salon).await;
    stage.sim.add_contact("Wanjiku", WANJIKU).unwrap();
    salon
}

fn text(text: &str) -> SendMessage {
    let (to, text) = (format!("+{WANJIKU}"), Some(text.to_owned()));
    SendMessage { to, text, ..SendMessage::default() }
}

/// Asks until it is answered, as a program does that knows its key.
async fn send(stage: &Installation, key: &str) -> SentMessage {
    let wish = text(key);
    eventually("the message is accepted", async || {
        stage.client().send_message("salon", &wish, key).await.ok()
    })
    .await
}

/// Waits until what became of a message is known.
async fn settled(stage: &Installation, message: &SentMessage) -> SentMessage {
    eventually("it is known what became of the message", async || {
        let now = stage.client().sent_message(message.id).await.ok()?;
        now.is_settled().then_some(now)
    })
    .await
}

/// Thirty messages, while the worker and the control plane are killed: each reaches the contact once.
#[tokio::test]
async fn nothing_is_lost_or_sent_twice_whatever_is_killed() {
    let mut stage = Installation::start().await;
    let salon = salon(&stage).await;
    let mut sent = BTreeMap::new();
    for n in 0..30 {
        let key = format!("message {n}");
        match n {
            5 | 15 | 25 => {
                // The one before may still wait to be started again.
                let running = async || stage.show(&salon).await.worker.pid;
                kill(eventually("the worker runs", running).await);
            }
            10 | 20 => {
                stage.kill_server();
                stage.start_server().await;
            }
            _ => {}
        }
        sent.insert(key.clone(), send(&stage, &key).await);
    }
    // Whoever lost the answer to a request asks again.
    for (key, message) in &sent {
        assert_eq!(send(&stage, key).await.id, message.id);
    }
    for message in sent.values() {
        let became = settled(&stage, message).await;
        assert!(became.state >= MessageState::Sent && became.reason.is_none(), "{became:?}");
        assert!(became.message_id.is_some() && became.sent_at.is_some(), "{became:?}");
    }
    let received = stage.sim.messages(WANJIKU).unwrap().received;
    let mut texts: Vec<String> = received.into_iter().map(|message| message.text).collect();
    texts.sort_unstable();
    // A second message would have another id, and so show as a second text.
    assert_eq!(texts, sent.into_keys().collect::<Vec<_>>());
    let log = stage.client().messages("salon").await.unwrap().items;
    assert_eq!(log.iter().filter(|message| message.direction == Direction::Out).count(), 30);
}

/// A worker that is off sends when it is back, unless it is too late.
#[tokio::test]
async fn a_message_waits_for_its_worker_until_its_deadline() {
    let mut stage = Installation::start().await;
    let salon = salon(&stage).await;
    stage.act(&salon, LifecycleAction::Stop).await;
    let waits = send(&stage, "patient").await;
    let late = SendMessage { expires_in: Some(1), ..text("too late") };
    let late = stage.client().send_message("salon", &late, "late").await.unwrap();
    let failed = settled(&stage, &late).await;
    assert_eq!((failed.state, failed.reason.as_deref()), (MessageState::Failed, Some("expired")));
    stage.kill_server();
    stage.start_server().await;
    assert_eq!(stage.client().sent_message(waits.id).await.unwrap().state, MessageState::Queued);
    stage.act(&salon, LifecycleAction::Start).await;
    assert_eq!(settled(&stage, &waits).await.reason, None);
    assert_eq!(stage.answers(WANJIKU, 1).await, ["patient"]);
    let all = stage.client().sent_messages("salon", None).await.unwrap().items;
    assert_eq!(all.iter().map(|message| message.id).collect::<Vec<_>>(), [late.id, waits.id]);
}

/// The command line, from a text to a file, and its exit code.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_sends_and_says_what_became_of_it() {
    let stage = Installation::start().await;
    salon(&stage).await;
    let to = format!("+{WANJIKU}");
    let run = stage.cli(&["send", "salon", &to, "Karibu", "--wait", "--json"]);
    assert_eq!(run.code, 0, "{run:?}");
    let sent: SentMessage = serde_json::from_str(&run.stdout).unwrap();
    assert!(sent.state >= MessageState::Sent, "{sent:?}");
    let shown = stage.cli(&["message", &sent.id.to_string()]);
    assert!(shown.stdout.contains(&format!("{WANJIKU}@s.whatsapp.net")), "{shown:?}");

    let file = stage.home().join("menu.pdf");
    std::fs::write(&file, b"%PDF a menu").unwrap();
    let path = file.display().to_string();
    let command = [
        "send",
        "salon",
        &to,
        "--media",
        &path,
        "--caption",
        "Our menu",
        "--idempotency-key",
        "m",
        "--wait",
    ];
    for _ in 0..2 {
        let run = stage.cli(&command);
        assert_eq!(run.code, 0, "{run:?}");
    }
    assert_eq!(stage.answers(WANJIKU, 2).await, ["Karibu", "Our menu"]);
    assert_eq!(stage.sim.received_media(WANJIKU, 1).unwrap(), b"%PDF a menu");

    let question = stage.sim.send_text(WANJIKU, SALON, "Open?").unwrap();
    let run = stage.cli(&["send", "salon", &to, "Until six", "--reply-to", &question, "--wait"]);
    assert_eq!(run.code, 0, "{run:?}");
    let run = stage.cli(&["send", "salon", &to, "--react", &question, "\u{1f44d}", "--wait"]);
    assert_eq!(run.code, 0, "{run:?}");
    stage.answers(WANJIKU, 4).await;
    let received = stage.sim.messages(WANJIKU).unwrap().received;
    assert_eq!(received[2].reply_to.as_deref(), Some(question.as_str()));
    assert_eq!(received[3].reacts_to.as_deref(), Some(question.as_str()));

    let run = stage.cli(&["send", "salon", "+254799999999", "hello", "--wait"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains("not_on_whatsapp"), "{run:?}");
    let run = stage.cli(&["send", "salon", "0711111111", "hello"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("leave the 0 away"), "{run:?}");
    // PM2's `send` has the same name; whoever forgot the text is told so.
    let run = stage.cli(&["send", "salon", &to]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("no text, --media or --react is given"), "{run:?}");
}
