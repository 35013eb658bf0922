use super::stage::{Client, Setup};
use crate::serving::{Hosts, Networks, Rate};

/// What every answer carries.
const HARDENED: [&str; 8] = [
    "content-security-policy: default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options: nosniff",
    "x-frame-options: DENY",
    "referrer-policy: no-referrer",
    "cross-origin-opener-policy: same-origin",
    "cross-origin-resource-policy: same-origin",
    "permissions-policy: ",
    "cache-control: no-store",
];

#[tokio::test]
async fn every_kind_of_answer_is_hardened() {
    let setup = Setup {
        hosts: Some(Hosts::default()),
        proxies: Networks::new(vec!["127.0.0.1/32".parse().unwrap()]),
        of_address: Rate { per_second: 1, burst: 1 },
        ..Setup::default()
    };
    let served = setup.serve().await;
    let of_another = "X-Forwarded-For: 192.0.2.1\r\n";
    let long = format!("/{}", "x".repeat(9000));
    let many = "X: y\r\n".repeat(85);
    let large = format!("X-Large: {}\r\n", "x".repeat(40_000));
    let contradiction = "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.2\r\n";
    for (path, headers, status) in [
        ("/", "", 200),
        ("/nowhere", "", 404),
        ("/size", "", 405),
        ("/", "Host: evil.example\r\n", 421),
        (long.as_str(), "", 414),
        ("/", large.as_str(), 431),
        ("/", many.as_str(), 431),
        ("/", contradiction, 400),
        ("/", of_another, 200),
        ("/", of_another, 429),
        ("/", "X-Forwarded-For: 127.0.0.1, 192.0.2.1\r\n", 429),
        ("/", "", 200),
    ] {
        let answer = Client::connect(&served).await.get(path, headers).await;
        let begin = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&begin), "wanted {status}: {answer}");
        for line in HARDENED {
            assert!(answer.contains(line), "{status} lacks {line}: {answer}");
        }
        assert!(!answer.contains("access-control"), "{answer}");
        assert!(!answer.contains("strict-transport-security"), "{answer}");
        let own = ![200, 404, 405].contains(&status);
        assert_eq!(answer.contains("application/problem+json"), own, "{answer}");
        assert_eq!(answer.contains("retry-after: 1\r\n"), status == 429, "{answer}");
    }
}

#[tokio::test]
async fn more_connections_than_allowed_are_closed_at_once() {
    let served = Setup { most: 2, ..Setup::default() }.serve().await;
    // Addresses of this machine have no bound of their own: two are open although one is allowed.
    let mut one = Client::connect(&served).await;
    let mut two = Client::connect(&served).await;
    assert!(one.get("/", "").await.ends_with("hello"));
    assert!(two.get("/", "").await.ends_with("hello"));
    assert_eq!(Client::connect(&served).await.rest().await, "");
    one.say("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert!(one.rest().await.ends_with("hello"));
    // The place is given back a moment after the other end has seen the end.
    let again = async {
        loop {
            let mut client = Client::connect(&served).await;
            client.say("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
            if client.answer().await.ends_with("hello") {
                break;
            }
        }
    };
    tokio::time::timeout(super::stage::PATIENCE, again).await.unwrap();
}

#[tokio::test]
async fn routes_know_who_asks() {
    let proxies = Networks::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let served = Setup { proxies, ..Setup::default() }.serve().await;
    let mut client = Client::connect(&served).await;
    let direct = client.get("/peer", "").await;
    assert!(direct.ends_with("Peer { address: 127.0.0.1, tls: false }"), "{direct}");
    let lines = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n";
    let forwarded = client.get("/peer", lines).await;
    assert!(forwarded.ends_with("Peer { address: 192.0.2.1, tls: true }"), "{forwarded}");
    assert!(forwarded.contains("strict-transport-security: "), "{forwarded}");

    let served = Setup::default().serve().await;
    let ignored = Client::connect(&served).await.get("/peer", lines).await;
    assert!(ignored.ends_with("Peer { address: 127.0.0.1, tls: false }"), "{ignored}");
}
