//! Faults on command: each is met by a genuine client, and ends.

use std::time::{Duration, Instant};

use whatsim::{
    Config, Delivery, Fault, FaultKind, LinkState, Malformed, SimError, SimEvent, prepare_session,
};

use crate::bot::{ACCOUNT, ANN, EchoBot, PATIENCE, Seen, linked, network};

/// Long enough for a client on a quick machine to have done what it must not do.
const WHILE: Duration = Duration::from_millis(300);

fn is_text(wanted: &str) -> impl Fn(&Seen) -> bool + '_ {
    move |seen| matches!(seen, Seen::Text { text, .. } if text == wanted)
}

fn is_ack(wanted: &str) -> impl Fn(&Seen) -> bool + '_ {
    move |seen| matches!(seen, Seen::Ack { id, error: None } if id == wanted)
}

#[tokio::test]
async fn a_cut_may_happen_at_each_of_several_logins() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.inject_times(ACCOUNT, Fault::Cut, 2).unwrap();
    bot.diary.wait(2, |seen| *seen == Seen::Disconnected).await;
    sim.wait_online(ACCOUNT, PATIENCE).await.unwrap();
    assert_eq!(sim.faults(ACCOUNT).unwrap(), []);
    sim.send_text(ANN, ACCOUNT, "still there").unwrap();
    sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    assert_eq!(sim.account(ACCOUNT).unwrap().logins, 3);
    bot.stop().await;
}

#[tokio::test]
async fn a_deaf_network_delivers_but_hears_nothing() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.inject(ACCOUNT, Fault::Deaf).unwrap();
    let id = sim.send_text(ANN, ACCOUNT, "anyone").unwrap();
    bot.diary.wait(1, is_text("anyone")).await;
    assert!(matches!(sim.wait_for_reply(ANN, 0, WHILE).await, Err(SimError::TimedOut(_))));
    assert_eq!(sim.messages(ANN).unwrap().sent[0].delivery, Delivery::Queued);
    sim.end_fault(ACCOUNT, FaultKind::Deaf).unwrap();
    sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    sim.wait_confirmed(ANN, &id, PATIENCE).await.unwrap();
    bot.stop().await;
}

#[tokio::test]
async fn a_mute_network_hears_but_answers_nothing() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    bot.write(ANN, "first").await;
    sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    sim.inject(ACCOUNT, Fault::Mute).unwrap();
    let id = bot.write(ANN, "second").await;
    sim.wait_for_reply(ANN, 1, PATIENCE).await.unwrap();
    assert_eq!(bot.diary.count(is_ack(&id)), 0);
    sim.end_fault(ACCOUNT, FaultKind::Mute).unwrap();
    bot.diary.wait(1, is_ack(&id)).await;
    bot.stop().await;
}

#[tokio::test]
async fn a_slow_network_takes_its_time_for_each_frame() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.inject(ACCOUNT, Fault::Slow { delay_ms: 200 }).unwrap();
    let started = Instant::now();
    sim.send_text(ANN, ACCOUNT, "slowly").unwrap();
    sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(400), "one frame there, one back");
    let refused = sim.inject(ACCOUNT, Fault::Slow { delay_ms: Fault::SLOWEST_MS + 1 });
    assert!(matches!(refused, Err(SimError::InvalidFault(_))));
    sim.end_fault(ACCOUNT, FaultKind::Slow).unwrap();
    bot.stop().await;
}

#[tokio::test]
async fn messages_overtake_each_other() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.inject_times(ACCOUNT, Fault::Reorder, 1).unwrap();
    for text in ["one", "two", "three"] {
        sim.send_text(ANN, ACCOUNT, text).unwrap();
    }
    bot.diary.wait(1, is_text("three")).await;
    bot.diary.wait(1, is_text("one")).await;
    let order = bot.diary.texts();
    let place = |text| order.iter().position(|seen| seen == text).unwrap();
    assert!(place("two") < place("one"), "{order:?}");
    bot.stop().await;
}

#[tokio::test]
async fn a_message_kept_back_goes_on_when_the_fault_ends() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.inject(ACCOUNT, Fault::Reorder).unwrap();
    sim.send_text(ANN, ACCOUNT, "alone").unwrap();
    assert!(matches!(sim.wait_for_reply(ANN, 0, WHILE).await, Err(SimError::TimedOut(_))));
    sim.end_fault(ACCOUNT, FaultKind::Reorder).unwrap();
    sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    bot.stop().await;
}

#[tokio::test]
async fn a_stanza_that_comes_twice_is_one_message() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.inject_times(ACCOUNT, Fault::Duplicate, 1).unwrap();
    let id = sim.send_text(ANN, ACCOUNT, "twice").unwrap();
    sim.wait_confirmed(ANN, &id, PATIENCE).await.unwrap();
    sim.send_text(ANN, ACCOUNT, "after").unwrap();
    bot.diary.wait(1, is_text("after")).await;
    // The library recognises the ciphertext; a fresh one would come through, as
    // `Sim::redeliver` shows.
    assert_eq!(bot.diary.count(is_text("twice")), 1);
    bot.stop().await;
}

