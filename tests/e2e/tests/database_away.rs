//! The database is on another machine, and goes away: nobody who writes to a bot notices, and nothing is lost.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::time::{Duration, Instant};

use api::records::{Direction, MessageView, Page};
use api::session::SessionState;
use api::tenant::TenantView;
use api::worker::LifecycleAction;
use e2e::{Installation, Setup, eventually, eventually_within};
use futures::StreamExt as _;
use futures::stream;
use pgtest::Cluster;
use reqwest::StatusCode;
use serde_json::json;

/// How many tenants there are, and how long the database is away.
const WORKERS: u64 = 200;
const AWAY: Duration = Duration::from_secs(60);

/// The time in which each contact writes once.
const ROUND: Duration = Duration::from_secs(20);

/// How many tenants are made and paired at once.
const AT_ONCE: usize = 8;

/// How long until the log has everything, once the database is back.
const SETTLED: Duration = Duration::from_secs(90);

/// An answer for which the database is not needed.
const PROMPT: Duration = Duration::from_secs(2);

/// A number from the environment, for who wants more or less of it.
fn wish(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

struct Stage {
    installation: Installation,
    database: Cluster,
    http: reqwest::Client,
}

impl Stage {
    async fn start() -> Self {
        let database = Cluster::start();
        let env = [
            ("DATABASE_URL", database.url("postgres")),
            ("HEARTBEAT_INTERVAL_MS", "3000".to_owned()),
            ("STALE_CHECK_INTERVAL_MS", "1000".to_owned()),
            ("STALE_THRESHOLD_MINUTES", "1".to_owned()),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let installation = Installation::with(Setup { env }).await;
        Self { installation, database, http: reqwest::Client::new() }
    }

    /// A tenant that answers with what it was told, and its contact.
    async fn member(&self, number: u64) -> Member {
        let stage = &self.installation;
        let (phone, contact) = (format!("254710{number:06}"), format!("254790{number:06}"));
        let tenant = stage.tenant(&format!("Echo {number}"), &format!("+{phone}")).await;
        let rules = json!({"rules": [{"name": "echo", "action": {"reply": "echo {message}"}}]});
        stage.client().set_rules(&tenant.slug, &rules).await.unwrap();
        stage.sim.add_account(&phone).unwrap();
        stage.sim.add_contact("A contact", &contact).unwrap();
        let client = stage.client();
        let started = client.lifecycle(&tenant.slug, LifecycleAction::Start, Some(60.0)).await;
        assert!(started.unwrap().success);
        let qr = stage.qr(&tenant).await;
        stage.sim.scan(&qr, &phone).await.unwrap();
        eventually("the session is connected", async || {
            let session = stage.show(&tenant).await.session;
            (session.state == SessionState::Connected).then_some(())
        })
        .await;
        Member { tenant, phone, contact, written: 0 }
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        let url = format!("{}{path}", self.installation.url().unwrap());
        self.http.get(url).bearer_auth(self.installation.token()).send().await.unwrap()
    }

    /// Asks for a message to be sent.
    async fn post_message(&self, member: &Member) -> reqwest::Response {
        let tenant = &member.tenant.slug;
        let url = format!("{}/v1/tenants/{tenant}/messages", self.installation.url().unwrap());
        let message = json!({"to": format!("+{}", member.contact), "text": "from outside"});
        self.http
            .post(url)
            .bearer_auth(self.installation.token())
            .header("Idempotency-Key", "away")
            .json(&message)
            .send()
            .await
            .unwrap()
    }

    /// Contacts write one after the other, each once a round, until `end`.
    async fn talk(&self, members: &mut [Member], end: Instant) {
        let step = ROUND / u32::try_from(members.len()).unwrap();
        let mut next = Instant::now();
        for place in (0..members.len()).cycle() {
            if Instant::now() >= end {
                return;
            }
            let member = &mut members[place];
            member.written += 1;
            let text = format!("number {}", member.written);
            self.installation.sim.send_text(&member.contact, &member.phone, &text).unwrap();
            next += step;
            let pause = next.min(end);
            eventually("the next message", async || (Instant::now() >= pause).then_some(())).await;
        }
    }

    /// All messages of a tenant, oldest first.
    async fn log(&self, member: &Member) -> Vec<MessageView> {
        let mut all = Vec::new();
        let mut before = String::new();
        loop {
            let slug = &member.tenant.slug;
            let path = format!("/admin/tenants/{slug}/messages?limit=1000{before}");
            let page: Page<MessageView> = self.get(&path).await.json().await.unwrap();
            all.extend(page.items);
            match page.next {
                Some(next) => before = format!("&before={next}"),
                None => break,
            }
        }
        all.reverse();
        all
    }

    /// Each message was answered once and stands in the log once, with its answer.
    async fn nothing_is_lost_or_doubled(&self, member: &Member) {
        let wanted = |prefix: &str| -> Vec<String> {
            (1..=member.written).map(|number| format!("{prefix}number {number}")).collect()
        };
        let (asked, answered) = (wanted(""), wanted("echo "));
        let of = format!("the answers to {}", member.contact);
        let received = eventually_within(SETTLED, &of, async || {
            let received = self.installation.sim.messages(&member.contact).unwrap().received;
            let echoes: Vec<_> =
                received.into_iter().filter(|message| message.text.starts_with("echo ")).collect();
            (echoes.len() >= answered.len()).then_some(echoes)
        })
        .await;
        assert!(received.iter().all(|message| message.copies == 1), "{of}");
        let texts: Vec<_> = received.into_iter().map(|message| message.text).collect();
        assert_eq!(texts, answered, "{of}");
        eventually_within(SETTLED, "the log has everything", async || {
            let log = self.log(member).await;
            let texts = |way| {
                let of_way = log.iter().filter(move |one| one.direction == way);
                of_way.map(|one| one.text.clone()).filter(|text| text.contains("number "))
            };
            let (came, went) = (texts(Direction::In), texts(Direction::Out));
            let (came, went): (Vec<_>, Vec<_>) = (came.collect(), went.collect());
            assert!(asked.starts_with(&came) && answered.starts_with(&went), "{came:?} {went:?}");
            (came.len() == asked.len() && went.len() == answered.len()).then_some(())
        })
        .await;
    }
}

struct Member {
    tenant: TenantView,
    phone: String,
    contact: String,
    /// How many messages its contact has written.
    written: u64,
}

#[tokio::test]
async fn a_minute_without_the_database_loses_nothing() {
    let workers = wish("TENANTRY_OUTAGE_WORKERS").unwrap_or(WORKERS);
    let away = wish("TENANTRY_OUTAGE_SECONDS").map_or(AWAY, Duration::from_secs);
    let mut stage = Stage::start().await;
    let begun = Instant::now();
    let mut members: Vec<Member> = stream::iter(0..workers)
        .map(|number| stage.member(number))
        .buffered(AT_ONCE)
        .collect()
        .await;
    println!("{workers} workers paired in {:?}", begun.elapsed());
    stage.talk(&mut members, Instant::now() + Duration::from_secs(5)).await;

    stage.database.kill();
    let back = Instant::now() + away;
    stage.talk(&mut members, Instant::now() + away / 4).await;
    what_needs_the_database_says_so(&stage, &members[0]).await;
    what_is_known_is_told(&stage).await;
    stage.talk(&mut members, back).await;

    stage.database.start_again();
    let begun = Instant::now();
    eventually("the database is used again", async || {
        (stage.get("/ready").await.status() == StatusCode::OK).then_some(())
    })
    .await;
    println!("ready {:?} after the database was back", begun.elapsed());
    let sent = stage.post_message(&members[0]).await;
    assert_eq!(sent.status(), StatusCode::ACCEPTED);
    for member in &members {
        stage.nothing_is_lost_or_doubled(member).await;
    }
    println!("everything was in the log after {:?}", begun.elapsed());
    let messages: u64 = members.iter().map(|member| member.written).sum();
    println!(
        "{workers} workers, {away:?} without a database: {messages} messages, each answered and logged once"
    );
}

async fn what_needs_the_database_says_so(stage: &Stage, member: &Member) {
    let asked = Instant::now();
    let refused = stage.post_message(member).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"));
    let problem: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(problem["code"], "store_unavailable");
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    let ready = stage.get("/ready").await;
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    let ready: serde_json::Value = ready.json().await.unwrap();
    assert_ne!(ready["parts"]["store"], "ok");
    assert!(!ready.to_string().contains(pgtest::PASSWORD), "{ready}");
}

async fn what_is_known_is_told(stage: &Stage) {
    let asked = Instant::now();
    let tenants = stage.installation.client().tenants().await.unwrap();
    assert!(tenants.iter().all(|tenant| tenant.session.state == SessionState::Connected));
    assert!(asked.elapsed() < PROMPT, "{:?}", asked.elapsed());
}

/// A server that stands still, or a network that was cut: nothing says that nobody is there any more.
#[tokio::test]
async fn a_database_that_says_nothing_holds_nobody_up_for_long() {
    let stage = Stage::start().await;
    let mut members = vec![stage.member(0).await];
    stage.talk(&mut members, Instant::now() + Duration::from_secs(1)).await;
    stage.database.freeze();
    let asked = Instant::now();
    // Some wait for an answer, the later ones for a connection.
    for _ in 0..12 {
        let answers = (0..4).map(|_| stage.post_message(&members[0]));
        for refused in futures::future::join_all(answers).await {
            assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        }
        what_is_known_is_told(&stage).await;
        if asked.elapsed() > Duration::from_secs(12) {
            break;
        }
    }
    println!("refused for {:?}", asked.elapsed());
    stage.talk(&mut members, Instant::now() + Duration::from_secs(2)).await;
    stage.database.thaw();
    let thawed = Instant::now();
    eventually("the database is used again", async || {
        (stage.post_message(&members[0]).await.status() == StatusCode::ACCEPTED).then_some(())
    })
    .await;
    println!("used again after {:?}", thawed.elapsed());
    stage.nothing_is_lost_or_doubled(&members[0]).await;
    println!("everything was in the log after {:?}", thawed.elapsed());
}
