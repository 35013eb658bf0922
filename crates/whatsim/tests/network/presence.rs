//! Typing, presence, receipts, and numbers that are not there.

use std::time::Duration;

use whatsapp_rust::Jid;
use whatsim::{Addressing, Config, LinkState, ReceiptKind, Sign, SimError, SimEvent};

use crate::bot::{ACCOUNT, ANN, EchoBot, PATIENCE, Seen, linked};

const NOBODY: &str = "4915557777";

fn is_receipt(id: &str, read: bool) -> impl Fn(&Seen) -> bool + '_ {
    move |seen| matches!(seen, Seen::Receipt { ids, read: was } if *was == read && ids == &[id])
}

#[tokio::test]
async fn it_shows_that_a_bot_types() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    let client = bot.client();
    let ann = Jid::pn(ANN);
    client.chatstate().send_composing(&ann).await.unwrap();
    let composing = sim.wait_for_sign(ACCOUNT, ANN, Sign::Composing, PATIENCE).await.unwrap();
    client.chatstate().send_paused(&ann).await.unwrap();
    let paused = sim.wait_for_sign(ACCOUNT, ANN, Sign::Paused, PATIENCE).await.unwrap();
    assert!(composing.at_ms <= paused.at_ms);
    let group = sim.create_group("Tennis", &[ANN, ACCOUNT], Addressing::Lid).unwrap();
    client.chatstate().send_recording(&Jid::group(group.id.as_str())).await.unwrap();
    sim.wait_for_sign(ACCOUNT, &group.id, Sign::Recording, PATIENCE).await.unwrap();
    assert_eq!(sim.signs(ACCOUNT).unwrap().len(), 3);
    bot.stop().await;
}

#[tokio::test]
async fn a_bot_sees_who_types_and_who_is_there() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.contact_types(ANN, ACCOUNT, Sign::Composing).unwrap();
    bot.diary.wait(1, |seen| *seen == Seen::Typing).await;
    sim.set_available(ANN, false).unwrap();
    bot.diary.wait(1, |seen| *seen == Seen::Available(false)).await;
    sim.set_available(ANN, true).unwrap();
    bot.diary.wait(1, |seen| *seen == Seen::Available(true)).await;
    let mut events = sim.events();
    bot.client().presence().set_available().await.unwrap();
    let available = SimEvent::Presence { phone: ACCOUNT.to_owned(), available: true };
    let seen = async { while events.recv().await.unwrap() != available {} };
    tokio::time::timeout(PATIENCE, seen).await.unwrap();
    assert!(sim.account(ACCOUNT).unwrap().available);
    bot.stop().await;
    sim.wait_link(ACCOUNT, LinkState::Offline, PATIENCE).await.unwrap();
    assert!(!sim.account(ACCOUNT).unwrap().available);
}

#[tokio::test]
async fn receipts_are_withheld_and_given_later() {
    let (sim, bot, folder) = linked(Config::default()).await;
    let first = bot.write(ANN, "first").await;
    bot.diary.wait(1, is_receipt(&first, false)).await;
    sim.withhold_receipts(ANN, true).unwrap();
    let second = bot.write(ANN, "second").await;
    sim.wait_for_reply(ANN, 1, PATIENCE).await.unwrap();
    bot.diary.wait(1, |seen| matches!(seen, Seen::Ack { id, .. } if *id == second)).await;
    assert_eq!(bot.diary.count(is_receipt(&second, false)), 0);
    sim.send_receipt(ANN, &second, ReceiptKind::Delivered).unwrap();
    bot.diary.wait(1, is_receipt(&second, false)).await;
    sim.send_receipt(ANN, &second, ReceiptKind::Read).unwrap();
    bot.diary.wait(1, is_receipt(&second, true)).await;
    assert!(matches!(
        sim.send_receipt(ANN, "unheard of", ReceiptKind::Read),
        Err(SimError::UnknownMessage(_))
    ));

    bot.stop().await;
    sim.wait_link(ACCOUNT, LinkState::Offline, PATIENCE).await.unwrap();
    sim.send_receipt(ANN, &first, ReceiptKind::Read).unwrap();
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    bot.diary.wait(1, is_receipt(&first, true)).await;
    bot.stop().await;
}

#[tokio::test]
async fn a_number_without_an_account_is_known_as_such() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    let found = bot.client().contacts().is_on_whatsapp(&[Jid::pn(ANN), Jid::pn(NOBODY)]).await;
    let found = found.unwrap();
    let refused = bot.write(NOBODY, "anybody").await;
    let error = Some("404".to_owned());
    bot.diary
        .wait(1, |seen| *seen == Seen::Ack { id: refused.clone(), error: error.clone() })
        .await;
    let registered = |phone: &str| found.iter().find(|user| user.jid.user == phone).unwrap();
    assert!(registered(ANN).is_registered);
    assert!(!registered(NOBODY).is_registered);
    sim.add_contact("Nobody", NOBODY).unwrap();
    let found = bot.client().contacts().is_on_whatsapp(&[Jid::pn(NOBODY)]).await.unwrap();
    assert!(found[0].is_registered);
    let waited = sim.wait_for_reply(NOBODY, 0, Duration::ZERO).await;
    assert!(matches!(waited, Err(SimError::TimedOut(_))));
    bot.stop().await;
}
