//! The page on which phones are moved by hand, and what it lives on.

use reqwest::StatusCode;
use reqwest::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, ORIGIN};
use serde_json::{Value, json};
use whatsim::{Config, Sim, SimEvent, prepare_session};

use crate::bot::{ACCOUNT, ANN, EchoBot, PATIENCE, linked};
use crate::http::Script;

fn config() -> Config {
    Config { http_port: Some(0), ..Config::default() }
}

/// Every file that a text names behind this mark and a quotation mark.
fn named(text: &str, mark: &str) -> Vec<String> {
    let names = text.split(mark).skip(1).filter_map(|rest| rest.strip_prefix('"'));
    names.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

#[tokio::test]
async fn the_page_and_its_files_come_from_here_alone() {
    let sim = Sim::start(config()).await.unwrap();
    let url = sim.http_url().unwrap();
    let page = reqwest::get(format!("{url}/")).await.unwrap();
    let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert_eq!(page.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
    let page = page.text().await.unwrap();
    assert!(!page.contains("style=") && !page.contains("onclick"), "inline");
    let mut files: Vec<String> =
        [named(&page, "src="), named(&page, "href=")].concat().into_iter().collect();
    files.retain(|file| file.starts_with('/'));
    assert_eq!(files.len(), 2, "{files:?}");
    let mut place = 0;
    while let Some(file) = files.get(place).cloned() {
        let answer = reqwest::get(format!("{url}{file}")).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{file}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        let kind = answer.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
        let text = answer.text().await.unwrap();
        assert!(!text.contains("https://") && !text.contains("http://"), "{file}");
        if kind.starts_with("text/javascript") {
            let modules = named(&text, "from ").into_iter();
            let modules = modules.map(|module| module.replace("./", "/panel/"));
            files.extend(modules.filter(|module| !files.contains(module)).collect::<Vec<_>>());
        }
        place += 1;
    }
    assert_eq!(files.len(), 6, "{files:?}");
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let sim = Sim::start(config()).await.unwrap();
    let client = reqwest::Client::new();
    let url = sim.http_url().unwrap();
    let refuse = || client.post(format!("{url}/network")).json(&json!({ "refuse": true }));
    let foreign = [
        refuse().header(ORIGIN, "https://example.com"),
        refuse().header("sec-fetch-site", "cross-site"),
        refuse().header("host", "example.com"),
    ];
    for request in foreign {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        let fault: Value = answer.json().await.unwrap();
        assert_eq!(fault["code"], "foreign_origin");
        assert!(!sim.state().refusing);
    }
    // What a form of another site can send without asking first is no JSON.
    let form = client.post(format!("{url}/network")).body("{\"refuse\":true}");
    assert_eq!(form.send().await.unwrap().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let own = refuse().header(ORIGIN, &url).header("sec-fetch-site", "same-origin");
    assert_eq!(own.send().await.unwrap().status(), StatusCode::OK);
    assert!(sim.state().refusing);
}

#[tokio::test]
async fn the_code_on_the_screen_is_scanned() {
    let sim = Sim::start(config()).await.unwrap();
    let script = Script::new(&sim);
    let mut events = sim.events();
    sim.add_account(ACCOUNT).unwrap();
    assert_eq!(events.recv().await.unwrap(), SimEvent::AccountAdded { phone: ACCOUNT.to_owned() });
    let folder = tempfile::tempdir().unwrap();
    prepare_session(folder.path(), sim.server_key()).await.unwrap();
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    let code = bot.diary.qr().await;
    assert_eq!(events.recv().await.unwrap(), SimEvent::PairingOffered);

    let screen = format!("/accounts/{ACCOUNT}/screen");
    let (status, account) = script.put(&screen, json!({ "code": code })).await;
    assert_eq!((status, &account["screen"]), (StatusCode::OK, &json!(code)));
    assert_eq!(events.recv().await.unwrap(), SimEvent::Screen { phone: ACCOUNT.to_owned() });
    // The same again is no news.
    script.put(&screen, json!({ "code": code })).await;
    script.put(&screen, json!({ "code": null })).await;
    assert_eq!(events.recv().await.unwrap(), SimEvent::Screen { phone: ACCOUNT.to_owned() });
    assert!(sim.account(ACCOUNT).unwrap().screen.is_none());
    assert!(events.try_recv().is_err());

    script.put(&screen, json!({ "code": code })).await;
    let shown = sim.account(ACCOUNT).unwrap().screen.unwrap();
    let (status, _) = script.post("/scan", json!({ "qr": shown, "phone": ACCOUNT })).await;
    assert_eq!(status, StatusCode::OK);
    assert!(sim.account(ACCOUNT).unwrap().screen.is_none());

    let (status, fault) = script.put(&screen, json!({ "code": "a shopping list" })).await;
    assert_eq!((status.as_u16(), &fault["code"]), (400, &json!("malformed_qr")));
    let (status, fault) = script.put("/accounts/49155/screen", json!({ "code": null })).await;
    assert_eq!((status.as_u16(), &fault["code"]), (404, &json!("unknown_account")));
    bot.stop().await;
}

#[tokio::test]
async fn silence_and_its_end_and_every_text_are_told() {
    let (sim, bot, _folder) = linked(config()).await;
    let script = Script::new(&sim);
    let mut events = sim.events();
    assert!(!sim.account(ACCOUNT).unwrap().silent);
    script.post(&format!("/accounts/{ACCOUNT}/stall"), json!({})).await;
    assert!(sim.account(ACCOUNT).unwrap().silent);
    assert!(matches!(events.recv().await.unwrap(), SimEvent::FaultStruck { .. }));
    let (_, account) = script.post(&format!("/accounts/{ACCOUNT}/resume"), json!({})).await;
    assert_eq!(account["silent"], false);
    assert!(matches!(events.recv().await.unwrap(), SimEvent::FaultEnded { .. }));

    let id = sim.send_text(ANN, ACCOUNT, "hello").unwrap();
    let sent = SimEvent::Sent { contact: ANN.to_owned(), to: ACCOUNT.to_owned(), id };
    let told = async { while events.recv().await.unwrap() != sent {} };
    tokio::time::timeout(PATIENCE, told).await.unwrap();
    bot.stop().await;
}

#[tokio::test]
async fn the_network_goes_down_for_all_and_comes_back() {
    let (sim, bot, _folder) = linked(config()).await;
    let script = Script::new(&sim);
    let down = json!({ "refuse": true, "cut_linked": true, "cut_unlinked": true });
    let (_, state) = script.post("/network", down).await;
    assert_eq!(state["refusing"], true);
    sim.wait_link(ACCOUNT, whatsim::LinkState::Offline, PATIENCE).await.unwrap();
    script.post("/network", json!({ "refuse": false })).await;
    sim.wait_online(ACCOUNT, PATIENCE).await.unwrap();
    bot.stop().await;
}
