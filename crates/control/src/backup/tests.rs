use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use api::TenantId;
use api::tenant::TenantConfig;
use api::worker::{DesiredState, HeartbeatMode, RuntimeKind};
use rusqlite::Connection;
use sealing::{Key, Vault};
use store::{NewTenant, Store};

use super::archive::Writer;
use super::*;
use crate::config::{Home, Settings, Sources, resolve};

mod damage;

/// A home, with settings such as the server would have there.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn home(&self) -> Home {
        Home::new(self.0.path().join("home"))
    }

    fn settings(&self, file: Option<String>) -> Settings {
        let home = self.home();
        let flags = BTreeMap::from([("home", home.root().display().to_string())]);
        let file = file.map(|text| (home.config_file(), text));
        let cwd = self.0.path().to_owned();
        resolve(&Sources { flags, env: &|_| None, file, cwd }).unwrap().settings
    }

    async fn store(&self) -> Store {
        Store::open(self.settings(None).database_url.expose()).await.unwrap()
    }

    fn session(&self, tenant: TenantId) -> PathBuf {
        self.home().sessions().join(tenant.to_string())
    }

    fn archive(&self) -> PathBuf {
        self.0.path().join("backup.tar.gz")
    }

    async fn back_up(&self, protection: &Protection) -> Result<Summary, BackupError> {
        let settings = self.settings(None);
        let file = &self.archive();
        let wanted = Create { settings: &settings, file, protection, force: false };
        create(&wanted, &mut |_| {}).await
    }

    /// Restores a backup here.
    async fn restore(&self, file: &Path, how: How) -> Result<Restored, BackupError> {
        let home = self.home();
        let wanted = Restore {
            home: &home,
            file,
            unlock: &how.unlock,
            settings: &|file| Ok(self.settings(file)),
            force: how.force,
            start: how.start,
        };
        restore(&wanted, &mut |_| {}).await
    }
}

#[derive(Default)]
struct How {
    unlock: Unlock,
    force: bool,
    start: bool,
}

async fn tenant(store: &Store, name: &str) -> TenantId {
    let id = TenantId::generate();
    let config = TenantConfig {
        greeting: "Karibu".to_owned(),
        rate_limit_max_per_minute: 10,
        command: None,
        cwd: None,
        env: BTreeMap::new(),
        heartbeat: HeartbeatMode::Link,
    };
    let new = NewTenant {
        id,
        name: name.to_owned(),
        slug_base: name.to_lowercase(),
        phone: None,
        worker_name: format!("worker-{id}"),
        runtime: RuntimeKind::Local,
        config,
    };
    store.create(new).await.unwrap();
    store.want_running(id).await.unwrap();
    id
}

fn database(path: &Path, text: &str) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS t (a TEXT);")
        .unwrap();
    connection.execute("INSERT INTO t VALUES (?1)", [text]).unwrap();
    connection
}

fn text_of(path: &Path) -> String {
    let connection = Connection::open(path).unwrap();
    connection.query_row("SELECT a FROM t", [], |row| row.get(0)).unwrap()
}

/// An installation with two tenants, whose databases are open as those of running workers are.
async fn installation() -> (Place, [TenantId; 2], Vec<Connection>) {
    let place = Place::new();
    let home = place.home();
    fs::create_dir_all(home.keys()).unwrap();
    let store = place.store().await;
    let tenants = [tenant(&store, "Duka").await, tenant(&store, "Salon").await];
    let mut open = Vec::new();
    for id in tenants {
        let session = place.session(id);
        fs::create_dir_all(session.join("own")).unwrap();
        open.push(database(&session.join("whatsapp.db"), &format!("login of {id}")));
        open.push(database(&session.join("bot.db"), &format!("messages of {id}")));
        fs::write(session.join("own/notes.json"), "{}").unwrap();
        fs::write(session.join("worker.lock"), "1").unwrap();
    }
    let files = [
        ("tenantry.toml", "port = 0\n"),
        ("admin.token", "a token"),
        ("link.key", "a key"),
        ("people.key", "another key"),
    ];
    for (name, text) in files {
        fs::write(home.root().join(name), text).unwrap();
    }
    let media = home.media().join(tenants[0].to_string());
    fs::create_dir_all(&media).unwrap();
    fs::write(media.join("picture"), vec![7; 3_000_000]).unwrap();
    (place, tenants, open)
}

