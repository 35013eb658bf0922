//! In order within a chat, several chats at once, over every crash.

use api::link::WorkerConfig;
use api::pacing::Pacing;
use axum::Router;
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::timeout;
use whatsim::{Fault, SimEvent};

use crate::fixture::{ACCOUNT, Fixture};
use crate::plane::PATIENCE;

const OTHER: &str = "4915558888";

async fn other_answered(fixture: &Fixture, n: u64) -> String {
    fixture.sim.wait_for_reply(OTHER, n, PATIENCE).await.unwrap().text
}

#[tokio::test]
async fn a_chat_whose_message_is_lost_keeps_its_order_and_delays_no_other() {
    let fixture = Fixture::new().await;
    fixture.echo(2, Pacing::off());
    let running = fixture.start_paired().await;
    fixture.sim.add_contact("Bob", OTHER).unwrap();
    fixture.sim.inject_times(ACCOUNT, Fault::LoseMessages, 1).unwrap();
    let mut events = fixture.sim.events();
    fixture.write("1");
    // Its answer goes to nobody.
    let lost =
        async { while !matches!(events.recv().await.unwrap(), SimEvent::FaultStruck { .. }) {} };
    timeout(PATIENCE, lost).await.unwrap();
    fixture.write("2");
    fixture.sim.send_text(OTHER, ACCOUNT, "b1").unwrap();
    fixture.sim.send_text(OTHER, ACCOUNT, "b2").unwrap();
    assert_eq!(other_answered(&fixture, 1).await, "b2");
    assert!(fixture.texts().is_empty(), "the first chat still waits");
    fixture.answer_after(1).await;
    assert_eq!(fixture.texts(), ["1", "2"]);
    running.stop().await;
}

#[tokio::test]
async fn files_that_take_long_delay_their_own_chats_alone() {
    let mut fixture = Fixture::new().await;
    fixture.set("WEBHOOK_ALLOW_PRIVATE", "true");
    let routes = Router::new().route("/slow.pdf", get(std::future::pending::<&'static str>));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/slow.pdf", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    fixture.plane.set_config(WorkerConfig {
        version: 2,
        rate_limit_max_per_minute: 600,
        pacing: Pacing::off(),
        rules: Some(json!({"rules": [
            {"name": "menu", "match": {"keywords": ["menu"]},
             "action": {"media": {"url": url, "kind": "document"}}},
            {"name": "echo", "action": {"reply": "{message}"}}]})),
        ..WorkerConfig::default()
    });
    let running = fixture.start_paired().await;
    fixture.sim.add_contact("Bob", OTHER).unwrap();
    for n in 0..4 {
        let contact = format!("49155570{n:02}");
        fixture.sim.add_contact("Eve", &contact).unwrap();
        fixture.sim.send_text(&contact, ACCOUNT, "menu").unwrap();
    }
    fixture.plane.messages(4).await;
    fixture.sim.send_text(OTHER, ACCOUNT, "b1").unwrap();
    assert_eq!(other_answered(&fixture, 0).await, "b1");
    running.stop().await;
}

#[tokio::test]
async fn crashes_at_every_step_answer_each_once_and_in_order() {
    let fixture = Fixture::new().await;
    fixture.echo(2, Pacing::off());
    fixture.sim.add_contact("Bob", OTHER).unwrap();
    let mut running = fixture.start_paired().await;
    // A row of each kind is laid ready by a crash while nothing gets out.
    for round in 0..4 {
        for n in 0..3 {
            fixture.write(&format!("{round}.{n}"));
            fixture.sim.send_text(OTHER, ACCOUNT, &format!("{round}.{n}")).unwrap();
        }
        match round {
            // As soon as something came in; as soon as it was bound; as soon as something arrived.
            0 => drop(fixture.plane.messages(1).await),
            1 => {
                fixture
                    .plane
                    .until("a bound answer", || {
                        let sql = "SELECT seq FROM outbox WHERE pending";
                        fixture
                            .database()
                            .query_row(sql, [], |row| row.get::<_, i64>(0))
                            .ok()
                            .map(drop)
                    })
                    .await
            }
            _ => drop(fixture.answer_after(round * 3).await),
        }
        running.crash().await;
        running = fixture.start();
    }
    fixture.answer_after(11).await;
    other_answered(&fixture, 11).await;
    let all: Vec<String> = (0..4).flat_map(|r| (0..3).map(move |n| format!("{r}.{n}"))).collect();
    assert_eq!(fixture.texts(), all);
    let theirs = fixture.sim.messages(OTHER).unwrap().received;
    assert_eq!(theirs.into_iter().map(|text| text.text).collect::<Vec<_>>(), all);
    assert_eq!(fixture.plane.messages(48).await.len(), 48);
    running.stop().await;
}

#[tokio::test]
async fn a_clock_that_jumped_parks_no_message() {
    let fixture = Fixture::new().await;
    fixture.echo(2, Pacing::off());
    let running = fixture.start_paired().await;
    running.stop().await;
    fixture.sim.refuse_connections(true);
    fixture
        .database()
        .execute_batch(
            "INSERT INTO inbox (chat, sender, message_id, text, at, received_at, pending)
         VALUES ('4915559999@s.whatsapp.net', '4915559999@s.whatsapp.net', 'X', '', 0, 0, 0);
         INSERT INTO outbox (inbox_seq, chat, address, message_id, text, pending, due_at, tried_at)
         SELECT seq, chat, chat, '3EB0AAAAAAAAAAAAAAAA01', 'late', 1, 9e12, 9e12 FROM inbox;",
        )
        .unwrap();
    fixture.sim.refuse_connections(false);
    let running = fixture.start();
    assert_eq!(fixture.answer_after(0).await, "late");
    running.stop().await;
}
