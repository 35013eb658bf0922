//! Reply rules, as an operator and a contact see them.

use std::fs;

use api::client::ClientError;
use api::rules::{RulesTest, VerdictAction};
use e2e::{Installation, Setup, eventually, kill};
use serde_json::json;

const SALON: &str = "254700000001";
const WANJIKU: &str = "254711111111";

/// A ready-made set on the command line → tried dry → used by the running bot → opt-out → away again.
#[tokio::test]
async fn rules_from_a_template_to_an_opt_out() {
    let stage = Installation::start().await;
    let salon = stage.tenant("Mama Njeri Salon", &format!("+{SALON}")).await;
    stage.pair(&salon).await;
    stage.sim.add_contact("Wanjiku", WANJIKU).unwrap();
    stage.sim.send_text(WANJIKU, SALON, "Habari").unwrap();
    assert_eq!(stage.answers(WANJIKU, 1).await, ["Karibu Mama Njeri Salon"]);

    let set = stage.cli(&["rules", "set", &salon.slug, "--template", "booking-sw"]);
    assert!(set.code == 0 && set.stdout.contains("10 rules"), "{set:?}");
    let tried = stage.cli(&["rules", "test", &salon.slug, "Bei GANI kusuka?", "--name", "Asha"]);
    assert_eq!(tried.code, 0, "{tried:?}");
    for part in ["not \"mtu\"", "rule \"bei\": keyword \"bei\" as a word", "Kusuka – 1500"] {
        assert!(tried.stdout.contains(part), "{part} is not in {tried:?}");
    }
    stage.sim.send_text(WANJIKU, SALON, "Bei gani?").unwrap();
    let answers = stage.answers(WANJIKU, 2).await;
    assert!(answers[1].contains("Kusuka – 1500"), "{answers:?}");

    // What is shown can be set again.
    let shown = stage.cli(&["rules", "show", &salon.slug]);
    let file = stage.home().join("rules.toml");
    let changed = shown.stdout.replace("Kusuka – 1500", "Kusuka – 1700");
    assert_ne!(changed, shown.stdout);
    fs::write(&file, changed).unwrap();
    assert_eq!(stage.cli(&["rules", "set", &salon.slug, file.to_str().unwrap()]).code, 0);
    stage.sim.send_text(WANJIKU, SALON, "bei").unwrap();
    assert!(stage.answers(WANJIKU, 3).await[2].contains("Kusuka – 1700"));

    stage.sim.send_text(WANJIKU, SALON, "ACHA").unwrap();
    assert!(stage.answers(WANJIKU, 4).await[3].contains("ANZA"));
    stage.sim.send_text(WANJIKU, SALON, "bei").unwrap();
    let events = eventually("the opt-out is told", async || {
        let events = stage.client().events(&salon.slug, 0).await.unwrap().items;
        events.iter().any(|event| event.kind == "contact.opted_out").then_some(events)
    })
    .await;
    assert!(events.iter().any(|event| event.kind == "rules.changed"), "{events:?}");
    stage.sim.send_text(WANJIKU, SALON, "anza").unwrap();
    assert_eq!(stage.answers(WANJIKU, 5).await.len(), 5, "nothing came in between");

    assert_eq!(stage.cli(&["rules", "clear", &salon.slug, "--yes"]).code, 0);
    stage.sim.send_text(WANJIKU, SALON, "bei").unwrap();
    assert_eq!(stage.answers(WANJIKU, 6).await[5], "Karibu Mama Njeri Salon");
    let audit = stage.client().audit().await.unwrap().items;
    for action in ["rules.set", "rules.clear"] {
        assert!(audit.iter().any(|entry| entry.action == action), "{action}: {audit:?}");
    }
}

