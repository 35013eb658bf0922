//! Real databases. A process has one key, so each test runs in a process of its own: this program again.

use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;

use crate::{Key, Vault, VaultError, register};

/// Runs the body of `test` in a process of its own, where `register` has not been called yet.
fn alone(test: &str, body: fn(&Path)) {
    const INSIDE: &str = "SEALING_TEST_FOLDER";
    if let Some(folder) = std::env::var_os(INSIDE) {
        body(Path::new(&folder));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let name = format!("vfs::tests::{test}");
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", &name, "--nocapture"]).env(INSIDE, folder.path());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

fn filled(path: &Path, rows: i64) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT);",
        )
        .unwrap();
    for id in 0..rows {
        let text = format!("a secret that nobody may read, number {id}");
        connection.execute("INSERT INTO note (text) VALUES (?1)", [text]).unwrap();
    }
    connection
}

fn rows(connection: &Connection) -> i64 {
    let sql = "SELECT count(*) FROM note WHERE text LIKE 'a secret that nobody may read, number %'";
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Whether a file of the folder shows what is in it.
fn shows_secrets(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(8).any(|window| window == b"a secret")
    })
}

/// A folder with what a kill at this moment would leave: the files as they are, and nobody's locks.
fn after_a_kill(folder: &Path) -> PathBuf {
    let left = folder.join("left");
    std::fs::create_dir(&left).unwrap();
    for name in ["a.db", "a.db-wal"] {
        std::fs::copy(folder.join(name), left.join(name)).unwrap();
    }
    left
}

fn key(folder: &Path) -> Key {
    Key::read_or_make(&folder.join("a.key")).unwrap()
}

#[test]
fn a_sealed_database_shows_nothing_and_works() {
    alone("a_sealed_database_shows_nothing_and_works", |folder| {
        let path = folder.join("a.db");
        register(&key(folder)).unwrap();
        let connection = filled(&path, 300);
        assert!(!shows_secrets(folder));
        // A second connection reads what still stands in the log.
        assert_eq!(rows(&Connection::open(&path).unwrap()), 300);
        connection
            .execute_batch("PRAGMA wal_checkpoint(TRUNCATE); DELETE FROM note WHERE id % 2;")
            .unwrap();
        connection.execute_batch("VACUUM;").unwrap();
        assert_eq!(rows(&connection), 150);
        let copy = folder.join("b.db");
        connection.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
        drop(connection);
        assert_eq!(rows(&Connection::open(&copy).unwrap()), 150);
        let sound: String = Connection::open(&path)
            .unwrap()
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(sound, "ok");
        assert!(!shows_secrets(folder));
        assert_eq!(register(&key(folder)), Ok(()));
        let other = Key::read_or_make(&folder.join("other.key")).unwrap();
        assert_eq!(register(&other), Err(super::RegisterError::OtherKey));
    });
}

#[test]
fn rollback_journals_are_sealed_too() {
    alone("rollback_journals_are_sealed_too", |folder| {
        let path = folder.join("a.db");
        register(&key(folder)).unwrap();
        let connection = filled(&path, 100);
        connection.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1;").unwrap();
        connection.execute_batch("BEGIN; UPDATE note SET text = 'x' || text;").unwrap();
        assert!(folder.join("a.db-journal").exists());
        assert!(!shows_secrets(folder));
        connection.execute_batch("ROLLBACK;").unwrap();
        assert_eq!(rows(&connection), 100);
    });
}

#[test]
fn a_plain_folder_is_sealed_with_what_its_log_holds() {
    alone("a_plain_folder_is_sealed_with_what_its_log_holds", |folder| {
        let connection = filled(&folder.join("a.db"), 40);
        let key = key(folder);
        let folder = &after_a_kill(folder);
        drop(connection);
        let path = folder.join("a.db");
        assert!(shows_secrets(folder));
        assert!(!Vault::open(folder, &["a.db"], &[], None).unwrap().is_sealed());
        register(&key).unwrap();
        for _ in 0..2 {
            assert!(
                Vault::open(folder, &["a.db", "none.db"], &[], Some(&key)).unwrap().is_sealed()
            );
            assert!(!shows_secrets(folder));
            assert_eq!(rows(&filled(&path, 0)), 40);
        }
        assert!(matches!(Vault::open(folder, &["a.db"], &[], None), Err(VaultError::NoKey { .. })));
        let other = Key::read_or_make(&folder.join("other.key")).unwrap();
        let refused = Vault::open(folder, &["a.db"], &[], Some(&other));
        assert!(matches!(refused, Err(VaultError::OtherKey { .. })));
    });
}

#[test]
fn a_sealed_log_survives_a_kill() {
    alone("a_sealed_log_survives_a_kill", |folder| {
        register(&key(folder)).unwrap();
        let connection = filled(&folder.join("a.db"), 25);
        let left = after_a_kill(folder);
        drop(connection);
        assert_eq!(rows(&Connection::open(left.join("a.db")).unwrap()), 25);
    });
}

/// What a disk may have done to a database before it is sealed, with rows that stand in the log alone.
#[test]
fn a_damaged_database_is_sealed_as_it_is_and_its_log_too() {
    alone("a_damaged_database_is_sealed_as_it_is_and_its_log_too", |folder| {
        let connection = filled(&folder.join("a.db"), 300);
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);").unwrap();
        filled(&folder.join("a.db"), 30);
        let key = key(folder);
        let left = after_a_kill(folder);
        drop(connection);
        let (path, log) = (left.join("a.db"), left.join("a.db-wal"));
        let plain = (std::fs::read(&path).unwrap(), std::fs::read(&log).unwrap());
        for (number, spoiled) in [0..16, 16..100, 8192..12288].into_iter().enumerate() {
            let home = left.join(number.to_string());
            std::fs::create_dir(&home).unwrap();
            for name in ["a.db", "a.db.damaged"] {
                let mut bytes = plain.0.clone();
                bytes[spoiled.clone()].fill(0xa5);
                std::fs::write(home.join(name), bytes).unwrap();
                std::fs::write(home.join(format!("{name}-wal")), &plain.1).unwrap();
            }
            for _ in 0..2 {
                let aside = ["a.db.damaged".to_owned()];
                Vault::open(&home, &["a.db"], &aside, Some(&key)).unwrap();
                assert!(!shows_secrets(&home), "{spoiled:?}");
            }
        }
        // What is lost is the spoiled page alone.
        register(&key).unwrap();
        let damaged = Connection::open(left.join("2").join("a.db.damaged")).unwrap();
        let newest = "SELECT count(*) FROM (SELECT id FROM note ORDER BY id DESC LIMIT 100)";
        let count: i64 = damaged.query_row(newest, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 100);
    });
}
