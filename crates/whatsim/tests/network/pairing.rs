//! From a prepared session over a QR code to a connected bot.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use whatsim::{Config, LinkState, SESSION_FILE, Sim, SimError, prepare_session};

use crate::bot::{ACCOUNT, ANN, EchoBot, PATIENCE, Seen, linked, network};

#[tokio::test]
async fn a_prepared_bot_is_paired_by_a_scan() {
    let started = Instant::now();
    let (sim, bot, folder) = linked(Config::default()).await;
    // Without the shared key it would be ten seconds.
    assert!(started.elapsed() < Duration::from_secs(9), "the first connection was slow");
    let account = sim.account(ACCOUNT).unwrap();
    assert_eq!(account.device, Some(1));
    assert_eq!(account.link, LinkState::Online);
    assert_eq!(sim.connected(), [ACCOUNT]);
    assert_eq!(sim.state().connections, 1);

    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.path().join(SESSION_FILE)), 0o600);
    bot.stop().await;
}

#[tokio::test]
async fn a_restarted_bot_logs_in_without_a_code() {
    let (sim, bot, folder) = linked(Config::default()).await;
    bot.stop().await;
    sim.wait_link(ACCOUNT, LinkState::Offline, PATIENCE).await.unwrap();

    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    bot.diary.connected(1).await;
    assert_eq!(bot.diary.count(|seen| matches!(seen, Seen::Qr(_))), 0);
    assert_eq!(sim.account(ACCOUNT).unwrap().logins, 2);
    bot.stop().await;
}

#[tokio::test]
async fn a_code_is_good_for_one_scan() {
    let sim = network(Config::default()).await;
    let folder = tempfile::tempdir().unwrap();
    prepare_session(folder.path(), sim.server_key()).await.unwrap();
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    let code = bot.diary.qr().await;
    assert!(matches!(sim.scan(&code, "4915550002").await, Err(SimError::UnknownAccount(_))));
    sim.scan(&code, ACCOUNT).await.unwrap();
    assert!(matches!(sim.scan(&code, ACCOUNT).await, Err(SimError::QrExpired)));
    assert!(matches!(sim.scan("nonsense", ACCOUNT).await, Err(SimError::MalformedQr(_))));
    bot.stop().await;
}

#[tokio::test]
async fn an_expired_code_is_unknown() {
    let config = Config {
        qr_first_lifetime: Duration::ZERO,
        qr_next_lifetime: Duration::ZERO,
        ..Config::default()
    };
    let sim = network(config).await;
    let folder = tempfile::tempdir().unwrap();
    prepare_session(folder.path(), sim.server_key()).await.unwrap();
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    let code = bot.diary.qr().await;
    assert!(matches!(sim.scan(&code, ACCOUNT).await, Err(SimError::QrExpired)));
    bot.stop().await;
}

#[tokio::test]
async fn a_forged_code_is_refused_by_the_companion() {
    let sim = network(Config::default()).await;
    let folder = tempfile::tempdir().unwrap();
    prepare_session(folder.path(), sim.server_key()).await.unwrap();
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    let code = bot.diary.qr().await;
    let mut fields: Vec<&str> = code.split(',').collect();
    fields[3] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let refused = sim.scan(&fields.join(","), ACCOUNT).await;
    let Err(SimError::PairingRefused { text, .. }) = refused else {
        panic!("a code with the wrong secret was accepted: {refused:?}");
    };
    assert_eq!(text, "hmac-mismatch");
    assert_eq!(sim.account(ACCOUNT).unwrap().link, LinkState::Unlinked);
    bot.stop().await;
}

#[tokio::test]
async fn a_second_scan_unlinks_the_device_before_it() {
    let (sim, first, _first_folder) = linked(Config::default()).await;
    let folder = tempfile::tempdir().unwrap();
    prepare_session(folder.path(), sim.server_key()).await.unwrap();
    let second = EchoBot::start(folder.path(), &sim.ws_url()).await;
    let code = second.diary.qr().await;
    let linked = sim.scan(&code, ACCOUNT).await.unwrap();
    assert_eq!(linked.device, 2);
    second.diary.connected(1).await;
    first.diary.wait(1, |seen| matches!(seen, Seen::LoggedOut { .. })).await;
    first.ended().await;
    second.stop().await;
}

#[tokio::test]
async fn a_paired_session_is_not_prepared_again() {
    let (sim, bot, folder) = linked(Config::default()).await;
    bot.stop().await;
    let refused = prepare_session(folder.path(), sim.server_key()).await;
    assert!(matches!(refused, Err(SimError::AlreadyPaired(_))));
}

#[tokio::test]
async fn preparing_makes_a_private_folder_and_may_be_repeated() {
    let sim = network(Config::default()).await;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("sessions/one");
    prepare_session(&folder, sim.server_key()).await.unwrap();
    prepare_session(&folder, sim.server_key()).await.unwrap();
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_restarted_network_with_its_key_is_still_trusted() {
    let state = tempfile::tempdir().unwrap();
    let config =
        Config { static_key_file: Some(state.path().join("static.key")), ..Config::default() };
    let first = network(config.clone()).await;
    let folder = tempfile::tempdir().unwrap();
    prepare_session(folder.path(), first.server_key()).await.unwrap();
    first.shutdown().await;

    let second = network(config).await;
    assert_eq!(first.server_key(), second.server_key());
    let bot = EchoBot::start(folder.path(), &second.ws_url()).await;
    let code = bot.diary.qr().await;
    second.scan(&code, ACCOUNT).await.unwrap();
    bot.diary.connected(1).await;
    bot.stop().await;
}

#[tokio::test]
async fn numbers_are_checked() {
    let sim = Sim::start(Config::default()).await.unwrap();
    for wrong in ["", "1234", "+4915550001", "0123456", "1234567890123456", "12ab56"] {
        assert!(matches!(sim.add_account(wrong), Err(SimError::InvalidPhone(_))), "{wrong}");
    }
    sim.add_contact("Ann", ANN).unwrap();
    assert!(matches!(sim.add_account(ANN), Err(SimError::NumberTaken(_))));
}