/// Bad rules change nothing and tell every mistake; a webhook's secret is told once.
#[tokio::test]
async fn bad_rules_change_nothing_and_secrets_are_told_once() {
    let stage = Installation::start().await;
    let salon = stage.tenant("Salon", &format!("+{SALON}")).await;
    let client = stage.client();
    let before = client.rules(&salon.slug).await.unwrap();
    let bad = json!({"rules": [
        {"name": "a", "match": {"regex": ["(a"]}, "action": {"reply": "{nam}"}},
        {"name": "b", "match": {"hours": "open"}, "action": "webhook"}]});
    let refused = client.set_rules(&salon.slug, &bad).await.unwrap_err();
    let ClientError::Problem(problem) = refused else { panic!("{refused:?}") };
    assert_eq!((problem.status, problem.code.as_str()), (422, "invalid_field"));
    let fields: Vec<&str> = problem.errors.iter().map(|error| error.field.as_str()).collect();
    let expected = [
        "rules[0].match.regex[0]",
        "rules[0].action.reply",
        "rules[1].match.hours",
        "rules[1].action",
    ];
    assert_eq!(fields, expected);
    assert_eq!(client.rules(&salon.slug).await.unwrap(), before);
    let file = stage.home().join("bad.json");
    fs::write(&file, bad.to_string()).unwrap();
    let told = stage.cli(&["rules", "set", &salon.slug, file.to_str().unwrap()]);
    assert_eq!((told.code, told.stderr.lines().count()), (1, 6), "{told:?}");
    assert!(told.stderr.contains("\n  rules[1].action: rule \"b\": asks the webhook"), "{told:?}");

    // A draft is tried without being stored.
    let draft = json!({"webhook": {"url": "https://example.com/hook"},
        "rules": [{"name": "ask", "match": {"media": ["image"]}, "action": "webhook"}]});
    let test = RulesTest {
        media: Some("image".to_owned()),
        rules: Some(draft.clone()),
        ..RulesTest::default()
    };
    let verdict = client.test_rules(&salon.slug, &test).await.unwrap();
    assert_eq!((verdict.action, verdict.rule.as_deref()), (VerdictAction::Webhook, Some("ask")));
    assert_eq!(client.rules(&salon.slug).await.unwrap(), before);
    let wrong = RulesTest { media: Some("picture".to_owned()), ..test };
    assert_eq!(client.test_rules(&salon.slug, &wrong).await.unwrap_err().status(), Some(422));

    let first = client.set_rules(&salon.slug, &draft).await.unwrap();
    assert!(first.version > before.version);
    let secret = first.webhook_secret.unwrap().0;
    assert_eq!(secret.len(), 64);
    assert_eq!(client.set_rules(&salon.slug, &draft).await.unwrap().webhook_secret, None);
    let shown = serde_json::to_string(&client.rules(&salon.slug).await.unwrap()).unwrap();
    let tenant = serde_json::to_string(&stage.show(&salon).await).unwrap();
    assert!(!shown.contains(&secret) && !tenant.contains(&secret));
    let renewed = client.new_webhook_secret(&salon.slug).await.unwrap().webhook_secret.0;
    assert_ne!(renewed, secret);

    let unknown = client.rules_template("nothing").await.unwrap_err();
    assert_eq!(unknown.code(), Some("unknown_template"));
    let nobody = client.set_rules("nobody", &draft).await.unwrap_err();
    assert_eq!(nobody.code(), Some("unknown_tenant"));
}

/// `kill -9` of the worker in the middle of its work, and of the control plane: the rules are in use
/// again, a newcomer is welcomed once, and every message is answered once and in order.
#[tokio::test]
async fn killed_workers_keep_rules_and_chats() {
    let rate = ("RATE_LIMIT_MAX_PER_MINUTE".to_owned(), "600".to_owned());
    let mut stage = Installation::with(Setup { env: vec![rate] }).await;
    let salon = stage.tenant("Salon", &format!("+{SALON}")).await;
    let rules = json!({"rules": [
        {"name": "welcome", "match": {"first_contact": true}, "action": {"reply": "karibu"}},
        {"name": "echo", "action": {"reply": "{message}"}}]});
    stage.client().set_rules(&salon.slug, &rules).await.unwrap();
    let mut pid = stage.pair(&salon).await.worker.pid.unwrap();
    stage.sim.add_contact("Wanjiku", WANJIKU).unwrap();
    for round in 0..3_u64 {
        for n in 0..3 {
            stage.sim.send_text(WANJIKU, SALON, &format!("{round}.{n}")).unwrap();
        }
        // Another point of the way in each round.
        stage.answers(WANJIKU, round * 2 + 1).await;
        kill(pid);
        pid = eventually("another process", async || {
            stage.show(&salon).await.worker.pid.filter(|other| *other != pid)
        })
        .await;
    }
    stage.kill_server();
    stage.sim.send_text(WANJIKU, SALON, "last").unwrap();
    let answers = stage.answers(WANJIKU, 10).await;
    let expected = ["karibu", "0.1", "0.2", "1.0", "1.1", "1.2", "2.0", "2.1", "2.2", "last"];
    assert_eq!(answers, expected);
}
