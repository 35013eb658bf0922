//! Rules in a running worker.

use api::link::WorkerConfig;
use serde_json::{Value, json};

use api::records::Direction;
use whatsim::Addressing;

use crate::fixture::{ACCOUNT, CONTACT, Fixture};
use crate::plane::PATIENCE;

fn config(version: u64, rules: &Value) -> WorkerConfig {
    WorkerConfig {
        version,
        greeting: "hello".to_owned(),
        rate_limit_max_per_minute: 600,
        pacing: api::pacing::Pacing::off(),
        business: "Duka".to_owned(),
        rules: Some(rules.clone()),
        ..WorkerConfig::default()
    }
}

/// Waits until the worker uses this version of its settings.
async fn in_use(fixture: &Fixture, version: u64) {
    fixture.plane.beat(|beat| (beat.config_version == version).then_some(())).await;
}

#[tokio::test]
async fn rules_are_used_without_a_restart_and_the_greeting_is_back_without_them() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    fixture.write("price?");
    assert_eq!(fixture.answer_after(0).await, "hello");
    let rules = json!({"rules": [
        {"name": "prices", "match": {"keywords": ["price"]}, "action": {"reply": "{business}: 5, {name|you}"}},
        {"name": "rest", "action": "ignore"}]});
    fixture.plane.set_config(config(2, &rules));
    in_use(&fixture, 2).await;
    fixture.write("something else");
    fixture.write("PRICE, please");
    let answer = fixture.answer_after(1).await;
    assert!(answer.starts_with("Duka: 5, "), "{answer}");
    fixture.plane.set_config(WorkerConfig { version: 3, rules: None, ..config(3, &rules) });
    in_use(&fixture, 3).await;
    fixture.write("price?");
    assert_eq!(fixture.answer_after(2).await, "hello");
    // The one that a rule ignores had no answer.
    assert_eq!(fixture.answers(), 3);
    running.stop().await;
}

#[tokio::test]
async fn a_newcomer_is_welcomed_once_whatever_crashes() {
    let fixture = Fixture::new().await;
    let rules = json!({"rules": [
        {"name": "welcome", "match": {"first_contact": true}, "action": {"reply": "welcome"}},
        {"name": "echo", "action": {"reply": "{message}"}}]});
    fixture.plane.set_config(config(2, &rules));
    let mut running = fixture.start_paired().await;
    for round in 0..4 {
        for n in 0..3 {
            fixture.write(&format!("{round}.{n}"));
        }
        fixture.answer_after(round * 2).await;
        running.crash().await;
        running = fixture.start();
    }
    fixture.answer_after(11).await;
    fixture.plane.messages(24).await;
    let mut texts: Vec<String> = Vec::new();
    for n in 0..12 {
        texts.push(fixture.answer_after(n).await);
    }
    let expected: Vec<String> = (0..4)
        .flat_map(|round| (0..3).map(move |n| format!("{round}.{n}")))
        .enumerate()
        .map(|(at, text)| if at == 0 { "welcome".to_owned() } else { text })
        .collect();
    assert_eq!(texts, expected);
    assert_eq!(fixture.answer_ids().len(), 12);
    running.stop().await;
}

#[tokio::test]
async fn who_opts_out_gets_one_confirmation_and_nothing_more_until_they_are_back() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    fixture.write("hi");
    assert_eq!(fixture.answer_after(0).await, "hello");
    fixture.write("Stop!");
    assert!(fixture.answer_after(1).await.contains("START"));
    assert!(fixture.plane.note("contact.opted_out").await.contains("more messages"));
    fixture.write("stop");
    fixture.write("hi");
    fixture.plane.messages(6).await;
    running.stop().await;
    // It survives a restart, and other rules.
    let rules = json!({"rules": [{"name": "all", "action": {"reply": "again"}}]});
    fixture.plane.set_config(config(2, &rules));
    let from = fixture.plane.beats();
    let running = fixture.start();
    fixture.connected_from(from).await;
    fixture.write("are you there?");
    fixture.write("Anza");
    assert!(fixture.answer_after(2).await.contains("ACHA"));
    fixture.write("hi");
    assert_eq!(fixture.answer_after(3).await, "again");
    assert_eq!(fixture.answers(), 4);
    running.stop().await;
}

