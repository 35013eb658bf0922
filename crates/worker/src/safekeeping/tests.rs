use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use api::TenantId;
use chrono::Utc;
use rusqlite::Connection;
use sealing::{KeyError, VaultError};

use super::{BOT, COPYING, LOGIN, LOGIN_COPY, SafekeepingError, delete_login, open};
use crate::session_dir::SessionDir;
use crate::store::BotStore;

mod salvaging;
mod sealed;

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
fn a_login_that_was_ended_does_not_come_back() {
    type Harm = fn(&Path);
    let harms: [Harm; 2] = [|path| fs::remove_file(path).unwrap(), |path| spoil(path, 4096)];
    for harm in harms {
        let place = Place::new();
        place.log_in(500);
        super::keeper::copy_now(place.dir.path());
        let store = BotStore::open(&place.dir.private_file(BOT).unwrap()).unwrap();
        store.set_login(Some("1:2@s.whatsapp.net")).unwrap();
        store.set_login(None).unwrap();
        drop(store);
        harm(&place.dir.path().join(LOGIN));
        assert!(!place.findings().contains(&"session.restored"));
        assert!(!place.dir.path().join(LOGIN).exists());
        assert!(!place.dir.path().join(LOGIN_COPY).exists());
    }
}

#[test]
fn with_the_login_goes_everything_that_holds_its_keys() {
    let place = Place::new();
    drop(BotStore::open(&place.dir.private_file(BOT).unwrap()).unwrap());
    place.log_in(500);
    super::keeper::copy_now(place.dir.path());
    for name in [COPYING, "whatsapp.db.new", "whatsapp.db.damaged-1", "whatsapp.db.damaged-1-wal"] {
        fs::write(place.dir.path().join(name), "keys").unwrap();
    }
    delete_login(place.dir.path()).unwrap();
    delete_login(place.dir.path()).unwrap();
    let mut left: Vec<_> = fs::read_dir(place.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["bot.db", "worker.lock"]);
}

#[test]
fn the_newest_damaged_files_are_kept_and_half_made_ones_are_not() {
    let place = Place::new();
    for hour in 10..16 {
        let name = format!("whatsapp.db.damaged-20200101T{hour}0000Z");
        fs::write(place.dir.path().join(&name), "").unwrap();
        fs::write(place.dir.path().join(format!("{name}-wal")), "").unwrap();
    }
    fs::write(place.dir.path().join(COPYING), "half of it").unwrap();
    place.log_in(500);
    spoil(&place.dir.path().join(LOGIN), 0);
    assert_eq!(place.findings(), ["session.damaged"]);
    let oldest = place.dir.path().join("whatsapp.db.damaged-20200101T140000Z");
    assert!(oldest.exists());
    assert_eq!(place.damaged(LOGIN), 5, "three, two of them with a log");
    assert!(!place.dir.path().join(COPYING).exists());
}

/// Another start would be in vain only for want of the key.
#[test]
fn only_a_missing_or_wrong_key_is_told_as_one() {
    use std::io::{Error, ErrorKind};
    let io = |kind| Error::new(kind, "x");
    let (what, path) = ("read", std::path::PathBuf::from("x"));
    let key = |kind| KeyError::Io { what, path: path.clone(), source: io(kind) };
    let vault = VaultError::Io { what, path: path.clone(), source: io(ErrorKind::StorageFull) };
    let full = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(13), None);
    let database = VaultError::Database { path: path.clone(), source: full };
    let code = |error: SafekeepingError| crate::error::WorkerError::from(error).exit_code();
    for (error, expected) in [
        (VaultError::NoKey { folder: path.clone() }.into(), 79),
        (VaultError::OtherKey { folder: path.clone() }.into(), 79),
        (KeyError::Content { path: path.clone() }.into(), 79),
        (key(ErrorKind::NotFound).into(), 79),
        (key(ErrorKind::PermissionDenied).into(), 1),
        (vault.into(), 1),
        (database.into(), 1),
    ] {
        let said: SafekeepingError = error;
        let text = said.to_string();
        assert_eq!(code(said), expected, "{text}");
    }
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
