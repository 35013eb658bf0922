//! Messages in, answers out.

use api::link::WorkerConfig;
use api::records::Direction;

use crate::fixture::{ACCOUNT, CONTACT, Fixture};
use whatsim::{Addressing, Config};

#[tokio::test]
async fn every_message_is_answered_once_also_when_it_is_delivered_again() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    let first = fixture.write("hi");
    assert_eq!(fixture.answer_after(0).await, "hello");
    fixture.sim.redeliver(CONTACT, &first).unwrap();
    fixture.write("still there?");
    assert_eq!(fixture.answer_after(1).await, "hello");
    let heard = fixture.plane.messages(4).await;
    let way = |way| heard.iter().filter(|(direction, _)| *direction == way).count();
    assert_eq!((way(Direction::In), way(Direction::Out)), (2, 2));
    assert!(heard.contains(&(Direction::In, "still there?".to_owned())));
    running.stop().await;

    // What the first worker knew, the next knows too.
    let from = fixture.plane.beats();
    let running = fixture.start();
    fixture.connected_from(from).await;
    fixture.sim.redeliver(CONTACT, &first).unwrap();
    fixture.write("third");
    assert_eq!(fixture.answer_after(2).await, "hello");
    fixture.plane.messages(6).await;
    assert_eq!(fixture.answers(), 3);
    running.stop().await;
}

#[tokio::test]
async fn a_contact_who_is_known_by_lid_is_answered() {
    let config = Config { addressing: Addressing::Lid, ..Config::default() };
    let fixture = Fixture::without_plane(config).await;
    fixture.plane.listen();
    let running = fixture.start_paired().await;
    fixture.write("hi");
    assert_eq!(fixture.answer_after(0).await, "hello");
    running.stop().await;
}

#[tokio::test]
async fn what_came_while_the_worker_was_off_is_answered_when_it_is_back() {
    let fixture = Fixture::new().await;
    fixture.start_paired().await.stop().await;
    for n in 0..3 {
        fixture.write(&n.to_string());
    }
    let running = fixture.start();
    fixture.answer_after(2).await;
    fixture.plane.messages(6).await;
    assert_eq!(fixture.answers(), 3);
    running.stop().await;
}

#[tokio::test]
async fn crashes_lose_no_message_and_answer_none_under_two_ids() {
    let fixture = Fixture::new().await;
    let mut running = fixture.start_paired().await;
    for round in 0..6 {
        for n in 0..3 {
            fixture.write(&format!("{round}.{n}"));
        }
        // At another point of the way each time: as soon as one more answer arrived.
        fixture.answer_after(round * 2).await;
        running.crash().await;
        running = fixture.start();
    }
    fixture.answer_after(17).await;
    let heard = fixture.plane.messages(36).await;
    assert_eq!(heard.len(), 36);
    assert_eq!(fixture.answer_ids().len(), 18);
    let (come, gone): (Vec<_>, Vec<_>) =
        heard.into_iter().partition(|(direction, _)| *direction == Direction::In);
    assert_eq!((come.len(), gone.len()), (18, 18));
    running.stop().await;
}

#[tokio::test]
async fn answers_beyond_the_rate_wait_and_are_sent_when_it_allows() {
    let fixture = Fixture::new().await;
    let slow = WorkerConfig {
        version: 2,
        greeting: "slowly".to_owned(),
        rate_limit_max_per_minute: 2,
        pacing: api::pacing::Pacing::off(),
        ..WorkerConfig::default()
    };
    fixture.plane.set_config(slow.clone());
    let running = fixture.start_paired().await;
    for n in 0..4 {
        fixture.write(&n.to_string());
    }
    fixture.answer_after(1).await;
    // All four came in; two answers wait.
    fixture.plane.messages(6).await;
    assert_eq!(fixture.answers(), 2);
    running.stop().await;
    // A restart is no way round the rate, a higher rate is.
    let from = fixture.plane.beats();
    let running = fixture.start();
    fixture.connected_from(from).await;
    assert_eq!(fixture.answers(), 2);
    let fast = WorkerConfig { version: 3, rate_limit_max_per_minute: 600, ..slow };
    fixture.plane.set_config(fast);
    fixture.answer_after(3).await;
    fixture.plane.messages(8).await;
    assert_eq!(fixture.answers(), 4);
    running.stop().await;
}

#[tokio::test]
async fn without_a_greeting_nothing_is_answered() {
    let fixture = Fixture::new().await;
    let silent = WorkerConfig {
        version: 2,
        greeting: String::new(),
        rate_limit_max_per_minute: 600,
        pacing: api::pacing::Pacing::off(),
        ..WorkerConfig::default()
    };
    fixture.plane.set_config(silent.clone());
    let running = fixture.start_paired().await;
    fixture.write("hi");
    fixture.plane.messages(1).await;
    fixture.sim.wait_online(ACCOUNT, crate::plane::PATIENCE).await.unwrap();
    running.stop().await;
    assert_eq!((fixture.answers(), fixture.plane.messages_now().len()), (0, 1));
}
