//! Groups of a bot and several people.

use whatsapp_rust::Jid;
use whatsapp_rust::features::{GroupCreateOptions, GroupParticipantOptions};
use whatsapp_rust::waproto::whatsapp as wa;
use whatsim::{Addressing, Config, Delivery, Media, MediaKind, SimError};

use crate::bot::{ACCOUNT, ANN, EchoBot, PATIENCE, Seen, linked};

const BOB: &str = "4915558888";

fn is_text(wanted: &str) -> impl Fn(&Seen) -> bool + '_ {
    move |seen| matches!(seen, Seen::Text { text, .. } if text == wanted)
}

async fn write_to_group(bot: &EchoBot, group: &str, text: &str) -> String {
    let message = wa::Message { conversation: Some(text.to_owned()), ..Default::default() };
    bot.client().send_message(&Jid::group(group), message).await.unwrap().message_id
}

#[tokio::test]
async fn a_bot_answers_in_a_group_in_either_namespace() {
    for addressing in [Addressing::PhoneNumber, Addressing::Lid] {
        let (sim, bot, _folder) = linked(Config::default()).await;
        sim.add_contact("Bob", BOB).unwrap();
        let group = sim.create_group("Tennis", &[ANN, BOB, ACCOUNT], addressing).unwrap();
        for (round, text) in ["hello all", "again", "and again"].into_iter().enumerate() {
            let id = sim.send_text(ANN, &group.id, text).unwrap();
            for member in [ANN, BOB] {
                let reply = sim.wait_for_reply(member, round as u64, PATIENCE).await.unwrap();
                assert_eq!(reply.text, format!("echo: {text}"));
                assert_eq!(reply.group.as_deref(), Some(group.id.as_str()));
                assert_eq!(reply.from, ACCOUNT);
            }
            assert!(sim.wait_confirmed(ANN, &id, PATIENCE).await.unwrap() >= Delivery::Delivered);
        }
        sim.send_text(BOB, &group.id, "me too").unwrap();
        assert_eq!(sim.wait_for_reply(BOB, 3, PATIENCE).await.unwrap().text, "echo: me too");
        assert!(sim.messages(ANN).unwrap().sent.iter().all(|text| text.retries == 0));
        bot.stop().await;
    }
}

#[tokio::test]
async fn members_confirm_what_a_bot_writes_first() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.add_contact("Bob", BOB).unwrap();
    let group = sim.create_group("Tennis", &[ANN, BOB, ACCOUNT], Addressing::Lid).unwrap();
    let id = write_to_group(&bot, &group.id, "good morning").await;
    for member in [ANN, BOB] {
        let text = sim.wait_for_reply(member, 0, PATIENCE).await.unwrap();
        assert_eq!((text.text.as_str(), text.copies), ("good morning", 1));
    }
    let is_receipt =
        |seen: &Seen| matches!(seen, Seen::Receipt { ids, .. } if *ids == [id.clone()]);
    bot.diary.wait(2, is_receipt).await;
    bot.stop().await;
}

#[tokio::test]
async fn a_bot_makes_and_reads_groups() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    let client = bot.client();
    let options = GroupCreateOptions::new("Orders")
        .with_participant(GroupParticipantOptions::new(Jid::pn(ANN)));
    client.groups().create_group(options).await.unwrap();
    let made = sim.state().groups;
    assert_eq!((made[0].subject.as_str(), made[0].members.len()), ("Orders", 2));
    assert_eq!(made[0].members[0], ACCOUNT);
    let jid = Jid::group(made[0].id.as_str());
    let metadata = client.groups().get_metadata(&jid).await.unwrap();
    assert_eq!(metadata.participants.len(), 2);
    assert_eq!(client.groups().get_participating().await.unwrap().len(), 1);
    sim.send_text(ANN, &made[0].id, "hi").unwrap();
    assert_eq!(sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap().text, "echo: hi");
    client.groups().leave(&jid).await.unwrap();
    assert_eq!(sim.group(&made[0].id).unwrap().members, [ANN]);
    bot.stop().await;
}

#[tokio::test]
async fn who_comes_reads_and_who_goes_does_not() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.add_contact("Bob", BOB).unwrap();
    let group = sim.create_group("Tennis", &[ANN, ACCOUNT], Addressing::Lid).unwrap();
    let refused = sim.send_text(BOB, &group.id, "let me in");
    assert!(matches!(refused, Err(SimError::NotAMember(_))));
    sim.send_text(ANN, &group.id, "one").unwrap();
    sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    sim.add_to_group(&group.id, BOB).unwrap();
    bot.diary.wait(1, |seen| *seen == Seen::GroupChanged).await;
    sim.send_text(BOB, &group.id, "two").unwrap();
    for (member, index) in [(ANN, 1), (BOB, 0)] {
        let reply = sim.wait_for_reply(member, index, PATIENCE).await.unwrap();
        assert_eq!(reply.text, "echo: two");
    }
    sim.remove_from_group(&group.id, BOB).unwrap();
    bot.diary.wait(2, |seen| *seen == Seen::GroupChanged).await;
    sim.send_text(ANN, &group.id, "three").unwrap();
    assert_eq!(sim.wait_for_reply(ANN, 2, PATIENCE).await.unwrap().text, "echo: three");
    assert_eq!(sim.messages(BOB).unwrap().received_total, 1);
    bot.stop().await;
}

#[tokio::test]
async fn a_damaged_group_message_is_asked_for_again() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    let group = sim.create_group("Tennis", &[ANN, ACCOUNT], Addressing::Lid).unwrap();
    sim.corrupt_next(ANN).unwrap();
    let id = sim.send_text(ANN, &group.id, "damaged").unwrap();
    assert_eq!(sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap().text, "echo: damaged");
    let sent = sim.messages(ANN).unwrap().sent;
    assert!(sent.iter().any(|text| text.id == id && text.retries >= 1));
    // The key came with the second copy.
    sim.send_text(ANN, &group.id, "sound").unwrap();
    assert_eq!(sim.wait_for_reply(ANN, 1, PATIENCE).await.unwrap().text, "echo: sound");
    bot.stop().await;
}

#[tokio::test]
async fn files_and_two_bots_fit_into_a_group() {
    const SECOND: &str = "4915550002";
    let (sim, first, _folder) = linked(Config::default()).await;
    sim.add_account(SECOND).unwrap();
    let folder = tempfile::tempdir().unwrap();
    whatsim::prepare_session(folder.path(), sim.server_key()).await.unwrap();
    let second = EchoBot::start(folder.path(), &sim.ws_url()).await;
    sim.scan(&second.diary.qr().await, SECOND).await.unwrap();
    second.diary.connected(1).await;
    let group = sim.create_group("Bots", &[ANN, ACCOUNT, SECOND], Addressing::PhoneNumber).unwrap();
    sim.send_media(ANN, &group.id, &Media::new(MediaKind::Image, b"picture".to_vec())).unwrap();
    let file = Seen::File { kind: "image", bytes: Ok(b"picture".to_vec()) };
    first.diary.wait(1, |seen| *seen == file).await;
    second.diary.wait(1, |seen| *seen == file).await;
    write_to_group(&first, &group.id, "from a bot").await;
    second.diary.wait(1, is_text("from a bot")).await;
    first.diary.wait(1, is_text("echo: from a bot")).await;
    first.stop().await;
    second.stop().await;
}
