//! The promise that everything else is for: whatever is killed at whatever moment, each message of a contact is
//! in the log once and answered once, in its chat's order.
//!
//! `cargo xtask chaos --messages --minutes N` plays it for longer.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::time::{Duration, Instant, SystemTime};

use api::records::{Direction, MessageView, Page};
use api::session::SessionState;
use api::tenant::TenantView;
use e2e::{Installation, eventually, eventually_within, kill};
use serde_json::json;
use whatsim::{Media, MediaKind};

/// The tenants' numbers, each with those of the contacts who write to it.
const CHATS: [(&str, [&str; 3]); 2] = [
    ("254700000001", ["254711111111", "254711111112", "254711111113"]),
    ("254700000002", ["254722222221", "254722222222", "254722222223"]),
];

/// How long it goes on in the test suite.
const BOUNDED: Duration = Duration::from_secs(20);

/// The pause between two messages of anybody, and between two kills: at most.
const WRITE: u64 = 160;
const KILL: u64 = 3000;

/// How long the last answers may take: a worker that was killed several times waits before it is started again.
const SETTLED: Duration = Duration::from_secs(90);

/// One message in so many is a picture.
const PICTURES: u64 = 6;

/// Numbers that look random and come again with the same seed (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// A number from the environment of `cargo xtask chaos`.
fn wish(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test]
async fn every_message_is_logged_and_answered_once_whatever_is_killed() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seed = wish("TENANTRY_CHAOS_SEED").unwrap_or(now.subsec_nanos().into()).max(1);
    let length = wish("TENANTRY_CHAOS_SECONDS").map_or(BOUNDED, Duration::from_secs);
    eprintln!("seed {seed}, {length:?}");
    let mut dice = Dice(seed);
    let mut stage = Installation::start().await;
    let mut tenants = Vec::new();
    for (number, contacts) in CHATS {
        tenants.push(echo(&stage, number).await);
        for contact in contacts {
            stage.sim.add_contact("A contact", contact).unwrap();
        }
    }
    let (mut written, mut kills) = (vec![0_u64; 6], 0);
    let end = Instant::now() + length;
    let mut next_kill = Instant::now();
    while Instant::now() < end {
        let place = dice.below(6);
        let number = &mut written[usize::try_from(place).unwrap()];
        *number += 1;
        write(&stage, place, *number, dice.below(PICTURES) == 0);
        if Instant::now() >= next_kill {
            strike(&mut stage, &tenants, dice.below(4)).await;
            kills += 1;
            next_kill = Instant::now() + Duration::from_millis(dice.below(KILL));
        }
        let pause = Instant::now() + Duration::from_millis(dice.below(WRITE));
        eventually("the next message", async || (Instant::now() >= pause).then_some(())).await;
    }
    for (place, count) in written.iter().enumerate() {
        answered(&stage, place, *count).await;
    }
    logged(&stage, &tenants, &written).await;
    let messages: u64 = written.iter().sum();
    println!("{messages} messages, {kills} kills, none lost, none answered twice");
}

/// A tenant that answers with what it was told.
async fn echo(stage: &Installation, number: &str) -> TenantView {
    let tenant = stage.tenant(&format!("Echo {number}"), &format!("+{number}")).await;
    let rules = json!({"rules": [{"name": "echo", "action": {"reply": "echo {message}"}}]});
    stage.client().set_rules(&tenant.slug, &rules).await.unwrap();
    let change = serde_json::from_value(json!({"rate_limit_max_per_minute": 600})).unwrap();
    stage.client().update_tenant(&tenant.slug, &change).await.unwrap();
    stage.pair(&tenant).await
}

/// The numbers of a contact and of the tenant that it writes to.
fn chat(place: u64) -> (&'static str, &'static str) {
    let place = usize::try_from(place).unwrap();
    let (account, contacts) = CHATS[place / 3];
    (contacts[place % 3], account)
}

fn write(stage: &Installation, place: u64, number: u64, as_picture: bool) {
    let (contact, account) = chat(place);
    let text = format!("number {number}");
    if as_picture {
        let picture = Media::new(MediaKind::Image, vec![7; 900]);
        let media = Media { caption: Some(text), ..picture };
        stage.sim.send_media(contact, account, &media).unwrap();
    } else {
        stage.sim.send_text(contact, account, &text).unwrap();
    }
}

/// `kill -9` of a worker, the control plane or the supervisor, in whatever state it is.
async fn strike(stage: &mut Installation, tenants: &[TenantView], target: u64) {
    match target {
        0 | 1 => {
            let tenant = &tenants[usize::try_from(target).unwrap()];
            if let Some(pid) = stage.show(tenant).await.worker.pid {
                kill(pid);
            }
        }
        2 => {
            stage.kill_server();
            stage.start_server().await;
        }
        _ => kill(stage.supervisor_pid()),
    }
}

/// The contact has one answer to each of its messages, in their order.
async fn answered(stage: &Installation, place: usize, count: u64) {
    let (contact, _) = chat(place.try_into().unwrap());
    let expected: Vec<String> = (1..=count).map(|number| format!("echo number {number}")).collect();
    eventually_within(SETTLED, &format!("{count} answers to {contact}"), async || {
        let received = stage.sim.messages(contact).unwrap().received.len();
        (received as u64 >= count).then_some(())
    })
    .await;
    let received = stage.sim.messages(contact).unwrap().received;
    // Sent again under its id, a message is one message to its recipient.
    let texts: Vec<String> = received.into_iter().map(|message| message.text).collect();
    assert_eq!(texts, expected, "answers to {contact}");
}

/// The log has each message once, and each answer once.
async fn logged(stage: &Installation, tenants: &[TenantView], written: &[u64]) {
    for (tenant, (written, (_, contacts))) in tenants.iter().zip(written.chunks(3).zip(CHATS)) {
        let wanted: u64 = written.iter().sum();
        let log = eventually("the log has everything", async || {
            let log = log(stage, tenant).await;
            let has = |way| log.iter().filter(|one| one.direction == way).count() as u64 >= wanted;
            (has(Direction::In) && has(Direction::Out)).then_some(log)
        })
        .await;
        for (contact, count) in contacts.iter().zip(written) {
            for (way, prefix) in [(Direction::In, ""), (Direction::Out, "echo ")] {
                let of_chat = |one: &&MessageView| {
                    one.direction == way && one.chat.starts_with(&format!("{contact}@"))
                };
                let texts: Vec<&str> =
                    log.iter().filter(of_chat).map(|one| without_kind(&one.text)).collect();
                let expected: Vec<String> =
                    (1..=*count).map(|number| format!("{prefix}number {number}")).collect();
                assert_eq!(texts, expected, "the log of {contact}, {way:?}");
            }
        }
        let session = stage.show(tenant).await.session;
        assert_eq!(session.state, SessionState::Connected);
    }
}

/// The log names the kind of a message that is more than its text.
fn without_kind(text: &str) -> &str {
    text.strip_prefix("[image] ").unwrap_or(text)
}

/// All messages of a tenant, oldest first.
async fn log(stage: &Installation, tenant: &TenantView) -> Vec<MessageView> {
    let http = reqwest::Client::new();
    let url = format!("{}/admin/tenants/{}/messages", stage.url().unwrap(), tenant.slug);
    let mut all = Vec::new();
    let mut before = String::new();
    loop {
        let request = http.get(format!("{url}?limit=1000{before}")).bearer_auth(stage.token());
        let page: Page<MessageView> = request.send().await.unwrap().json().await.unwrap();
        all.extend(page.items);
        match page.next {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    all.reverse();
    all
}
