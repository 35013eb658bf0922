//! Pacing in a running worker.

use api::link::{Command, OutsideContent, OutsideMessage};
use api::pacing::{Beyond, ContactLimit, Pacing, QuietHours, Slowdown, Typing, WarmUp};
use api::records::MessageState;
use chrono::{Duration, Utc};
use uuid::Uuid;
use whatsim::{Fault, Sign};

use crate::fixture::{ACCOUNT, CONTACT, Fixture};

const STRANGER: &str = "4915558888";

/// Pacing without the typing, which would only take time.
fn still(set: Pacing) -> Pacing {
    Pacing { typing: Typing { per_character_ms: 0, ..Typing::default() }, ..set }
}

async fn send(fixture: &Fixture, to: &str, text: &str) -> String {
    let message = OutsideMessage {
        send_id: Uuid::now_v7(),
        to: format!("{to}@s.whatsapp.net"),
        content: OutsideContent::Text(text.to_owned()),
        reply_to: None,
        expires_at: Utc::now() + Duration::hours(1),
    };
    fixture.plane.listened_to().await;
    fixture.plane.command(Command::Send(message.clone()));
    fixture.plane.accepted(message.send_id).await
}

fn state(fixture: &Fixture, id: &str) -> String {
    let sql = "SELECT state FROM outbox WHERE message_id = ?1";
    fixture.database().query_row(sql, [id], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn the_bot_types_before_it_answers() {
    let fixture = Fixture::new().await;
    let typing = Typing { per_character_ms: 1, least_ms: 700, most_ms: 700, jitter_percent: 0 };
    fixture.echo(2, Pacing { typing, ..Pacing::default() });
    // The first login shows no presence, and so no typing.
    fixture.start_paired().await.stop().await;
    let from = fixture.plane.beats();
    let running = fixture.start();
    fixture.connected_from(from).await;
    let begun = std::time::Instant::now();
    fixture.write("one");
    fixture.answer_after(0).await;
    assert!(begun.elapsed().as_millis() >= 700);
    let signs = fixture.sim.signs(ACCOUNT).unwrap();
    assert!(signs.iter().any(|it| it.sign == Sign::Composing && it.chat == CONTACT), "{signs:?}");
    running.stop().await;
}

#[tokio::test]
async fn beyond_a_contacts_limit_answers_wait_or_are_left_out_and_either_is_told_once() {
    for (beyond, pending) in [(Beyond::Wait, 3), (Beyond::Suppress, 0)] {
        let fixture = Fixture::new().await;
        let contact = ContactLimit { max: 2, minutes: 10, beyond };
        fixture.echo(2, still(Pacing { contact, ..Pacing::default() }));
        let running = fixture.start_paired().await;
        for n in 0..5 {
            fixture.write(&n.to_string());
        }
        assert!(fixture.plane.note("contact.limited").await.contains(CONTACT));
        fixture.plane.messages(7).await;
        fixture
            .plane
            .until("what is left", || {
                let sql = "SELECT count(*) FROM inbox WHERE pending";
                let left: i64 = fixture.database().query_row(sql, [], |row| row.get(0)).unwrap();
                (left == pending).then_some(())
            })
            .await;
        assert_eq!(
            (fixture.texts(), fixture.plane.notes("contact.limited")),
            (vec!["0".into(), "1".into()], 1)
        );
        // Another contact is not concerned, nor the next worker's memory better.
        running.stop().await;
        let from = fixture.plane.beats();
        let running = fixture.start();
        fixture.connected_from(from).await;
        fixture.sim.add_contact("Bob", STRANGER).unwrap();
        fixture.sim.send_text(STRANGER, ACCOUNT, "b").unwrap();
        fixture.sim.wait_for_reply(STRANGER, 0, crate::plane::PATIENCE).await.unwrap();
        assert_eq!(fixture.answers(), 2);
        running.stop().await;
    }
}

#[tokio::test]
async fn strangers_wait_for_the_allowance_and_for_the_night_while_others_are_written_to() {
    let fixture = Fixture::new().await;
    fixture.sim.add_contact("Bob", STRANGER).unwrap();
    let warm_up = WarmUp { first_day: 0, growth_percent: 0, most: 0 };
    fixture.echo(2, still(Pacing { warm_up, ..Pacing::default() }));
    let running = fixture.start_paired().await;
    fixture.write("hi");
    fixture.answer_after(0).await;
    let cold = send(&fixture, STRANGER, "an offer").await;
    assert!(fixture.plane.note("pacing.cold_waits").await.contains("warm_up"));
    // Who wrote is no stranger.
    send(&fixture, CONTACT, "your order").await;
    fixture.answer_after(1).await;
    assert_eq!(state(&fixture, &cold), "queued");
    // The allowance is there, but it is night.
    let night = |from: &str, to: &str| QuietHours {
        from: from.to_owned(),
        to: to.to_owned(),
        time_zone: Some("Africa/Nairobi".to_owned()),
        replies: false,
    };
    let quiet = Some(night("00:00", "24:00"));
    fixture.echo(3, still(Pacing { quiet, ..Pacing::default() }));
    fixture.plane.beat(|beat| (beat.config_version == 3).then_some(())).await;
    fixture.write("awake?");
    fixture.answer_after(2).await;
    assert_eq!(state(&fixture, &cold), "queued");
    fixture.echo(4, still(Pacing::default()));
    fixture.plane.state(&cold, MessageState::Delivered).await;
    let sql = "SELECT count(*) FROM outbox WHERE cold";
    let counted: i64 = fixture.database().query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(counted, 1);
    running.stop().await;
}

#[tokio::test]
async fn a_restart_is_no_way_round_a_slowdown() {
    let fixture = Fixture::new().await;
    let slowdown = Slowdown { pause_seconds: 3600, recovery_minutes: 15 };
    fixture.echo(2, Pacing { slowdown, ..Pacing::off() });
    let running = fixture.start_paired().await;
    fixture.sim.inject(ACCOUNT, Fault::Nack { code: 429 }).unwrap();
    fixture.write("one");
    fixture.plane.note("pacing.slowed").await;
    running.stop().await;
    let from = fixture.plane.beats();
    let running = fixture.start();
    fixture.connected_from(from).await;
    fixture.write("two");
    fixture.plane.messages(2).await;
    assert_eq!(fixture.answers(), 0, "the pause lasts");
    // A person may shorten it.
    let slowdown = Slowdown { pause_seconds: 1, recovery_minutes: 15 };
    fixture.echo(3, Pacing { slowdown, ..Pacing::off() });
    fixture.answer_after(1).await;
    assert_eq!(fixture.texts(), ["one", "two"]);
    running.stop().await;
}
