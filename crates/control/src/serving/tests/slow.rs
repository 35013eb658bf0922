use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::stage::{Client, PATIENCE, Setup};
use crate::serving::Timeouts;

/// Times that a test can wait for.
fn short() -> Setup {
    let timeouts = Timeouts {
        head: Duration::from_millis(200),
        idle: Duration::from_millis(200),
        body: Duration::from_millis(200),
        write: Duration::from_millis(200),
        ..Timeouts::default()
    };
    Setup { timeouts, ..Setup::default() }
}

/// Sends a byte at a time for as long as the other end takes it.
async fn drip(client: &mut Client<tokio::net::TcpStream>) {
    let pause = Duration::from_millis(5);
    let cut = async {
        let mut buffer = [0; 64];
        while client.0.write_all(b"x").await.is_ok() {
            // Waits for an answer, which is none but the end.
            let heard = tokio::time::timeout(pause, client.0.read(&mut buffer)).await;
            if let Ok(Ok(0) | Err(_)) = heard {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, cut).await.unwrap();
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_is_cut_while_others_are_served() {
    let served = short().serve().await;
    let mut slow = Client::connect(&served).await;
    slow.say("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ").await;
    let dripping = tokio::spawn(async move { drip(&mut slow).await });
    let mut answered = 0;
    while !dripping.is_finished() {
        let answer = Client::connect(&served).await.get("/", "").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answered += 1;
    }
    dripping.await.unwrap();
    assert!(answered > 0);
}

#[tokio::test]
async fn who_says_nothing_is_cut_before_and_between_requests() {
    let served = short().serve().await;
    let mut silent = Client::connect(&served).await;
    assert_eq!(silent.rest().await, "");
    let mut idle = Client::connect(&served).await;
    assert!(idle.get("/", "").await.ends_with("hello"));
    assert!(idle.get("/", "").await.ends_with("hello"), "it is kept for the next request");
    assert_eq!(idle.rest().await, "");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_cut() {
    let served = short().serve().await;
    let mut slow = Client::connect(&served).await;
    slow.say("POST /size HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n").await;
    drip(&mut slow).await;
    let mut whole = Client::connect(&served).await;
    let body = "x".repeat(100_000);
    whole.say("POST /size HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n").await;
    whole.say(&body).await;
    assert!(whole.answer().await.ends_with("100000"));
}

#[tokio::test]
async fn an_answer_may_take_its_time_but_must_be_taken() {
    let served = short().serve().await;
    let mut patient = Client::connect(&served).await;
    patient.say("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    served.reached.notified().await;
    let mut greedy = Client::connect(&served).await;
    greedy.say("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    // Takes nothing until others were cut for saying nothing, which takes longer than an answer may wait.
    let mut silent = Client::connect(&served).await;
    silent.rest().await;
    let mut silent = Client::connect(&served).await;
    silent.rest().await;
    let taken = greedy.rest().await;
    assert!(taken.starts_with("HTTP/1.1 200") && taken.len() < 64 * 1024 * 1024, "{}", taken.len());
    served.release.notify_one();
    assert!(patient.answer().await.ends_with("done"));
}
