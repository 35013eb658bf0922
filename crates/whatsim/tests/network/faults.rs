//! Lost connections, silence, and the ends of a session.

use whatsim::{Config, Fault, LinkState, SimError, SimEvent};

use crate::bot::{ACCOUNT, ANN, EchoBot, PATIENCE, Seen, linked};

fn is_logout(seen: &Seen) -> bool {
    matches!(seen, Seen::LoggedOut { .. })
}

#[tokio::test]
async fn a_cut_bot_comes_back_and_answers_what_was_sent_meanwhile() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.cut(ACCOUNT).unwrap();
    sim.wait_link(ACCOUNT, LinkState::Offline, PATIENCE).await.unwrap();
    sim.send_text(ANN, ACCOUNT, "meanwhile").unwrap();
    bot.diary.wait(1, |seen| *seen == Seen::Disconnected).await;
    bot.diary.connected(2).await;
    let reply = sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    assert_eq!(reply.text, "echo: meanwhile");
    assert_eq!(sim.account(ACCOUNT).unwrap().logins, 2);
    bot.stop().await;
}

#[tokio::test]
async fn a_stalled_connection_delivers_once_it_is_resumed() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.stall(ACCOUNT).unwrap();
    let id = sim.send_text(ANN, ACCOUNT, "are you there").unwrap();
    let waited = std::time::Duration::from_millis(300);
    assert!(matches!(sim.wait_for_reply(ANN, 0, waited).await, Err(SimError::TimedOut("a reply"))));
    sim.resume(ACCOUNT).unwrap();
    sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    sim.wait_confirmed(ANN, &id, PATIENCE).await.unwrap();
    bot.stop().await;
}

#[tokio::test]
async fn a_replaced_bot_ends_without_losing_its_session() {
    let (sim, bot, folder) = linked(Config::default()).await;
    sim.replace(ACCOUNT).unwrap();
    bot.diary.wait(1, |seen| *seen == Seen::Replaced).await;
    bot.ended().await;

    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    bot.diary.connected(1).await;
    bot.stop().await;
}

#[tokio::test]
async fn an_unlinked_bot_is_logged_out() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    sim.logout(ACCOUNT).unwrap();
    let seen = bot.diary.wait(1, is_logout).await;
    assert_eq!(seen, Seen::LoggedOut { on_connect: false });
    bot.ended().await;
    assert_eq!(sim.account(ACCOUNT).unwrap().link, LinkState::Unlinked);
    assert!(matches!(sim.send_text(ANN, ACCOUNT, "gone"), Err(SimError::NotLinked(_))));
}

#[tokio::test]
async fn a_bot_unlinked_while_off_is_refused() {
    let (sim, bot, folder) = linked(Config::default()).await;
    bot.stop().await;
    sim.wait_link(ACCOUNT, LinkState::Offline, PATIENCE).await.unwrap();
    sim.logout(ACCOUNT).unwrap();
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    let seen = bot.diary.wait(1, is_logout).await;
    assert_eq!(seen, Seen::LoggedOut { on_connect: true });
    bot.ended().await;
}

#[tokio::test]
async fn a_bot_can_unlink_itself() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    bot.log_out().await;
    sim.wait_link(ACCOUNT, LinkState::Unlinked, PATIENCE).await.unwrap();
}

#[tokio::test]
async fn refused_connections_end_when_they_are_allowed_again() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    let mut events = sim.events();
    sim.refuse_connections(true);
    sim.cut(ACCOUNT).unwrap();
    sim.wait_link(ACCOUNT, LinkState::Offline, PATIENCE).await.unwrap();
    assert!(sim.connected().is_empty());
    sim.refuse_connections(false);
    sim.wait_online(ACCOUNT, PATIENCE).await.unwrap();
    let phone = ACCOUNT.to_owned();
    let struck = SimEvent::FaultStruck { phone: phone.clone(), fault: Fault::Cut };
    assert_eq!(events.recv().await.unwrap(), SimEvent::Refusing { refusing: true });
    assert_eq!(events.recv().await.unwrap(), struck);
    assert_eq!(events.recv().await.unwrap(), SimEvent::Offline { phone: phone.clone() });
    assert_eq!(events.recv().await.unwrap(), SimEvent::Refusing { refusing: false });
    assert_eq!(events.recv().await.unwrap(), SimEvent::Online { phone });
    bot.stop().await;
}

#[tokio::test]
async fn a_second_process_on_the_same_session_takes_over() {
    let (sim, first, folder) = linked(Config::default()).await;
    let second = EchoBot::start(folder.path(), &sim.ws_url()).await;
    second.diary.connected(1).await;
    first.diary.wait(1, |seen| *seen == Seen::Replaced).await;
    first.ended().await;
    second.stop().await;
}

#[tokio::test]
async fn orders_for_absent_bots_are_errors() {
    let sim = crate::bot::network(Config::default()).await;
    assert!(matches!(sim.cut(ACCOUNT), Err(SimError::NotLinked(_))));
    assert!(matches!(sim.logout(ACCOUNT), Err(SimError::NotLinked(_))));
    assert!(matches!(sim.stall("4915550002"), Err(SimError::UnknownAccount(_))));
    assert!(matches!(sim.send_text(ACCOUNT, ACCOUNT, "x"), Err(SimError::UnknownContact(_))));
}