#[tokio::test]
async fn a_refused_login_has_a_reason() {
    let cases = [
        (401, Seen::LoggedOut { on_connect: true }),
        (402, Seen::Banned),
        (403, Seen::LoggedOut { on_connect: true }),
        (405, Seen::Outdated),
        (406, Seen::LoggedOut { on_connect: true }),
        (409, Seen::Refused(409)),
    ];
    let (sim, mut bot, folder) = linked(Config::default()).await;
    for (reason, expected) in cases {
        bot.stop().await;
        sim.wait_link(ACCOUNT, LinkState::Offline, PATIENCE).await.unwrap();
        sim.inject(ACCOUNT, Fault::RefuseLogin { reason }).unwrap();
        bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
        bot.diary.wait(1, |seen| *seen == expected).await;
        bot.ended().await;
        sim.end_fault(ACCOUNT, FaultKind::RefuseLogin).unwrap();
        bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
        bot.diary.connected(1).await;
    }
    bot.stop().await;
}

#[tokio::test]
async fn a_login_refused_for_the_time_being_is_tried_again() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.inject_times(ACCOUNT, Fault::RefuseLogin { reason: 503 }, 2).unwrap();
    sim.cut(ACCOUNT).unwrap();
    bot.diary.wait(2, |seen| *seen == Seen::Refused(503)).await;
    bot.diary.connected(2).await;
    assert_eq!(sim.faults(ACCOUNT).unwrap(), []);
    bot.stop().await;
}

#[tokio::test]
async fn a_lost_message_reaches_nobody() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.inject_times(ACCOUNT, Fault::LoseMessages, 1).unwrap();
    let lost = bot.write(ANN, "lost").await;
    let kept = bot.write(ANN, "kept").await;
    bot.diary.wait(1, is_ack(&kept)).await;
    assert_eq!(bot.diary.count(is_ack(&lost)), 0);
    assert_eq!(sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap().text, "kept");
    bot.stop().await;
}

#[tokio::test]
async fn a_lost_acknowledgement_leaves_the_message_delivered() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.inject_times(ACCOUNT, Fault::LoseAcks, 1).unwrap();
    let first = bot.write(ANN, "first").await;
    let second = bot.write(ANN, "second").await;
    bot.diary.wait(1, is_ack(&second)).await;
    assert_eq!(bot.diary.count(is_ack(&first)), 0);
    assert_eq!(sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap().text, "first");
    bot.stop().await;
}

#[tokio::test]
async fn a_lost_receipt_brings_the_message_again() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.inject(ACCOUNT, Fault::LoseReceipts).unwrap();
    let id = sim.send_text(ANN, ACCOUNT, "hello").unwrap();
    sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    let confirmed = sim.wait_confirmed(ANN, &id, WHILE).await;
    assert!(matches!(confirmed, Err(SimError::TimedOut(_))), "{confirmed:?}");
    assert_eq!(sim.account(ACCOUNT).unwrap().undelivered, 1);
    sim.end_fault(ACCOUNT, FaultKind::LoseReceipts).unwrap();
    sim.cut(ACCOUNT).unwrap();
    sim.wait_confirmed(ANN, &id, PATIENCE).await.unwrap();
    bot.stop().await;
}

#[tokio::test]
async fn refused_messages_carry_the_code() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    for code in [429, 463] {
        sim.inject_times(ACCOUNT, Fault::Nack { code }, 2).unwrap();
        for _ in 0..2 {
            let refused = bot.write(ANN, "refused").await;
            let error = Some(code.to_string());
            bot.diary
                .wait(1, |seen| *seen == Seen::Ack { id: refused.clone(), error: error.clone() })
                .await;
        }
        let accepted = bot.write(ANN, "accepted").await;
        bot.diary.wait(1, is_ack(&accepted)).await;
    }
    sim.wait_for_reply(ANN, 1, PATIENCE).await.unwrap();
    let texts = sim.messages(ANN).unwrap().received;
    assert!(texts.iter().all(|text| text.text == "accepted"), "{texts:?}");
    bot.stop().await;
}

#[tokio::test]
async fn stream_errors_have_a_code() {
    let (sim, bot, folder) = linked(Config::default()).await;
    sim.inject(ACCOUNT, Fault::StreamError { code: 503 }).unwrap();
    bot.diary.wait(1, |seen| *seen == Seen::Disconnected).await;
    bot.diary.connected(2).await;
    sim.inject(ACCOUNT, Fault::StreamError { code: 515 }).unwrap();
    bot.diary.connected(3).await;
    sim.inject(ACCOUNT, Fault::StreamError { code: 500 }).unwrap();
    bot.diary.wait(1, |seen| *seen == Seen::StreamError("500".to_owned())).await;
    bot.diary.connected(4).await;
    sim.inject(ACCOUNT, Fault::StreamError { code: 409 }).unwrap();
    bot.diary.wait(1, |seen| *seen == Seen::Replaced).await;
    bot.ended().await;

    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    bot.diary.connected(1).await;
    sim.inject(ACCOUNT, Fault::StreamError { code: 401 }).unwrap();
    bot.diary.wait(1, |seen| *seen == Seen::LoggedOut { on_connect: false }).await;
    bot.ended().await;
}

