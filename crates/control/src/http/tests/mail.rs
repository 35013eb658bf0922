//! Letters, and a mail server that is played here.

use std::sync::Arc;

use api::access::TenantRole;
use api::worker::HeartbeatMode;
use axum::http::Method;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::people::PASSWORD;
use super::stage::Stage;

/// Takes letters, and gives each as its text.
async fn mail_server() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let (letters, taken) = mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(take(stream, letters.clone()));
        }
    });
    (url, taken)
}

async fn take(stream: TcpStream, letters: mpsc::Sender<String>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 here\r\n").await.unwrap();
    let mut letter: Option<String> = None;
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(text) = &mut letter {
            if line == "." {
                letters.send(letter.take().unwrap()).await.unwrap();
                write.write_all(b"250 taken\r\n").await.unwrap();
            } else {
                // Long lines are folded by the sender.
                let whole = line.strip_suffix('=').map(str::to_owned);
                text.push_str(&whole.unwrap_or_else(|| format!("{line}\n")));
            }
            continue;
        }
        let answer = match line.split(' ').next().unwrap() {
            "DATA" => {
                letter = Some(String::new());
                "354 go on"
            }
            "QUIT" => "221 bye",
            _ => "250 well",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
    }
}

fn link(letter: &str) -> &str {
    let at = letter.find("https://bots.example.com/").unwrap();
    letter[at..].split_whitespace().next().unwrap().split_once('#').unwrap().1
}

async fn stage() -> (Stage, mpsc::Receiver<String>) {
    let (url, letters) = mail_server().await;
    let settings = [
        ("smtp_url", url.as_str()),
        ("mail_from", "Bots <bots@example.com>"),
        ("public_url", "https://bots.example.com/"),
    ];
    (Stage::with(&settings).await, letters)
}

#[tokio::test]
async fn an_owner_invites_by_letter_and_never_sees_the_link() {
    let (stage, mut letters) = stage().await;
    stage.tenant("duka", HeartbeatMode::Link).await;
    stage.person("amina@example.com", None, Some(("duka", TenantRole::Owner))).await;
    let amina = stage.sign_in("amina@example.com", PASSWORD).await.unwrap();
    let path = "/portal/tenant/current/people";
    let add = json!({"email": "juma@example.com", "role": "STAFF"});
    let added = stage.as_person(&amina, Method::POST, path, Some(add.clone())).await;
    assert_eq!((added.status, added.body.to_string()), (204, "\"\"".to_owned()));
    let letter = letters.recv().await.unwrap();
    assert!(letter.contains("To: juma@example.com") && letter.contains("bots@example.com"));
    let accept = json!({"token": link(&letter), "password": PASSWORD});
    assert_eq!(stage.ask(Method::POST, "/auth/accept", &[], Some(accept)).await.status, 204);
    let juma = stage.sign_in("juma@example.com", PASSWORD).await.unwrap();
    let status = stage.as_person(&juma, Method::GET, "/portal/tenant/current/status", None).await;
    assert_eq!(status.body["name"], "duka");
    // Once more: the answer is the same, and no letter could take the account over.
    let again = stage.as_person(&amina, Method::POST, path, Some(add)).await;
    assert_eq!(again.status, 204);
    assert!(letters.try_recv().is_err());
}

#[tokio::test]
async fn a_forgotten_password_is_renewed_by_letter_and_the_answer_tells_nothing() {
    let (stage, mut letters) = stage().await;
    stage.person("amina@example.com", Some(api::access::OperatorRole::Viewer), None).await;
    let forgot = async |email: &str| {
        stage.ask(Method::POST, "/auth/forgot", &[], Some(json!({"email": email}))).await
    };
    let (known, unknown) = (forgot("amina@example.com").await, forgot("nobody@example.com").await);
    assert_eq!((known.status, unknown.status), (202, 202));
    assert_eq!(known.body, unknown.body);
    let letter = letters.recv().await.unwrap();
    let accept = json!({"token": link(&letter), "password": "kesho ni siku nyingine"});
    assert_eq!(stage.ask(Method::POST, "/auth/accept", &[], Some(accept)).await.status, 204);
    assert!(stage.sign_in("amina@example.com", PASSWORD).await.is_none());
    assert!(letters.try_recv().is_err(), "nobody else got one");
}

#[tokio::test]
async fn a_mail_server_that_is_away_does_not_lose_the_link() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    drop(listener);
    let stage = Stage::with(&[("smtp_url", &url), ("mail_from", "bots@example.com")]).await;
    let stage = Arc::new(stage);
    let wish = json!({"email": "amina@example.com", "role": "ADMIN"});
    let made = stage.as_admin(Method::POST, "/admin/users", Some(wish)).await;
    assert_eq!((made.status, &made.body["mailed"]), (201, &json!(false)));
    assert!(made.body["link"]["url"].as_str().unwrap().contains("/invitation#"));
}
