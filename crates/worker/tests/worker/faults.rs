//! What the network does to messages, and what the worker makes of it: each is answered once.

use api::link::{Command, OutsideContent, OutsideMessage};
use api::pacing::{Pacing, Slowdown};
use api::records::MessageState;
use chrono::{Duration, Utc};
use uuid::Uuid;
use whatsim::{Fault, FaultKind};

use crate::fixture::{ACCOUNT, CONTACT, Fixture, Running};

const OTHER: &str = "4915558888";

async fn paired() -> (Fixture, Running) {
    let fixture = Fixture::new().await;
    fixture.echo(2, Pacing::off());
    let running = fixture.start_paired().await;
    (fixture, running)
}

/// A pause that a test can wait for.
fn quick() -> Pacing {
    Pacing { slowdown: Slowdown { pause_seconds: 1, recovery_minutes: 1440 }, ..Pacing::off() }
}

#[tokio::test]
async fn a_message_that_vanished_is_sent_again_under_its_id() {
    let (fixture, running) = paired().await;
    fixture.sim.inject_times(ACCOUNT, Fault::LoseMessages, 1).unwrap();
    fixture.write("one");
    assert_eq!(fixture.answer_after(0).await, "one");
    let id = fixture.answer_ids().remove(0);
    fixture.plane.state(&id, MessageState::Delivered).await;
    let sql = "SELECT message_id, tries FROM outbox";
    let row: (String, u32) =
        fixture.database().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!((row, fixture.answers()), ((id, 1), 1));
    running.stop().await;
}

#[tokio::test]
async fn an_acknowledgement_that_is_lost_with_the_receipt_costs_a_copy_and_no_second_answer() {
    let (fixture, running) = paired().await;
    fixture.sim.withhold_receipts(CONTACT, true).unwrap();
    fixture.sim.inject_times(ACCOUNT, Fault::LoseAcks, 1).unwrap();
    fixture.write("one");
    fixture.answer_after(0).await;
    let id = fixture.answer_ids().remove(0);
    fixture.plane.state(&id, MessageState::Sent).await;
    // The recipient's phone knows the second for the first, by its id.
    assert_eq!((fixture.answer_ids().len(), fixture.answers()), (1, 2));
    assert_eq!(fixture.plane.messages_now().len(), 2);
    running.stop().await;
}

#[tokio::test]
async fn what_whatsapp_does_not_take_after_several_tries_fails_with_the_reason() {
    let (fixture, running) = paired().await;
    fixture.sim.inject_until_ended(ACCOUNT, Fault::LoseMessages).unwrap();
    let written = fixture.write("one");
    let row = fixture.plane.until("an outbox row", || {
        let sql = "SELECT o.message_id FROM outbox AS o JOIN inbox AS i ON i.seq = o.inbox_seq
                   WHERE i.message_id = ?1";
        fixture.database().query_row(sql, [&written], |row| row.get::<_, String>(0)).ok()
    });
    let id = row.await;
    running.crash().await;
    // The last of its tries.
    fixture.database().execute("UPDATE outbox SET tries = 4", []).unwrap();
    let running = fixture.start();
    let reason = fixture.plane.state(&id, MessageState::Failed).await.unwrap();
    assert!(reason.contains("did not acknowledge"), "{reason}");
    assert!(fixture.plane.note("answer.failed").await.contains(&id));
    // The chat goes on.
    fixture.sim.end_fault(ACCOUNT, FaultKind::LoseMessages).unwrap();
    fixture.write("two");
    fixture.answer_after(0).await;
    assert_eq!(fixture.texts(), ["two"]);
    running.stop().await;
}

#[tokio::test]
async fn too_much_slows_down_and_the_message_goes_out_after_the_pause() {
    for code in [429, 463] {
        let fixture = Fixture::new().await;
        fixture.echo(2, quick());
        let running = fixture.start_paired().await;
        fixture.sim.inject(ACCOUNT, Fault::Nack { code }).unwrap();
        fixture.write("one");
        let told = fixture.plane.note("pacing.slowed").await;
        assert!(told.contains(&code.to_string()) && told.contains("300 messages"), "{told}");
        assert_eq!(fixture.answer_after(0).await, "one");
        let id = fixture.answer_ids().remove(0);
        fixture.plane.state(&id, MessageState::Delivered).await;
        assert_eq!(fixture.answers(), 1);
        // The next process knows of it.
        let sql = "SELECT value FROM setting WHERE name = 'slowdown'";
        let kept: String = fixture.database().query_row(sql, [], |row| row.get(0)).unwrap();
        assert!(kept.contains("\"level\":1"), "{kept}");
        running.stop().await;
    }
}

#[tokio::test]
async fn a_message_that_whatsapp_refuses_fails_and_holds_up_nothing() {
    let (fixture, running) = paired().await;
    fixture.sim.inject(ACCOUNT, Fault::Nack { code: 479 }).unwrap();
    fixture.write("one");
    assert!(fixture.plane.note("answer.failed").await.contains("WhatsApp answers 479"));
    fixture.write("two");
    fixture.answer_after(0).await;
    assert_eq!(fixture.texts(), ["two"]);
    running.stop().await;
}

