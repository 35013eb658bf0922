use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{RotatingFile, RotationSettings};

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn lines_are_never_split_and_old_files_are_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs/server.log");
    let mut file = RotatingFile::open(&path, RotationSettings { max_bytes: 20, keep: 2 }).unwrap();
    for number in 0..10 {
        file.write_line(format!("line {number}\n").as_bytes()).unwrap();
    }
    assert_eq!(read(&path), "line 8\nline 9\n");
    assert_eq!(read(&path.with_extension("log.1")), "line 6\nline 7\n");
    assert_eq!(read(&path.with_extension("log.2")), "line 4\nline 5\n");
    assert!(!path.with_extension("log.3").exists());
}

#[test]
fn a_line_longer_than_a_file_is_kept_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.log");
    let mut file = RotatingFile::open(&path, RotationSettings { max_bytes: 4, keep: 1 }).unwrap();
    file.write_line(b"much too long\n").unwrap();
    assert_eq!(read(&path), "much too long\n");
    file.write_line(b"ab\n").unwrap();
    assert_eq!(read(&path), "ab\n");
    assert_eq!(read(&path.with_extension("log.1")), "much too long\n");
}

#[test]
fn a_reopened_file_goes_on_after_a_torn_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.log");
    fs::write(&path, "whole\nto").unwrap();
    let mut file = RotatingFile::open(&path, RotationSettings::default()).unwrap();
    file.write_line(b"next\n").unwrap();
    assert_eq!(read(&path), "whole\nto\nnext\n");
}

#[test]
fn only_the_owner_can_read_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs/server.log");
    fs::create_dir(folder.path().join("logs")).unwrap();
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let mut file = RotatingFile::open(&path, RotationSettings { max_bytes: 3, keep: 1 }).unwrap();
    file.write_line(b"one\n").unwrap();
    file.write_line(b"two\n").unwrap();
    for path in [&path, &path.with_extension("log.1")] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn without_old_files_the_current_one_starts_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.log");
    let mut file = RotatingFile::open(&path, RotationSettings { max_bytes: 5, keep: 0 }).unwrap();
    file.write_line(b"one\n").unwrap();
    file.write_line(b"two\n").unwrap();
    assert_eq!(read(&path), "two\n");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// `/dev/full` opens like a file and refuses every write, as a full disk does.
#[test]
fn lost_lines_are_counted_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.log");
    let mut file = RotatingFile::open(&path, RotationSettings::default()).unwrap();
    let good = std::mem::replace(
        &mut file.file,
        fs::OpenOptions::new().write(true).open("/dev/full").unwrap(),
    );
    assert!(file.write_line(b"one\n").is_err());
    assert!(file.write_line(b"two\n").is_err());
    file.file = good;
    file.write_line(b"three\n").unwrap();
    let text = read(&path);
    assert!(text.contains("\"lost\":2}"), "{text}");
    assert!(text.ends_with("three\n"), "{text}");
}
