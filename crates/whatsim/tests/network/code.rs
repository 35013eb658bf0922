//! Pairing by a code that is typed into the phone.

use std::time::Duration;

use whatsim::{Config, Fault, LinkState, Sim, SimError, SimEvent, prepare_session};

use crate::bot::{ACCOUNT, ANN, EchoBot, PATIENCE, Seen, network};

/// A bot that shows a code for [`ACCOUNT`]; the folder holds its session.
async fn with_code(sim: &Sim) -> (EchoBot, String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    prepare_session(folder.path(), sim.server_key()).await.unwrap();
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    bot.diary.qr().await;
    let code = bot.ask_for_code(ACCOUNT).await.unwrap();
    (bot, code, folder)
}

#[tokio::test]
async fn a_typed_code_links_the_bot() {
    let sim = network(Config::default()).await;
    let mut events = sim.events();
    let (bot, code, _folder) = with_code(&sim).await;
    assert_eq!(events.recv().await.unwrap(), SimEvent::PairingOffered);
    let requested = SimEvent::CodeRequested { phone: ACCOUNT.to_owned() };
    assert_eq!(events.recv().await.unwrap(), requested);
    // As a person would copy it from a screen.
    let (left, right) = code.split_at(4);
    let typed = format!("{}-{right}", left.to_lowercase());
    let linked = sim.enter_code(&typed, ACCOUNT).await.unwrap();
    assert_eq!((linked.phone.as_str(), linked.device), (ACCOUNT, 1));
    bot.diary.connected(1).await;
    sim.send_text(ANN, ACCOUNT, "hello").unwrap();
    let reply = sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    assert_eq!(reply.text, "echo: hello");
    assert!(matches!(sim.enter_code(&code, ACCOUNT).await, Err(SimError::CodeExpired)));
    bot.stop().await;
}

#[tokio::test]
async fn a_mistyped_code_may_be_corrected() {
    let sim = network(Config::default()).await;
    let (bot, code, _folder) = with_code(&sim).await;
    let wrong = if code == "AAAA1111" { "BBBB1111" } else { "AAAA1111" };
    assert!(matches!(sim.enter_code(wrong, ACCOUNT).await, Err(SimError::WrongCode)));
    assert_eq!(sim.account(ACCOUNT).unwrap().link, LinkState::Unlinked);
    sim.enter_code(&code, ACCOUNT).await.unwrap();
    bot.diary.connected(1).await;
    bot.stop().await;
}

#[tokio::test]
async fn a_code_is_good_for_three_attempts() {
    let sim = network(Config::default()).await;
    let (bot, code, _folder) = with_code(&sim).await;
    for _ in 0..3 {
        assert!(matches!(sim.enter_code("ZZZZZZZZ", ACCOUNT).await, Err(SimError::WrongCode)));
    }
    assert!(matches!(sim.enter_code(&code, ACCOUNT).await, Err(SimError::CodeExpired)));
    bot.stop().await;
}

#[tokio::test]
async fn an_old_code_is_not_accepted() {
    let config = Config { pairing_code_lifetime: Duration::ZERO, ..Config::default() };
    let sim = network(config).await;
    let (bot, code, _folder) = with_code(&sim).await;
    assert!(matches!(sim.enter_code(&code, ACCOUNT).await, Err(SimError::CodeExpired)));
    let stranger = sim.enter_code(&code, "4915550099").await;
    assert!(matches!(stranger, Err(SimError::UnknownAccount(_))));
    bot.stop().await;
}

#[tokio::test]
async fn a_bot_hears_that_its_code_expired() {
    let sim = network(Config::default()).await;
    let (bot, code, _folder) = with_code(&sim).await;
    sim.expire_codes(true);
    bot.diary.wait(1, |seen| *seen == Seen::CodeRefresh).await;
    assert!(matches!(sim.enter_code(&code, ACCOUNT).await, Err(SimError::CodeExpired)));
    sim.expire_codes(false);
    let code = bot.ask_for_code(ACCOUNT).await.unwrap();
    sim.enter_code(&code, ACCOUNT).await.unwrap();
    bot.diary.connected(1).await;
    bot.stop().await;
}

#[tokio::test]
async fn a_refused_code_has_a_reason() {
    let sim = network(Config::default()).await;
    sim.inject_times(ACCOUNT, Fault::RefusePairingCode { code: 429 }, 1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    prepare_session(folder.path(), sim.server_key()).await.unwrap();
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    bot.diary.qr().await;
    let refused = bot.ask_for_code(ACCOUNT).await.unwrap_err();
    assert!(refused.contains("429"), "{refused}");
    let unknown = bot.ask_for_code("4915550099").await.unwrap_err();
    assert!(unknown.contains("400"), "{unknown}");
    bot.ask_for_code(ACCOUNT).await.unwrap();
    bot.stop().await;
}
