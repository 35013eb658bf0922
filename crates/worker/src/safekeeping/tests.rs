use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use api::TenantId;
use chrono::Utc;
use rusqlite::Connection;

use super::{BOT, LOGIN, LOGIN_COPY, open};
use crate::session_dir::SessionDir;
use crate::store::BotStore;

struct Place {
    _home: tempfile::TempDir,
    dir: SessionDir,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let dir = SessionDir::hold(home.path(), TenantId::generate()).unwrap();
        Self { _home: home, dir }
    }

    /// A login of so many keys.
    fn log_in(&self, keys: u32) {
        let path = self.dir.private_file(LOGIN).unwrap();
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS key (id INTEGER);",
            )
            .unwrap();
        for key in 0..keys {
            connection.execute("INSERT INTO key VALUES (?1)", [key]).unwrap();
        }
    }

    fn keys(&self) -> u32 {
        let connection = Connection::open(self.dir.path().join(LOGIN)).unwrap();
        connection.query_row("SELECT count(*) FROM key", [], |row| row.get(0)).unwrap()
    }

    fn findings(&self) -> Vec<&'static str> {
        open(&self.dir, None).unwrap().into_iter().map(|(name, _)| name).collect()
    }

    fn damaged(&self, name: &str) -> usize {
        let prefix = format!("{name}.damaged-");
        let files = fs::read_dir(self.dir.path()).unwrap();
        files
            .filter(|it| it.as_ref().unwrap().file_name().to_string_lossy().starts_with(&prefix))
            .count()
    }
}

/// Writes over the middle of a file.
fn spoil(path: &Path, from: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[from..].fill(0xa5);
    fs::write(path, bytes).unwrap();
}

#[test]
fn sound_databases_and_new_sessions_are_left_alone() {
    let place = Place::new();
    assert_eq!(place.findings(), [""; 0]);
    place.log_in(3);
    super::keeper::copy_now(place.dir.path());
    drop(BotStore::open(&place.dir.private_file(BOT).unwrap()).unwrap());
    assert_eq!(place.findings(), [""; 0]);
    assert_eq!(place.keys(), 3);
    let mode = fs::metadata(place.dir.path().join(LOGIN_COPY)).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "the copy is as private as the login");
}

#[test]
fn a_damaged_or_missing_login_comes_back_from_its_copy() {
    type Harm = fn(&Path);
    let harms: [Harm; 4] = [
        |path| spoil(path, 0),
        |path| spoil(path, 4096),
        |path| fs::write(path, "").unwrap(),
        |path| fs::remove_file(path).unwrap(),
    ];
    for (number, harm) in harms.into_iter().enumerate() {
        let place = Place::new();
        place.log_in(500);
        super::keeper::copy_now(place.dir.path());
        harm(&place.dir.path().join(LOGIN));
        assert_eq!(place.findings(), ["session.restored"], "harm {number}");
        assert_eq!(place.keys(), 500);
        assert_eq!(place.damaged(LOGIN), usize::from(number < 3));
        assert!(place.dir.path().join(LOGIN_COPY).exists(), "it may be needed again");
        assert_eq!(place.findings(), [""; 0]);
    }
}

#[test]
fn without_a_good_copy_the_damaged_login_is_kept_for_whoever_can_mend_it() {
    let place = Place::new();
    place.log_in(500);
    spoil(&place.dir.path().join(LOGIN), 0);
    assert_eq!(place.findings(), ["session.damaged"]);
    assert_eq!(place.damaged(LOGIN), 1);
    assert!(!place.dir.path().join(LOGIN).exists());
}

#[test]
fn what_can_be_read_of_a_damaged_store_is_kept() {
    let place = Place::new();
    let path = place.dir.private_file(BOT).unwrap();
    let store = BotStore::open(&path).unwrap();
    store.set_login(Some("1:2@s.whatsapp.net")).unwrap();
    for number in 0..400 {
        store
            .note("test.noted", &format!("number {number} {}", "x".repeat(100)), Utc::now())
            .unwrap();
    }
    let old = store.store_id();
    drop(store);
    let length = fs::metadata(&path).unwrap().len();
    spoil(&path, usize::try_from(length).unwrap() - 4 * 4096);
    assert_eq!(place.findings(), ["store.damaged"]);
    let store = BotStore::open(&path).unwrap();
    assert_eq!(store.login().unwrap().as_deref(), Some("1:2@s.whatsapp.net"));
    assert!(store.oldest_events().unwrap().len() > 100);
    assert_ne!(store.store_id(), old, "the numbering begins anew");
    assert_eq!(place.damaged(BOT), 1);
    drop(store);

    spoil(&path, 0);
    assert_eq!(place.findings(), ["store.damaged"]);
    assert_eq!(BotStore::open(&path).unwrap().login().unwrap(), None);
}

#[test]
fn a_sealed_session_without_its_key_is_refused_and_left_alone() {
    let place = Place::new();
    place.log_in(3);
    fs::write(place.dir.path().join("sealed"), "0011223344556677\n").unwrap();
    let refused = open(&place.dir, None).unwrap_err().to_string();
    assert!(refused.contains("SESSION_KEY_FILE"), "{refused}");
    assert_eq!(place.keys(), 3);
}