#[tokio::test]
async fn a_chat_that_was_handed_over_is_silent_also_after_a_crash() {
    let fixture = Fixture::new().await;
    fixture.sim.add_contact("Bob", "4915558888").unwrap();
    let rules = json!({"rules": [
        {"name": "person", "match": {"keywords": ["help"]},
         "action": {"hand_over": {"minutes": 60, "reply": "one moment"}}},
        {"name": "all", "action": {"reply": "beep"}}]});
    fixture.plane.set_config(config(2, &rules));
    let running = fixture.start_paired().await;
    fixture.write("help!");
    assert_eq!(fixture.answer_after(0).await, "one moment");
    let told = fixture.plane.note("chat.handed_over").await;
    assert!(told.contains(CONTACT) && told.contains("person"), "{told}");
    fixture.write("hello?");
    fixture.plane.messages(3).await;
    running.crash().await;
    let running = fixture.start();
    fixture.write("hello??");
    // Another chat is answered.
    fixture.sim.send_text("4915558888", ACCOUNT, "hi").unwrap();
    let other = fixture.sim.wait_for_reply("4915558888", 0, PATIENCE).await.unwrap();
    assert_eq!(other.text, "beep");
    fixture.plane.messages(6).await;
    assert_eq!(fixture.answers(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_file_that_is_not_there_is_told_and_holds_nothing_up() {
    let fixture = Fixture::new().await;
    let rules = json!({"rules": [
        {"name": "menu", "match": {"keywords": ["menu"]},
         "action": {"media": {"file": "menu.pdf", "kind": "document"}}},
        {"name": "all", "action": {"reply": "beep"}}]});
    fixture.plane.set_config(config(2, &rules));
    let running = fixture.start_paired().await;
    fixture.write("menu");
    fixture.write("hi");
    assert_eq!(fixture.answer_after(0).await, "beep");
    let told = fixture.plane.note("answer.failed").await;
    assert!(told.contains("menu.pdf") && told.contains("put the file there"), "{told}");
    running.stop().await;
}

#[tokio::test]
async fn a_file_of_the_tenant_is_uploaded_and_arrives() {
    let fixture = Fixture::new().await;
    let file: Vec<u8> = (0..70_000).map(|index| u8::try_from(index % 251).unwrap()).collect();
    let folder = fixture.session().join("media");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("menu.pdf"), &file).unwrap();
    let rules = json!({"rules": [
        {"name": "menu", "match": {"keywords": ["menu"]},
         "action": {"media": {"file": "menu.pdf", "kind": "document", "caption": "As asked"}}}]});
    fixture.plane.set_config(config(2, &rules));
    let running = fixture.start_paired().await;
    fixture.write("menu");
    assert_eq!(fixture.answer_after(0).await, "As asked");
    let shown = fixture.sim.messages(CONTACT).unwrap().received[0].media.clone().unwrap();
    assert_eq!((shown.file_name.as_deref(), shown.fault), (Some("menu.pdf"), None));
    assert_eq!(fixture.sim.received_media(CONTACT, 0).unwrap(), file);
    running.stop().await;
}

#[tokio::test]
async fn a_file_whose_address_hangs_is_in_no_other_chats_way() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/menu.pdf", listener.local_addr().unwrap());
    let mut fixture = Fixture::new().await;
    fixture.set("WEBHOOK_ALLOW_PRIVATE", "true");
    fixture.sim.add_contact("Bob", "4915558888").unwrap();
    let rules = json!({"rules": [
        {"name": "menu", "match": {"keywords": ["menu"]},
         "action": {"media": {"url": url, "kind": "document"}}},
        {"name": "all", "action": {"reply": "beep"}}]});
    fixture.plane.set_config(config(2, &rules));
    let running = fixture.start_paired().await;
    fixture.write("menu");
    // Somebody listens and never answers.
    let (_held, _) = tokio::time::timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    fixture.sim.send_text("4915558888", ACCOUNT, "hi").unwrap();
    fixture.sim.wait_for_reply("4915558888", 0, PATIENCE).await.unwrap();
    assert_eq!(fixture.answers(), 0);
    assert!(running.stop().await.as_millis() < 1000);
}

#[tokio::test]
async fn rules_that_are_not_understood_are_told_and_those_before_go_on() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    let rules = json!({"rules": [{"name": "future", "action": "sing"}]});
    fixture.plane.set_config(config(2, &rules));
    let told = fixture.plane.note("rules.refused").await;
    assert!(told.contains("future") && told.contains("sing"), "{told}");
    fixture.write("hi");
    assert_eq!(fixture.answer_after(0).await, "hello");
    running.stop().await;
}

#[tokio::test]
async fn in_groups_the_bot_answers_whom_the_rules_say_and_quotes_them() {
    let fixture = Fixture::new().await;
    let group = fixture.sim.create_group("Tennis", &[CONTACT, ACCOUNT], Addressing::Lid).unwrap();
    let write = |text: &str| fixture.sim.send_text(CONTACT, &group.id, text).unwrap();
    let running = fixture.start_paired().await;
    let groups = |groups: &str| {
        json!({"groups": groups, "rules": [
            {"name": "in group", "match": {"group": true}, "action": {"reply": "in group: {message}"}},
            {"name": "alone", "action": {"reply": "alone: {message}"}}]})
    };
    fixture.plane.set_config(config(2, &groups("mentions")));
    in_use(&fixture, 2).await;
    write("anybody here?");
    let asked = write(&format!("@{ACCOUNT} price"));
    let got = fixture.sim.wait_for_reply(CONTACT, 0, PATIENCE).await.unwrap();
    assert_eq!((got.text.as_str(), got.reply_to), ("in group: price", Some(asked)));
    assert_eq!(got.group.as_ref(), Some(&group.id));
    fixture.plane.set_config(config(3, &groups("all")));
    in_use(&fixture, 3).await;
    write("anybody here?");
    assert_eq!(fixture.answer_after(1).await, "in group: anybody here?");
    fixture.plane.set_config(WorkerConfig { rules: None, ..config(4, &json!({})) });
    in_use(&fixture, 4).await;
    write("and now?");
    fixture.write("hi");
    assert_eq!(fixture.answer_after(2).await, "hello", "a greeting is not for groups");
    // What was not for the bot is not kept either.
    let logged = fixture.plane.messages(6).await;
    let came = logged.iter().filter(|(direction, _)| *direction == Direction::In).count();
    assert_eq!(came, 3, "{logged:?}");
    running.stop().await;
}
