//! Messages from outside.

use api::link::{Command, OutsideContent, OutsideMedia, OutsideMessage, OutsideSource, Quoted};
use api::messages::{MediaKind, Reaction};
use api::records::{Direction, MessageState};
use axum::Router;
use axum::routing::get;
use chrono::{Duration, Utc};
use tokio::net::TcpListener;
use uuid::Uuid;
use whatsim::{Addressing, ReceivedText};

use crate::fixture::{ACCOUNT, CONTACT, Fixture};
use crate::plane::PATIENCE;

const STRANGER: &str = "4915550404";

fn message(to: &str, content: OutsideContent) -> OutsideMessage {
    OutsideMessage {
        send_id: Uuid::now_v7(),
        to: format!("{to}@s.whatsapp.net"),
        content,
        reply_to: None,
        expires_at: Utc::now() + Duration::hours(1),
    }
}

fn text(to: &str, text: &str) -> OutsideMessage {
    message(to, OutsideContent::Text(text.to_owned()))
}

fn media(source: OutsideSource) -> OutsideMessage {
    let media = OutsideMedia {
        kind: MediaKind::Document,
        source,
        caption: Some("our menu".to_owned()),
        file_name: Some("menu.pdf".to_owned()),
    };
    message(CONTACT, OutsideContent::Media(media))
}

/// Says a message to the worker, and waits until it has it; gives the id that it goes by.
async fn hand_over(fixture: &Fixture, message: &OutsideMessage) -> String {
    fixture.plane.send(message);
    fixture.plane.accepted(message.send_id).await
}

/// What the contact received after the first `n`.
async fn received(fixture: &Fixture, n: u64) -> ReceivedText {
    fixture.sim.wait_for_reply(CONTACT, n, PATIENCE).await.unwrap()
}

/// The address of a file.
async fn served(file: &'static [u8]) -> String {
    let routes = Router::new().route("/menu.pdf", get(async move || file));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/menu.pdf", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

#[tokio::test]
async fn a_text_goes_out_once_however_often_it_is_said() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    let first = text(CONTACT, "your order is on its way");
    let id = hand_over(&fixture, &first).await;
    assert_eq!(received(&fixture, 0).await.text, "your order is on its way");
    assert_eq!(fixture.plane.state(&id, MessageState::Sent).await, None);
    assert_eq!(fixture.answer_ids(), [id.as_str()]);
    // Said again, also to the next worker, it only tells again what it has.
    fixture.plane.command(Command::Send(first.clone()));
    fixture.plane.accepted_times(first.send_id, 2).await;
    running.stop().await;
    let from = fixture.plane.beats();
    let running = fixture.start();
    fixture.connected_from(from).await;
    fixture.plane.listened_to().await;
    fixture.plane.command(Command::Send(first.clone()));
    let second = text(CONTACT, "it is there");
    hand_over(&fixture, &second).await;
    assert_eq!(received(&fixture, 1).await.text, "it is there");
    assert_eq!(fixture.answers(), 2);
    // It is in the log like any other.
    let out = fixture.plane.messages(2).await;
    assert!(out.contains(&(Direction::Out, "it is there".to_owned())), "{out:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_worker_that_crashes_anywhere_sends_each_once() {
    let fixture = Fixture::new().await;
    let mut running = fixture.start_paired().await;
    let messages: Vec<_> = (0..12).map(|n| text(CONTACT, &n.to_string())).collect();
    for (n, message) in messages.iter().enumerate() {
        hand_over(&fixture, message).await;
        if n % 3 == 2 {
            running.crash().await;
            running = fixture.start();
        }
    }
    received(&fixture, 11).await;
    for message in &messages {
        let id = fixture.plane.accepted(message.send_id).await;
        fixture.plane.state(&id, MessageState::Sent).await;
    }
    let texts: Vec<String> =
        fixture.sim.messages(CONTACT).unwrap().received.into_iter().map(|it| it.text).collect();
    assert_eq!(texts, (0..12).map(|n| n.to_string()).collect::<Vec<_>>());
    running.stop().await;
}

#[tokio::test]
async fn files_reach_the_contact_from_an_upload_and_from_an_address() {
    let mut fixture = Fixture::new().await;
    fixture.set("WEBHOOK_ALLOW_PRIVATE", "true");
    let running = fixture.start_paired().await;
    let (upload, file) = (Uuid::now_v7(), vec![7; 100_000]);
    fixture.plane.keep_file(upload, &file);
    let first = media(OutsideSource::Upload(upload));
    let id = hand_over(&fixture, &first).await;
    let got = received(&fixture, 0).await;
    assert_eq!(got.text, "our menu");
    let shown = got.media.unwrap();
    assert_eq!((shown.kind, shown.fault), (whatsim::MediaKind::Document, None));
    assert_eq!(shown.file_name.as_deref(), Some("menu.pdf"));
    assert_eq!(fixture.sim.received_media(CONTACT, 0).unwrap(), file);
    fixture.plane.state(&id, MessageState::Sent).await;

    let url = served(b"a menu, from elsewhere").await;
    hand_over(&fixture, &media(OutsideSource::Url(url))).await;
    received(&fixture, 1).await;
    assert_eq!(fixture.sim.received_media(CONTACT, 1).unwrap(), b"a menu, from elsewhere");
    // An upload that is gone is no reason to try for ever.
    let gone = media(OutsideSource::Upload(Uuid::now_v7()));
    let id = hand_over(&fixture, &gone).await;
    let reason = fixture.plane.state(&id, MessageState::Failed).await.unwrap();
    assert!(reason.starts_with("no_file: "), "{reason}");
    // Nothing is left of what was sent.
    let left = std::fs::read_dir(fixture.session().join("outgoing")).unwrap().count();
    assert_eq!(left, 0);
    running.stop().await;
}

#[tokio::test]
async fn answers_and_reactions_name_their_message() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    let question = fixture.write("are you open?");
    let greeting = received(&fixture, 0).await.id;
    let quoted = |id: &str| Quoted { message_id: id.to_owned(), ..Quoted::default() };
    let answer = OutsideMessage { reply_to: Some(quoted(&question)), ..text(CONTACT, "until six") };
    hand_over(&fixture, &answer).await;
    let got = received(&fixture, 1).await;
    assert_eq!(
        (got.text.as_str(), got.reply_to.as_deref()),
        ("until six", Some(question.as_str()))
    );
    for (n, id) in [(2, &question), (3, &greeting)] {
        let reaction = Reaction { message_id: id.clone(), emoji: "\u{1f44d}".to_owned() };
        hand_over(&fixture, &message(CONTACT, OutsideContent::Reaction(reaction))).await;
        let got = received(&fixture, n).await;
        assert_eq!((got.text.as_str(), got.reacts_to.as_ref()), ("\u{1f44d}", Some(id)));
    }
    running.stop().await;
}