#[tokio::test]
async fn what_comes_twice_or_in_another_order_is_answered_once_each() {
    let (fixture, running) = paired().await;
    fixture.sim.inject_times(ACCOUNT, Fault::Duplicate, 1).unwrap();
    fixture.write("one");
    fixture.answer_after(0).await;
    fixture.sim.inject_times(ACCOUNT, Fault::Reorder, 1).unwrap();
    fixture.write("two");
    fixture.write("three");
    fixture.answer_after(2).await;
    // In the order in which they came.
    assert_eq!(fixture.texts(), ["one", "three", "two"]);
    assert_eq!((fixture.plane.messages(6).await.len(), fixture.answers()), (6, 3));
    running.stop().await;
}

#[tokio::test]
async fn messages_whose_receipts_were_lost_come_again_and_are_known() {
    let (fixture, running) = paired().await;
    fixture.sim.inject_until_ended(ACCOUNT, Fault::LoseReceipts).unwrap();
    fixture.write("one");
    fixture.write("two");
    fixture.answer_after(1).await;
    running.stop().await;
    fixture.sim.end_fault(ACCOUNT, FaultKind::LoseReceipts).unwrap();
    let from = fixture.plane.beats();
    let running = fixture.start();
    fixture.connected_from(from).await;
    fixture.write("three");
    fixture.answer_after(2).await;
    assert_eq!(fixture.texts(), ["one", "two", "three"]);
    assert_eq!((fixture.plane.messages(6).await.len(), fixture.answers()), (6, 3));
    running.stop().await;
}

#[tokio::test]
async fn a_slow_network_makes_answers_late_and_no_more() {
    let (fixture, running) = paired().await;
    fixture.sim.inject(ACCOUNT, Fault::Slow { delay_ms: 300 }).unwrap();
    for text in ["one", "two", "three"] {
        fixture.write(text);
    }
    fixture.answer_after(2).await;
    assert_eq!(
        (fixture.texts(), fixture.answers()),
        (vec!["one".into(), "two".into(), "three".into()], 3)
    );
    running.stop().await;
}

#[tokio::test]
async fn a_message_that_cannot_be_decrypted_is_asked_for_again_and_answered_once() {
    let (fixture, running) = paired().await;
    fixture.write("one");
    fixture.answer_after(0).await;
    fixture.sim.corrupt_next(CONTACT).unwrap();
    let damaged = fixture.write("two");
    fixture.answer_after(1).await;
    fixture.sim.redeliver(CONTACT, &damaged).unwrap();
    fixture.write("three");
    fixture.answer_after(2).await;
    assert_eq!(fixture.texts(), ["one", "two", "three"]);
    assert_eq!(fixture.answers(), 3);
    running.stop().await;
}

#[tokio::test]
async fn without_a_receipt_a_message_does_not_count_as_delivered() {
    let (fixture, running) = paired().await;
    fixture.sim.withhold_receipts(CONTACT, true).unwrap();
    fixture.write("one");
    fixture.answer_after(0).await;
    let silent = fixture.answer_ids().remove(0);
    fixture.plane.state(&silent, MessageState::Sent).await;
    // The next message's receipt comes after the one that was to come for the first.
    fixture.sim.withhold_receipts(CONTACT, false).unwrap();
    fixture.write("two");
    fixture.answer_after(1).await;
    let told = fixture.answer_ids().remove(1);
    fixture.plane.state(&told, MessageState::Delivered).await;
    assert_eq!(state(&fixture, &silent), "sent");
    running.stop().await;
}

/// An acknowledgement alone does not say that the contact was addressed.
#[tokio::test]
async fn a_contact_whose_keys_are_false_gets_the_message_when_they_are_right() {
    let (fixture, running) = paired().await;
    fixture.sim.add_contact("Bob", OTHER).unwrap();
    fixture.sim.spoil_keys(OTHER, true).unwrap();
    let message = OutsideMessage {
        send_id: Uuid::now_v7(),
        to: format!("{OTHER}@s.whatsapp.net"),
        content: OutsideContent::Text("three".to_owned()),
        reply_to: None,
        expires_at: Utc::now() + Duration::hours(1),
    };
    fixture.plane.listened_to().await;
    fixture.plane.command(Command::Send(message.clone()));
    let id = fixture.plane.accepted(message.send_id).await;
    let tried = fixture.plane.until("a try", || {
        let sql = "SELECT seq FROM outbox WHERE message_id = ?1 AND tries = 1";
        fixture.database().query_row(sql, [&id], |row| row.get::<_, i64>(0)).ok()
    });
    tried.await;
    assert_eq!(state(&fixture, &id), "queued");
    assert!(fixture.sim.messages(OTHER).unwrap().received.is_empty());
    fixture.sim.spoil_keys(OTHER, false).unwrap();
    fixture.plane.state(&id, MessageState::Delivered).await;
    assert_eq!(fixture.sim.messages(OTHER).unwrap().received.len(), 1);
    running.stop().await;
}

fn state(fixture: &Fixture, id: &str) -> String {
    let sql = "SELECT state FROM outbox WHERE message_id = ?1";
    fixture.database().query_row(sql, [id], |row| row.get(0)).unwrap()
}
