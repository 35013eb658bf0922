//! Texts from contacts to a bot and back.

use std::collections::HashSet;

use whatsim::{Addressing, Config, Delivery, LinkState, prepare_session};

use crate::bot::{ACCOUNT, ANN, EchoBot, PATIENCE, Seen, linked, network};

fn is_text(wanted: &str) -> impl Fn(&Seen) -> bool + '_ {
    move |seen| matches!(seen, Seen::Text { text, .. } if text == wanted)
}

#[tokio::test]
async fn a_bot_answers_a_contact() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    let id = sim.send_text(ANN, ACCOUNT, "hello").unwrap();
    let reply = sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    assert_eq!((reply.text.as_str(), reply.from.as_str()), ("echo: hello", ACCOUNT));
    assert_eq!(reply.copies, 1);
    assert!(sim.wait_confirmed(ANN, &id, PATIENCE).await.unwrap() >= Delivery::Delivered);

    // From here on the sessions of both sides are established.
    for round in 1..5 {
        sim.send_text(ANN, ACCOUNT, &format!("round {round}")).unwrap();
        let reply = sim.wait_for_reply(ANN, round, PATIENCE).await.unwrap();
        assert_eq!(reply.text, format!("echo: round {round}"));
    }
    let said = sim.messages(ANN).unwrap();
    assert_eq!(said.received_total, 5);
    assert_eq!(said.sent.len(), 5);
    assert!(said.sent.iter().all(|text| text.retries == 0));
    bot.stop().await;
}

#[tokio::test]
async fn contacts_addressed_by_hidden_identity_are_answered() {
    for lid_migrated in [false, true] {
        let config = Config { addressing: Addressing::Lid, lid_migrated, ..Config::default() };
        let (sim, bot, _folder) = linked(config).await;
        sim.send_text(ANN, ACCOUNT, "hello").unwrap();
        let reply = sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
        assert_eq!(reply.text, "echo: hello");
        bot.stop().await;
    }
}

#[tokio::test]
async fn a_bot_can_write_first() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    bot.write(ANN, "good morning").await;
    let text = sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    assert_eq!(text.text, "good morning");
    bot.stop().await;
}

#[tokio::test]
async fn texts_sent_while_a_bot_is_off_arrive_later_and_once() {
    let (sim, bot, folder) = linked(Config::default()).await;
    bot.stop().await;
    sim.wait_link(ACCOUNT, LinkState::Offline, PATIENCE).await.unwrap();
    let sent: Vec<String> = (0..3)
        .map(|number| sim.send_text(ANN, ACCOUNT, &format!("offline {number}")).unwrap())
        .collect();
    assert_eq!(sim.account(ACCOUNT).unwrap().undelivered, 3);

    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    sim.wait_for_reply(ANN, 2, PATIENCE).await.unwrap();
    for id in &sent {
        sim.wait_confirmed(ANN, id, PATIENCE).await.unwrap();
    }
    let replies = sim.messages(ANN).unwrap().received;
    let texts: HashSet<&str> = replies.iter().map(|reply| reply.text.as_str()).collect();
    assert_eq!(replies.len(), 3);
    assert_eq!(texts.len(), 3);
    assert_eq!(sim.account(ACCOUNT).unwrap().undelivered, 0);
    bot.stop().await;
}

#[tokio::test]
async fn a_text_sent_before_the_first_login_is_held_until_there_are_keys() {
    let sim = network(Config::default()).await;
    let folder = tempfile::tempdir().unwrap();
    prepare_session(folder.path(), sim.server_key()).await.unwrap();
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    let code = bot.diary.qr().await;
    sim.scan(&code, ACCOUNT).await.unwrap();
    sim.send_text(ANN, ACCOUNT, "early").unwrap();
    let reply = sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    assert_eq!(reply.text, "echo: early");
    bot.stop().await;
}

#[tokio::test]
async fn a_repeated_message_has_the_same_id() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    let id = sim.send_text(ANN, ACCOUNT, "twice").unwrap();
    sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    sim.wait_confirmed(ANN, &id, PATIENCE).await.unwrap();
    sim.redeliver(ANN, &id).unwrap();
    // The echo bot does not look at ids, so it shows both deliveries.
    let second = bot.diary.wait(2, is_text("twice")).await;
    assert_eq!(second, Seen::Text { id, text: "twice".to_owned() });
    bot.stop().await;
}

#[tokio::test]
async fn a_damaged_message_is_asked_for_again() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.corrupt_next(ANN).unwrap();
    let id = sim.send_text(ANN, ACCOUNT, "damaged").unwrap();
    let reply = sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    assert_eq!(reply.text, "echo: damaged");
    let said = sim.messages(ANN).unwrap();
    let sent = said.sent.iter().find(|text| text.id == id).unwrap();
    assert!(sent.retries >= 1);
    bot.stop().await;
}

#[tokio::test]
async fn many_contacts_are_answered_each_in_their_chat() {
    const PEOPLE: u32 = 20;
    let (sim, bot, _folder) = linked(Config::default()).await;
    let phones: Vec<String> = (0..PEOPLE).map(|number| format!("44770090{number:04}")).collect();
    for phone in &phones {
        sim.add_contact("Somebody", phone).unwrap();
        sim.send_text(phone, ACCOUNT, phone).unwrap();
    }
    for phone in &phones {
        let reply = sim.wait_for_reply(phone, 0, PATIENCE).await.unwrap();
        assert_eq!(reply.text, format!("echo: {phone}"));
    }
    bot.stop().await;
}

#[tokio::test]
async fn a_bot_sees_what_its_owner_writes_on_the_phone() {
    for lid_migrated in [false, true] {
        let (sim, bot, _folder) = linked(Config { lid_migrated, ..Config::default() }).await;
        let id = sim.write_on_phone(ACCOUNT, ANN, "I take over").unwrap();
        let seen = bot.diary.wait(1, |seen| matches!(seen, Seen::Own { .. })).await;
        let Seen::Own { id: seen_id, chat, text } = seen else { panic!("{seen:?}") };
        assert_eq!((seen_id, text.as_str()), (id, "I take over"));
        assert_eq!(chat == ANN, !lid_migrated, "{chat}");
        assert_eq!(sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap().text, "I take over");
        bot.stop().await;
    }
}
