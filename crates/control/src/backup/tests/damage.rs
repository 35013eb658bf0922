//! Backups that are not as they were written, or not for us.

use std::io::Read as _;

use super::*;

/// A small installation's backup.
async fn small() -> (Place, Vec<u8>) {
    let place = Place::new();
    fs::create_dir_all(place.home().root()).unwrap();
    let store = place.store().await;
    let id = tenant(&store, "Duka").await;
    let session = place.session(id);
    fs::create_dir_all(&session).unwrap();
    drop(database(&session.join("bot.db"), "a message"));
    fs::write(place.home().admin_token(), "a token").unwrap();
    place.back_up(&Protection::None).await.unwrap();
    let bytes = fs::read(place.archive()).unwrap();
    (place, bytes)
}

/// Restores into a new home, which stays as it was when that is refused.
async fn refused(file: &Path, how: How) -> BackupError {
    let to = Place::new();
    let error = to.restore(file, how).await.expect_err("it must be refused");
    let left: Vec<_> = fs::read_dir(to.home().root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left, ["run"], "after {error}");
    error
}

#[tokio::test]
async fn a_backup_with_a_changed_byte_is_refused_wherever_it_is() {
    let (place, bytes) = small().await;
    let file = place.archive();
    // The first ten bytes say when and on which system it was packed, which is of no account, and that it is gzip.
    let positions = (10..bytes.len()).step_by(bytes.len() / 50).chain([0, 1, bytes.len() - 1]);
    let mut found = 0;
    for position in positions {
        let mut changed = bytes.clone();
        changed[position] ^= 0x10;
        if unpacked(&changed).is_some_and(|content| Some(content) == unpacked(&bytes)) {
            // A bit that fills a byte up, which the packing does not use.
            continue;
        }
        fs::write(&file, &changed).unwrap();
        let error = refused(&file, How::default()).await;
        let told = matches!(error, BackupError::Damaged { .. } | BackupError::Newer { .. });
        assert!(told, "byte {position}: {error}");
        found += 1;
    }
    assert!(found > 45, "{found}");
}

/// What is packed in it, if all of it can be read.
fn unpacked(archive: &[u8]) -> Option<Vec<u8>> {
    let (mut content, mut packed) = (Vec::new(), archive);
    flate2::bufread::GzDecoder::new(&mut packed).read_to_end(&mut content).ok()?;
    packed.is_empty().then_some(content)
}

#[tokio::test]
async fn a_backup_that_was_cut_short_or_goes_on_is_refused() {
    let (place, bytes) = small().await;
    let file = place.archive();
    for length in [0, 1, 9, 10, 500, bytes.len() / 2, bytes.len() - 9, bytes.len() - 1] {
        fs::write(&file, &bytes[..length]).unwrap();
        let error = refused(&file, How::default()).await;
        assert!(matches!(error, BackupError::Damaged { .. }), "{length} bytes: {error}");
    }
    fs::write(&file, [bytes.as_slice(), b"more"].concat()).unwrap();
    assert!(matches!(refused(&file, How::default()).await, BackupError::Damaged { .. }));
    fs::remove_file(&file).unwrap();
    assert!(matches!(refused(&file, How::default()).await, BackupError::Io { .. }));
}

#[tokio::test]
async fn a_backup_with_a_passphrase_opens_with_that_alone() {
    let (place, _) = small().await;
    fs::remove_file(place.archive()).unwrap();
    let passphrase = |text: &str| Passphrase::new(text).unwrap();
    let protection = Protection::Passphrase(passphrase("mti mrefu\n"));
    let made = place.back_up(&protection).await.unwrap();
    let bytes = fs::read(place.archive()).unwrap();
    assert!(made.encrypted && bytes.starts_with(b"age-encryption.org/"));
    let file = place.archive();
    assert!(matches!(refused(&file, How::default()).await, BackupError::Locked { .. }));
    let how = |text| How { unlock: Unlock::Passphrase(passphrase(text)), ..How::default() };
    let error = refused(&file, how("mti mfupi")).await;
    assert!(matches!(error, BackupError::Decrypt { .. }), "{error}");
    Place::new().restore(&file, how("mti mrefu")).await.unwrap();
    let mut changed = bytes.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&file, changed).unwrap();
    let error = refused(&file, how("mti mrefu")).await;
    assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
    assert!(Passphrase::new("\n").is_err());
}

