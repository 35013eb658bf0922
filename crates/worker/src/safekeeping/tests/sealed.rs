//! Turning encryption on for a session that a disk spoiled. A process has one key, so the test runs in a process
//! of its own: this program again.

use std::process::Command;

use super::*;

const INSIDE: &str = "SAFEKEEPING_TEST_ALONE";

/// A word that is in every file of the session.
const SECRET: &[u8] = b"s3cret-s3cret";

fn shows_secrets(place: &Place) -> Vec<String> {
    let files = fs::read_dir(place.dir.path()).unwrap().map(|entry| entry.unwrap());
    let shown = files.filter(|file| {
        fs::read(file.path()).unwrap().windows(SECRET.len()).any(|window| window == SECRET)
    });
    shown.map(|file| file.file_name().into_string().unwrap()).collect()
}

/// A session with secrets in every one of its files, also in those that were left over.
fn session() -> Place {
    let place = Place::new();
    let secret = String::from_utf8_lossy(SECRET).into_owned();
    let store = BotStore::open(&place.dir.private_file(BOT).unwrap()).unwrap();
    store.set_login(Some("1:2@s.whatsapp.net")).unwrap();
    for number in 0..200 {
        let detail = format!("number {number} {secret} {}", "x".repeat(100));
        store.note("test.noted", &detail, Utc::now()).unwrap();
    }
    drop(store);
    place.log_in(500);
    let login = Connection::open(place.dir.path().join(LOGIN)).unwrap();
    login.execute_batch(&format!("CREATE TABLE '{secret}' (id INTEGER)")).unwrap();
    drop(login);
    crate::safekeeping::keeper::copy_now(place.dir.path());
    let plain = fs::read(place.dir.path().join(LOGIN)).unwrap();
    let headless = [b"no header at all".as_slice(), SECRET].concat();
    for (name, bytes) in [
        ("whatsapp.db.damaged-20200101T000000Z", plain.as_slice()),
        ("whatsapp.db.damaged-20200101T000001Z", &headless),
        ("bot.db.damaged-20200101T000000Z", &headless),
        ("whatsapp.db.copying", &plain),
        ("whatsapp.db.new", &plain),
    ] {
        fs::write(place.dir.path().join(name), bytes).unwrap();
    }
    place
}

#[test]
fn a_spoiled_session_is_sealed_with_everything_left_over_and_mended() {
    if std::env::var_os(INSIDE).is_none() {
        let name = "safekeeping::tests::sealed::a_spoiled_session_is_sealed_with_everything_left_over_and_mended";
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command.args(["--exact", name, "--nocapture"]).env(INSIDE, "1").output();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("1 passed"), "{said}");
        return;
    }
    let keys = tempfile::tempdir().unwrap();
    let key = keys.path().join("key");
    sealing::Key::read_or_make(&key).unwrap();
    let places: Vec<_> = [(LOGIN, 0), (LOGIN, 20), (BOT, 0), (BOT, 20), (BOT, 4 * 4096)]
        .into_iter()
        .map(|(name, from)| {
            let place = session();
            assert!(shows_secrets(&place).len() >= 8, "{:?}", shows_secrets(&place));
            let path = place.dir.path().join(name);
            let mut bytes = fs::read(&path).unwrap();
            bytes[from..from + 4096].fill(0xa5);
            fs::write(&path, bytes).unwrap();
            (place, name)
        })
        .collect();
    for (place, name) in places {
        let found = open(&place.dir, Some(&key)).unwrap();
        let wanted = if name == LOGIN { "session.restored" } else { "store.damaged" };
        assert_eq!(found.iter().map(|(name, _)| *name).collect::<Vec<_>>(), [wanted]);
        assert_eq!(shows_secrets(&place), [""; 0]);
        assert_eq!(place.keys(), 500);
        assert!(BotStore::open(&place.dir.path().join(BOT)).is_ok());
        assert_eq!(open(&place.dir, Some(&key)).unwrap(), []);
    }
}