#[tokio::test]
async fn a_replacement_may_wait_for_the_next_login() {
    let (sim, bot, folder) = linked(Config::default()).await;
    bot.stop().await;
    sim.wait_link(ACCOUNT, LinkState::Offline, PATIENCE).await.unwrap();
    sim.inject(ACCOUNT, Fault::Replace).unwrap();
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    bot.diary.wait(1, |seen| *seen == Seen::Replaced).await;
    bot.ended().await;
}

#[tokio::test]
async fn codes_can_be_expired_while_they_are_shown() {
    let sim = network(Config::default()).await;
    let folder = tempfile::tempdir().unwrap();
    prepare_session(folder.path(), sim.server_key()).await.unwrap();
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    let code = bot.diary.qr().await;
    sim.expire_codes(true);
    assert!(matches!(sim.scan(&code, ACCOUNT).await, Err(SimError::QrExpired)));
    bot.stop().await;

    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    let code = bot.diary.qr().await;
    assert!(matches!(sim.scan(&code, ACCOUNT).await, Err(SimError::QrExpired)));
    bot.stop().await;
    sim.expire_codes(false);
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    sim.scan(&bot.diary.qr().await, ACCOUNT).await.unwrap();
    bot.diary.connected(1).await;
    bot.stop().await;
}

#[tokio::test]
async fn a_bot_survives_stanzas_that_make_no_sense() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    for (round, stanza) in Malformed::ALL.into_iter().enumerate() {
        sim.inject(ACCOUNT, Fault::Malformed { stanza }).unwrap();
        sim.send_text(ANN, ACCOUNT, &format!("after {stanza:?}")).unwrap();
        let reply = sim.wait_for_reply(ANN, round as u64, PATIENCE).await.unwrap();
        assert_eq!(reply.text, format!("echo: after {stanza:?}"));
    }
    bot.stop().await;
}

#[tokio::test]
async fn a_phone_may_ask_for_a_passkey() {
    let sim = network(Config::default()).await;
    let folder = tempfile::tempdir().unwrap();
    prepare_session(folder.path(), sim.server_key()).await.unwrap();
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    sim.inject_times(ACCOUNT, Fault::DemandPasskey, 1).unwrap();
    let asked = sim.scan(&bot.diary.qr().await, ACCOUNT).await;
    assert!(matches!(asked, Err(SimError::PasskeyNeeded)));
    bot.diary.wait(1, |seen| *seen == Seen::Passkey).await;
    assert_eq!(sim.account(ACCOUNT).unwrap().link, LinkState::Unlinked);
    bot.stop().await;
}

#[tokio::test]
async fn a_mute_network_keeps_a_login_waiting_until_it_speaks() {
    let (sim, bot, folder) = linked(Config::default()).await;
    bot.stop().await;
    sim.wait_link(ACCOUNT, LinkState::Offline, PATIENCE).await.unwrap();
    sim.inject_until_ended(ACCOUNT, Fault::Mute).unwrap();
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    sim.wait_link(ACCOUNT, LinkState::Connecting, PATIENCE).await.unwrap();
    assert!(matches!(sim.wait_online(ACCOUNT, WHILE).await, Err(SimError::TimedOut(_))));
    sim.end_faults(ACCOUNT).unwrap();
    bot.diary.connected(1).await;
    bot.stop().await;
}

#[tokio::test]
async fn a_bot_does_not_write_to_wrongly_signed_keys() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.spoil_keys(ANN, true).unwrap();
    // The library leaves the contact out and sends the copy for the own phone alone.
    let id = bot.write(ANN, "secret").await;
    bot.diary.wait(1, is_ack(&id)).await;
    assert_eq!(sim.messages(ANN).unwrap().received_total, 0);
    sim.spoil_keys(ANN, false).unwrap();
    bot.write(ANN, "sound").await;
    assert_eq!(sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap().text, "sound");
    bot.stop().await;
}

#[tokio::test]
async fn clients_without_an_answer_or_a_connection_get_their_code_later() {
    let sim = network(Config::default()).await;
    sim.ignore_unlinked(true);
    let folder = tempfile::tempdir().unwrap();
    prepare_session(folder.path(), sim.server_key()).await.unwrap();
    let mut events = sim.events();
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    assert_eq!(events.recv().await.unwrap(), SimEvent::PairingOffered);
    tokio::time::timeout(WHILE, bot.diary.qr()).await.unwrap_err();
    sim.ignore_unlinked(false);
    let first = bot.diary.qr().await;
    assert_eq!(sim.cut_unlinked(), 1);
    sim.scan(&first, ACCOUNT).await.unwrap_err();
    let second = bot.diary.wait(2, |seen| matches!(seen, Seen::Qr(_))).await;
    let Seen::Qr(second) = second else { panic!("{second:?}") };
    sim.scan(&second, ACCOUNT).await.unwrap();
    bot.diary.connected(1).await;
    bot.stop().await;
}