#[tokio::test]
async fn a_backup_for_a_key_opens_with_its_secret_half() {
    use age::secrecy::ExposeSecret as _;
    let (place, _) = small().await;
    fs::remove_file(place.archive()).unwrap();
    let (ours, other) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
    let recipient: Recipient = ours.to_public().to_string().parse().unwrap();
    let made = place.back_up(&Protection::Recipients(vec![recipient])).await.unwrap();
    assert!(made.encrypted);
    let how = |key: &age::x25519::Identity| {
        let text = format!("# made by a test\n{}\n", key.to_string().expose_secret());
        How { unlock: Unlock::identities(&text).unwrap(), ..How::default() }
    };
    let file = place.archive();
    let error = refused(&file, how(&other)).await;
    assert!(matches!(error, BackupError::Decrypt { .. }), "{error}");
    Place::new().restore(&file, how(&ours)).await.unwrap();
    assert!(Unlock::identities("# none\n").is_err() && Unlock::identities("AGE-1").is_err());
    assert!("age1".parse::<Recipient>().is_err());
}

/// An archive of this header and files.
fn made(place: &Place, header: &Header, files: &[(&str, &str)], manifest: Manifest) -> PathBuf {
    let file = place.archive();
    let mut writer = Writer::begin(file.with_extension("part"), &Protection::None).unwrap();
    writer.add_json(HEADER, header).unwrap();
    for (path, text) in files {
        writer.add(path, text.len() as u64, &mut text.as_bytes()).unwrap();
    }
    writer.finish(manifest).unwrap().part.become_file(&file).unwrap();
    file
}

fn header() -> Header {
    Header {
        format: FORMAT,
        program: "9.9.9".to_owned(),
        schema: store::latest_schema(),
        created_at: Utc::now(),
        tables: Vec::new(),
    }
}

#[tokio::test]
async fn a_backup_of_a_newer_program_is_refused_and_says_so() {
    let place = Place::new();
    for newer in [
        Header { format: FORMAT + 1, ..header() },
        Header { schema: "m9999_later".to_owned(), ..header() },
    ] {
        let file = made(&place, &newer, &[], Manifest::default());
        let error = refused(&file, How::default()).await;
        assert!(matches!(error, BackupError::Newer { .. }), "{error}");
        assert!(error.to_string().contains("9.9.9"), "{error}");
    }
}

#[tokio::test]
async fn a_backup_with_foreign_files_or_rows_is_refused() {
    let place = Place::new();
    for path in ["elsewhere", "tables", "runs/x"] {
        let file = made(&place, &header(), &[(path, "x")], Manifest::default());
        let error = refused(&file, How::default()).await;
        assert!(matches!(error, BackupError::Damaged { .. }), "{path}: {error}");
    }
    let table = store::tables().into_iter().find(|table| table.name == "deletion").unwrap();
    let tables = vec![DumpedTable { table, last_number: None }];
    let header = Header { tables, ..header() };
    for rows in ["[]\n", "no\n", ""] {
        // The list says one row.
        let sum = Sum { rows: 1, sum: 1 };
        let sums = vec![TableSum { table: "deletion".to_owned(), sum }];
        let manifest = Manifest { tables: sums, ..Manifest::default() };
        let file = made(&place, &header, &[("tables/deletion/00000000", rows)], manifest);
        let error = refused(&file, How::default()).await;
        assert!(matches!(error, BackupError::Damaged { .. }), "{rows:?}: {error}");
    }
}
