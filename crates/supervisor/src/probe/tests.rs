use std::net::SocketAddr;

use proptest::prelude::*;
use tokio::net::TcpListener;

use super::*;

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(100);

async fn listener(address: &str) -> (TcpListener, u16) {
    let listener = TcpListener::bind(address).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Answers every connection with these bytes, after it has read something of the question.
async fn server(answer: &'static [u8]) -> Probe {
    let (listener, port) = listener("127.0.0.1:0").await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut question = [0; 1024];
            let length = stream.read(&mut question).await.unwrap();
            assert!(question[..length].starts_with(b"GET /health?full=1 HTTP/1.1\r\nHost: "));
            stream.write_all(answer).await.unwrap();
        }
    });
    Probe::Http { port, path: "/health?full=1".into() }
}

/// A port at which nothing listens, as far as can be.
async fn free_port() -> u16 {
    listener("127.0.0.1:0").await.1
}

#[tokio::test]
async fn a_port_answers_on_either_loopback_address() {
    let (_v4, port) = listener("127.0.0.1:0").await;
    assert_eq!(ask(&Probe::Port(port), LONG).await, Ok(()));
    if let Ok(v6) = TcpListener::bind("[::1]:0").await {
        let port = v6.local_addr().unwrap().port();
        assert_eq!(ask(&Probe::Port(port), LONG).await, Ok(()));
    }
    let port = free_port().await;
    let problem = ask(&Probe::Port(port), LONG).await.unwrap_err();
    assert!(problem.contains(&format!("port {port}")) && problem.contains("refused"), "{problem}");
}

#[tokio::test]
async fn success_and_redirection_are_yes_and_all_else_is_no_with_the_reason() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\n\r\n"[..],
        b"HTTP/1.0 204\n\n",
        b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n",
    ] {
        assert_eq!(ask(&server(answer).await, LONG).await, Ok(()));
    }
    for (answer, word) in [
        (&b"HTTP/1.1 503 Busy\r\n\r\n"[..], "answered 503"),
        (b"HTTP/1.1 404\r\n\r\n", "answered 404"),
        (b"SSH-2.0-OpenSSH\r\n", "did not answer in HTTP"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "did not answer in HTTP"),
        (b"", "did not answer in HTTP"),
        (&[b'x'; 100_000], "HTTP"),
    ] {
        let problem = ask(&server(answer).await, LONG).await.unwrap_err();
        assert!(problem.contains(word) || problem.contains("broke off"), "{problem}");
        assert!(problem.contains("/health?full=1"), "{problem}");
    }
}

#[tokio::test]
async fn a_server_that_never_answers_fails_in_time() {
    let (_silent, port) = listener("127.0.0.1:0").await;
    let probe = Probe::Http { port, path: "/".into() };
    let problem = ask(&probe, SHORT).await.unwrap_err();
    assert!(problem.ends_with("did not answer within 100 ms"), "{problem}");
}

#[tokio::test]
async fn readiness_waits_for_a_server_that_comes_late() {
    let port = free_port().await;
    let probe = Probe::Port(port);
    let mut waiting = tokio::spawn(async move { until_ready(&probe, LONG).await });
    // The first answers are no: nothing listens for at least this long.
    assert!(timeout(SHORT, &mut waiting).await.is_err());
    let _late = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await.unwrap();
    assert_eq!(waiting.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn readiness_ends_at_its_limit_with_the_last_answer() {
    let probe = server(b"HTTP/1.1 500 No\r\n\r\n").await;
    let begun = Instant::now();
    let problem = until_ready(&probe, SHORT).await.unwrap_err();
    assert!(begun.elapsed() >= SHORT);
    assert!(problem.starts_with("not ready within 100 ms: http://"), "{problem}");
}

proptest! {
    #[test]
    fn any_answer_is_borne(answer in prop::collection::vec(any::<u8>(), 0..40)) {
        let _ = status(&answer);
        let _ = status(&[b"HTTP/1.1 ", &answer[..]].concat());
    }

    #[test]
    fn every_status_is_read(code in 100_u16..1000, reason in "[ -~]{0,20}") {
        prop_assert_eq!(status(format!("HTTP/1.1 {code} {reason}\r\n").as_bytes()), Some(code));
    }
}