#[tokio::test]
async fn who_has_no_whatsapp_or_has_opted_out_is_not_written_to() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    let id = hand_over(&fixture, &text(STRANGER, "hello?")).await;
    let reason = fixture.plane.state(&id, MessageState::Failed).await.unwrap();
    assert!(reason.starts_with("not_on_whatsapp: "), "{reason}");
    fixture.write("stop");
    fixture.plane.note("contact.opted_out").await;
    received(&fixture, 0).await;
    let id = hand_over(&fixture, &text(CONTACT, "an offer")).await;
    let reason = fixture.plane.state(&id, MessageState::Failed).await.unwrap();
    assert!(reason.starts_with("opted_out: "), "{reason}");
    // Only the confirmation of the opt-out reached it.
    assert_eq!(fixture.answers(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_group_is_written_to_and_a_message_that_nobody_saw_there_gets_no_reaction() {
    let fixture = Fixture::new().await;
    let group = fixture.sim.create_group("Tennis", &[CONTACT, ACCOUNT], Addressing::Lid).unwrap();
    let running = fixture.start_paired().await;
    let in_group =
        |content| OutsideMessage { to: format!("{}@g.us", group.id), ..message(CONTACT, content) };
    let id = hand_over(&fixture, &in_group(OutsideContent::Text("at six".to_owned()))).await;
    let got = received(&fixture, 0).await;
    assert_eq!((got.text.as_str(), got.group.as_ref()), ("at six", Some(&group.id)));
    fixture.plane.state(&id, MessageState::Sent).await;
    let reaction = |id: &str| {
        let (message_id, emoji) = (id.to_owned(), "\u{1f44d}".to_owned());
        in_group(OutsideContent::Reaction(Reaction { message_id, emoji }))
    };
    let unseen = hand_over(&fixture, &reaction("3EB0")).await;
    let reason = fixture.plane.state(&unseen, MessageState::Failed).await.unwrap();
    assert!(reason.starts_with("unknown_message: "), "{reason}");
    hand_over(&fixture, &reaction(&id)).await;
    assert_eq!(received(&fixture, 1).await.reacts_to, Some(id));
    running.stop().await;
}

#[tokio::test]
async fn what_is_too_late_is_not_sent() {
    let fixture = Fixture::new().await;
    fixture.start_paired().await.stop().await;
    // The network is away: the message waits here until its deadline.
    fixture.sim.shutdown().await;
    let running = fixture.start();
    let late = OutsideMessage {
        expires_at: Utc::now() + Duration::milliseconds(1500),
        ..text(CONTACT, "too late")
    };
    let id = hand_over(&fixture, &late).await;
    let reason = fixture.plane.state(&id, MessageState::Failed).await.unwrap();
    assert!(reason.starts_with("expired: "), "{reason}");
    running.stop().await;
}
