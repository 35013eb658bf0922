use tokio::net::TcpStream;

use super::stage::{Client, PATIENCE, Setup};

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_end() {
    let served = Setup::default().serve().await;
    let mut idle = Client::connect(&served).await;
    assert!(idle.get("/", "").await.ends_with("hello"));
    let mut fresh = Client::connect(&served).await;
    let mut under_way = Client::connect(&served).await;
    under_way.say("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    served.reached.notified().await;

    served.shutdown.cancel();
    assert_eq!(idle.rest().await, "");
    assert_eq!(fresh.rest().await, "");
    assert!(TcpStream::connect(served.address).await.is_err(), "nobody is let in any more");
    assert!(!served.task.is_finished());

    served.release.notify_one();
    let answer = under_way.rest().await;
    assert!(answer.contains("connection: close") && answer.ends_with("done"), "{answer}");
    tokio::time::timeout(PATIENCE, served.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn streams_without_an_end_end_with_the_server() {
    let served = Setup::default().serve().await;
    let mut follower = Client::connect(&served).await;
    follower.say("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    // A stream says no length, so this reads on until it ends.
    let (stream, ()) = tokio::join!(follower.rest(), async {
        Client::connect(&served).await.get("/", "").await;
        served.shutdown.cancel();
    });
    assert!(stream.contains("text/event-stream"), "{stream}");
    assert!(stream.ends_with("\r\n0\r\n\r\n"), "as a whole stream does: {stream}");
    tokio::time::timeout(PATIENCE, served.task).await.unwrap().unwrap();
}