/// What is in an archive that is not encrypted, unpacked.
fn unpacked(file: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(fs::File::open(file).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

fn holds(bytes: &[u8], wanted: &str) -> bool {
    bytes.windows(wanted.len()).any(|part| part == wanted.as_bytes())
}

#[tokio::test]
async fn what_was_backed_up_comes_back_in_another_home() {
    use std::os::unix::fs::PermissionsExt as _;
    let (from, tenants, _open) = installation().await;
    let made = from.back_up(&Protection::None).await.unwrap();
    assert_eq!((made.sessions, made.warnings.len(), made.encrypted), (2, 0, false));
    assert_eq!(fs::metadata(from.archive()).unwrap().permissions().mode() & 0o777, 0o600);
    let left: Vec<_> = fs::read_dir(from.0.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 2, "the home and the backup: {left:?}");

    let to = Place::new();
    let done = to.restore(&from.archive(), How::default()).await.unwrap();
    assert_eq!((done.stopped, done.backup.rows, done.backup.sessions), (2, made.rows, 2));
    for name in ["tenantry.toml", "admin.token", "link.key", "people.key"] {
        let text = |place: &Place| fs::read_to_string(place.home().root().join(name)).unwrap();
        assert_eq!(text(&to), text(&from), "{name}");
    }
    for id in tenants {
        let session = to.session(id);
        assert_eq!(text_of(&session.join("whatsapp.db")), format!("login of {id}"));
        assert_eq!(text_of(&session.join("bot.db")), format!("messages of {id}"));
        assert!(session.join("own/notes.json").exists() && !session.join("worker.lock").exists());
    }
    let picture = to.home().media().join(tenants[0].to_string()).join("picture");
    assert_eq!(fs::read(picture).unwrap(), vec![7; 3_000_000]);
    let (before, after) = (from.store().await, to.store().await);
    let (before, after) = (before.tenants().await.unwrap(), after.tenants().await.unwrap());
    assert_eq!(after.len(), 2);
    for (before, mut after) in before.into_iter().zip(after) {
        assert_eq!(after.worker.desired, DesiredState::Stopped);
        after.worker.desired = before.worker.desired;
        assert_eq!(after, before);
    }
    assert!(!to.home().root().join("restoring").exists());
}

#[tokio::test]
async fn workers_run_again_only_where_that_is_said() {
    let (from, tenants, _open) = installation().await;
    from.back_up(&Protection::None).await.unwrap();
    let to = Place::new();
    let how = How { start: true, ..How::default() };
    assert_eq!(to.restore(&from.archive(), how).await.unwrap().stopped, 0);
    for id in tenants {
        let worker = to.store().await.tenant(id).await.unwrap().worker;
        assert_eq!(worker.desired, DesiredState::Running);
    }
}

#[tokio::test]
async fn sealed_sessions_stay_sealed_and_open_with_their_keys() {
    let (from, tenants, open) = installation().await;
    drop(open);
    for id in tenants {
        let key = Key::read_or_make(&from.home().keys().join(id.to_string())).unwrap();
        let names = ["whatsapp.db", "bot.db"];
        Vault::open(&from.session(id), &names, &[], Some(&key)).unwrap();
    }
    let made = from.back_up(&Protection::None).await.unwrap();
    assert!(made.warnings.is_empty(), "{:?}", made.warnings);
    let bytes = unpacked(&from.archive());
    assert!(holds(&bytes, "Duka") && !holds(&bytes, "login of"));
    let to = Place::new();
    let done = to.restore(&from.archive(), How::default()).await.unwrap();
    assert!(done.backup.warnings.is_empty(), "{:?}", done.backup.warnings);
    for id in tenants {
        let key = Key::read(&to.home().keys().join(id.to_string())).unwrap();
        sealing::Copier::new(Some(&key)).unwrap().check(&to.session(id).join("bot.db")).unwrap();
    }
}

#[tokio::test]
async fn a_damaged_session_is_taken_as_it_is_and_said() {
    let (from, tenants, open) = installation().await;
    drop(open);
    let path = from.session(tenants[0]).join("bot.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let made = from.back_up(&Protection::None).await.unwrap();
    assert!(made.warnings.iter().any(|it| it.contains("bot.db is damaged")), "{made:?}");
    let to = Place::new();
    let done = to.restore(&from.archive(), How::default()).await.unwrap();
    assert!(!done.backup.warnings.is_empty());
    assert_eq!(fs::read(to.session(tenants[0]).join("bot.db")).unwrap(), bytes);
}

#[tokio::test]
async fn a_file_that_is_there_is_not_replaced() {
    let (from, _, _open) = installation().await;
    fs::write(from.archive(), "mine").unwrap();
    let refused = from.back_up(&Protection::None).await.unwrap_err();
    assert!(matches!(refused, BackupError::Exists { .. }), "{refused}");
    assert_eq!(fs::read(from.archive()).unwrap(), b"mine");
    let settings = from.settings(None);
    let (file, protection) = (&from.archive(), &Protection::None);
    let wanted = Create { settings: &settings, file, protection, force: true };
    create(&wanted, &mut |_| {}).await.unwrap();
    assert!(fs::metadata(file).unwrap().len() > 1000);
}

#[tokio::test]
async fn a_home_in_use_is_left_alone_unless_told_and_then_moved_aside() {
    let (from, tenants, _open) = installation().await;
    from.back_up(&Protection::None).await.unwrap();
    let (to, others, open) = installation().await;
    drop(open);
    let refused = to.restore(&from.archive(), How::default()).await.unwrap_err();
    assert!(matches!(refused, BackupError::NotEmpty { .. }), "{refused}");
    let login = format!("login of {}", others[0]);
    assert_eq!(text_of(&to.session(others[0]).join("whatsapp.db")), login);

    let how = How { force: true, ..How::default() };
    let done = to.restore(&from.archive(), how).await.unwrap();
    let [aside] = done.moved_aside.as_slice() else { panic!("{done:?}") };
    let session = aside.join("sessions").join(others[0].to_string());
    assert_eq!(text_of(&session.join("whatsapp.db")), login);
    assert!(aside.join("tenantry.db").exists() && aside.join("admin.token").exists());
    assert!(to.session(tenants[0]).exists() && !to.session(others[0]).exists());
    assert_eq!(to.store().await.tenants().await.unwrap().len(), 2);
}

#[tokio::test]
async fn nothing_is_restored_beneath_what_runs() {
    use rustix::fs::{FlockOperation, flock};
    let (from, tenants, _open) = installation().await;
    from.back_up(&Protection::None).await.unwrap();
    let held = |path: &Path| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = fs::File::create(path).unwrap();
        flock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();
        file
    };
    let session = format!("sessions/{}/worker.lock", tenants[0]);
    for (lock, told) in [
        ("run/server.lock", "another tenantry server"),
        ("run/supervisor.lock", "a supervisor works on"),
        (session.as_str(), "a worker holds the session"),
    ] {
        let to = Place::new();
        let _held = held(&to.home().root().join(lock));
        let how = How { force: true, ..How::default() };
        let refused = to.restore(&from.archive(), how).await.unwrap_err();
        assert!(matches!(refused, BackupError::Running(_)), "{refused}");
        assert!(refused.to_string().contains(told), "{refused}");
        assert!(!to.home().database().exists());
    }
}

#[tokio::test]
async fn a_backup_of_sqlite_is_restored_into_postgres_and_back() {
    let (from, _, _open) = installation().await;
    let made = from.back_up(&Protection::None).await.unwrap();
    let (server, to) = (pgtest::Database::new(), Place::new());
    let on_server = |place: &Place, file: Option<String>| {
        let mut settings = place.settings(file);
        settings.database_url = crate::config::DatabaseUrl::new(server.url());
        settings
    };
    let home = to.home();
    let wanted = Restore {
        home: &home,
        file: &from.archive(),
        unlock: &Unlock::None,
        settings: &|file| Ok(on_server(&to, file)),
        force: false,
        start: true,
    };
    let done = restore(&wanted, &mut |_| {}).await.unwrap();
    assert_eq!(done.backup.rows, made.rows);
    assert!(!done.database.contains(pgtest::PASSWORD) && !home.database().exists());
    let before = from.store().await.tenants().await.unwrap();
    let there = Store::open(&server.url()).await.unwrap();
    assert_eq!(there.tenants().await.unwrap().len(), before.len());

    // What is restored there can be backed up there.
    let settings = on_server(&to, None);
    let file = &to.archive();
    let wanted = Create { settings: &settings, file, protection: &Protection::None, force: false };
    assert_eq!(create(&wanted, &mut |_| {}).await.unwrap().rows, made.rows);
    let back = Place::new();
    back.restore(file, How { start: true, ..How::default() }).await.unwrap();
    assert_eq!(back.store().await.tenants().await.unwrap().len(), before.len());

    // A database that holds something is left as it is.
    let again = Place::new();
    let home = again.home();
    let wanted = Restore {
        home: &home,
        file,
        unlock: &Unlock::None,
        settings: &|file| Ok(on_server(&again, file)),
        force: true,
        start: false,
    };
    let refused = restore(&wanted, &mut |_| {}).await.unwrap_err();
    assert!(refused.to_string().contains("not empty"), "{refused}");
    assert!(!home.admin_token().exists());
}
