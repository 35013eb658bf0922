//! The installation itself: what it is made of, its doctor, its backups.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;

use api::worker::HeartbeatMode;
use axum::http::Method;
use chrono::{DateTime, Utc};
use serde_json::json;

use super::stage::Stage;

#[tokio::test]
async fn the_installation_is_told() {
    let stage = Stage::with(&[("public_url", "https://bots.example.com")]).await;
    stage.tenant("duka", HeartbeatMode::Link).await;
    stage.person("amina@example.com", None, None).await;
    stage.plane.runtimes.take_into_use(api::worker::RuntimeKind::Local);
    let system = stage.get("/admin/system").await.body;
    assert_eq!(system["version"], env!("CARGO_PKG_VERSION"));
    let started: DateTime<Utc> = system["started_at"].as_str().unwrap().parse().unwrap();
    assert!(started <= Utc::now());
    assert_eq!(system["home"], stage.plane.settings.home.root().display().to_string());
    assert_eq!(system["public_url"], "https://bots.example.com");
    assert_eq!((&system["tls"], &system["mail"]), (&false.into(), &false.into()));
    assert_eq!((&system["tenants"], &system["users"]), (&1.into(), &1.into()));
    let database = &system["database"];
    assert_eq!(
        (&database["kind"], &database["schema"]),
        (&"sqlite".into(), &store::latest_schema().into())
    );
    assert!(database["version"].as_str().unwrap().starts_with("3."));
    assert!(
        database["size_bytes"].as_u64().unwrap() > 0 && database["migrations"].as_u64() > Some(9)
    );
    let runtime = &system["runtimes"][0];
    assert_eq!((&runtime["kind"], &runtime["state"]), (&"local".into(), &"UNREACHABLE".into()));
    assert_eq!((&runtime["workers"], runtime.get("version")), (&0.into(), None));
    assert!(runtime["detail"].is_string());
}

#[tokio::test]
async fn the_doctor_says_what_it_found() {
    let stage = Stage::new().await;
    let report = stage.get("/admin/system/doctor").await;
    assert_eq!(report.status, 200, "{}", report.body);
    assert_eq!(report.body["findings"][0]["level"], "warning");
    assert_eq!(report.body["findings"][0]["remedy"], "make room");
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_are_made_in_the_home_and_listed() {
    let stage = Stage::new().await;
    let list = async || stage.get("/admin/backups").await.body["items"].clone();
    let make = async |body| stage.as_admin(Method::POST, "/admin/backups", Some(body)).await;
    assert_eq!(list().await, json!([]));
    let plain = make(json!({})).await;
    assert_eq!((plain.status, &plain.body["encrypted"]), (201, &false.into()), "{}", plain.body);
    let key = age::x25519::Identity::generate().to_public().to_string();
    let sealed = make(json!({"recipients": [key]})).await;
    assert_eq!((sealed.status, &sealed.body["encrypted"]), (201, &true.into()));
    assert_eq!(make(json!({"recipients": [key, "age1x"]})).await.fields(), ["recipients[1]"]);
    let folder = stage.plane.settings.home.backups();
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    // What is none is not listed.
    for other in ["tenantry-x.tar.gz.part", "notes.txt"] {
        std::fs::write(folder.join(other), "x").unwrap();
    }
    std::fs::create_dir(folder.join("tenantry-folder.tar.gz")).unwrap();
    let listed = list().await;
    let listed = listed.as_array().unwrap();
    let names: BTreeSet<_> = listed.iter().map(|it| it["name"].as_str().unwrap()).collect();
    let made = [&plain, &sealed].map(|made| made.body["name"].as_str().unwrap());
    assert_eq!(names, BTreeSet::from(made));
    for made in [&plain, &sealed] {
        let listed = listed.iter().find(|it| it["name"] == made.body["name"]).unwrap();
        assert_eq!(listed, &made.body);
        let path = folder.join(made.body["name"].as_str().unwrap());
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let entries = stage.get("/admin/audit?action=backup.create").await.body;
    assert_eq!(entries["items"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unfinished_is_swept_away_before_a_backup_is_made() {
    let stage = Stage::new().await;
    let folder = stage.plane.settings.home.backups();
    std::fs::create_dir_all(&folder).unwrap();
    let left = folder.join("tenantry-2026-01-31T101112.123Z.tar.gz.part");
    std::fs::write(&left, "x").unwrap();
    let made = stage.as_admin(Method::POST, "/admin/backups", Some(json!({}))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert!(!left.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_backup_is_made_at_a_time() {
    let stage = Stage::new().await;
    let make = || stage.as_admin(Method::POST, "/admin/backups", Some(json!({})));
    let (one, two) = tokio::join!(make(), make());
    let mut answers = [one.code(), two.code()];
    answers.sort_unstable();
    assert_eq!(answers, [(201, ""), (409, "already_under_way")]);
    assert_eq!(make().await.status, 201);
}
