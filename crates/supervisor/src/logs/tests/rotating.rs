//! Rotation, compression, and what others do to the files.

use std::io::Read;
use std::time::SystemTime;

use super::super::archive::{Archive, tend};
use super::super::file::LogFile;
use super::super::files::Files;
use super::super::plan::Rotation;
use super::super::rotation::{compressed, count, half_compressed, rotated};
use super::*;

const SMALL: Rotation = Rotation {
    max_bytes: 10,
    max_age: Duration::ZERO,
    keep: 3,
    compress: false,
    retention: Duration::ZERO,
};

fn file_in(dir: &tempfile::TempDir, rotation: Rotation) -> (PathBuf, LogFile) {
    let path = dir.path().join("a.log");
    let file = LogFile::new(path.as_path().into(), rotation, Archive::start().unwrap());
    (path, file)
}

fn write(file: &mut LogFile, text: &str) {
    file.prepare(Instant::now()).unwrap();
    file.write_lines(text.as_bytes(), None, &"me".into()).unwrap();
}

fn unpacked(path: &Path) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn so_many_are_kept_and_the_youngest_is_plain() {
    let dir = tempfile::tempdir().unwrap();
    let (path, mut file) = file_in(&dir, SMALL);
    let packing = Rotation { compress: true, ..SMALL };
    for number in 0..6 {
        write(&mut file, &format!("number {number}\nmore\n"));
        tend(&path, packing, SystemTime::now()).unwrap();
    }
    assert_eq!(read(&rotated(&path, 1)), "number 5\nmore\n");
    assert_eq!(unpacked(&compressed(&path, 2)), "number 4\nmore\n");
    assert_eq!(unpacked(&compressed(&path, 3)), "number 3\nmore\n");
    assert_eq!(count(&path), 3);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
}

#[test]
fn what_a_killed_compression_left_is_put_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let (path, mut file) = file_in(&dir, SMALL);
    fs::write(half_compressed(&path), "half").unwrap();
    fs::write(rotated(&path, 1), "plain 1").unwrap();
    fs::write(rotated(&path, 2), "plain 2").unwrap();
    tend(&path, Rotation { compress: true, ..SMALL }, SystemTime::now()).unwrap();
    assert!(!half_compressed(&path).exists() && !rotated(&path, 2).exists());
    assert_eq!(unpacked(&compressed(&path, 2)), "plain 2");
    // Killed between the last two steps: both are there.
    fs::write(rotated(&path, 2), "plain 2").unwrap();
    write(&mut file, "long enough\n");
    assert_eq!(unpacked(&compressed(&path, 3)), "plain 2");
    assert_eq!(read(&rotated(&path, 2)), "plain 1");
    assert_eq!(count(&path), 3);
}

#[test]
fn old_ones_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.log");
    let now = SystemTime::now();
    for (number, age) in [(1, 5), (2, 20), (3, 30)] {
        let file = File::create(rotated(&path, number)).unwrap();
        file.set_modified(now - Duration::from_secs(age)).unwrap();
    }
    let rotation = Rotation { retention: Duration::from_secs(10), ..SMALL };
    tend(&path, rotation, now).unwrap();
    assert_eq!(count(&path), 1);
}

#[test]
fn an_old_file_gives_way_at_a_line_end() {
    let dir = tempfile::tempdir().unwrap();
    let max_age = Duration::from_nanos(1);
    let (path, mut file) = file_in(&dir, Rotation { max_bytes: 0, max_age, ..SMALL });
    write(&mut file, "one\n");
    write(&mut file, "two\n");
    assert_eq!(read(&rotated(&path, 1)), "one\n");
    assert_eq!(read(&path), "two\n");
}

#[test]
fn without_kept_files_it_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (path, mut file) = file_in(&dir, Rotation { keep: 0, ..SMALL });
    write(&mut file, "long enough\n");
    write(&mut file, "two\n");
    assert_eq!(read(&path), "two\n");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn raw_files_rotate_at_line_ends_under_load() {
    let rig = Rig::new();
    let spec = rig.spec(|spec| {
        (spec.log_max_bytes, spec.log_keep, spec.log_compress) = (100_000, 1000, false);
    });
    let mut writer = rig.attach(0, &spec);
    let text: String = (0..50_000).map(|n| format!("line {n} {}\n", "x".repeat(n % 90))).collect();
    writer.say(&text);
    writer.attachment.drain().await;
    let path = &spec.out_file;
    let names = (1..=count(path)).rev().map(|n| rotated(path, n)).chain([path.clone()]);
    let all: Vec<String> = names.map(|name| read(&name)).collect();
    assert!(all.concat() == text, "nothing is lost or doubled");
    // Full files of 100,000 bytes and the rest of a line.
    assert_eq!(all.len(), text.len() / 100_000 + 1);
    assert!(all.iter().all(|text| text.is_empty() || text.ends_with('\n')));
}

#[tokio::test]
async fn an_endless_raw_line_rotates_at_twice_the_limit() {
    let rig = Rig::new();
    let spec = rig.spec(|spec| spec.log_max_bytes = 4096);
    let mut writer = rig.attach(0, &spec);
    writer.say([b'x'; 8191]);
    writer.until_file_is(&spec.out_file, &"x".repeat(8191)).await;
    writer.say("x");
    writer.until_file_is(&rotated(&spec.out_file, 1), &"x".repeat(8192)).await;
}

#[tokio::test]
async fn truncated_renamed_and_deleted_files_lose_nothing() {
    let rig = Rig::new();
    let spec = rig.spec(|_| {});
    let path = &spec.out_file;
    let mut writer = rig.attach(0, &spec);
    writer.say("one\n");
    writer.until_file_is(path, "one\n").await;
    File::create(path).unwrap();
    writer.say("two\n");
    writer.until_file_is(path, "two\n").await;
    fs::rename(path, rig.path("moved")).unwrap();
    writer.attachment.reopen();
    writer.say("three\n");
    writer.until_file_is(path, "three\n").await;
    assert_eq!(read(&rig.path("moved")), "two\n");
    // Without a word to us it takes a second at most.
    fs::rename(path, rig.path("moved again")).unwrap();
    let mut said = String::new();
    let deadline = Instant::now() + DEADLINE;
    while !path.exists() {
        assert!(Instant::now() < deadline);
        writer.say("x\n");
        said.push_str("x\n");
        let moved = writer.pulse.more();
        let _ = tokio::time::timeout(Duration::from_millis(20), moved).await;
    }
    writer.attachment.drain().await;
    assert_eq!(read(&rig.path("moved again")) + &read(path), format!("three\n{said}"));
}

#[tokio::test]
async fn a_flush_empties_the_files_and_leaves_no_hole() {
    let rig = Rig::new();
    let spec = rig.spec(|spec| {
        spec.error_file = Some(rig.path("e.log"));
        spec.log_type = LogType::Json;
    });
    let mut writer = rig.attach(0, &spec);
    let file = spec.out_file.clone();
    writer.complain("error\n");
    writer.say("x".repeat(100_000));
    writer.until("its begin is there", || read(&file).len() > 50_000).await;
    writer.attachment.flush().await.unwrap();
    assert_eq!(read(&file) + &read(&rig.path("e.log")), "");
    writer.say("rest\nnext\n");
    writer.attachment.drain().await;
    let found = messages(&file);
    assert!(found[0].ends_with("rest") && found[1] == "next" && found.len() == 2);
}

#[test]
fn only_so_many_files_are_open() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = Files::new(Archive::start().unwrap(), 3);
    let paths: Vec<_> =
        (0..10).map(|n| files.acquire(&dir.path().join(n.to_string()), SMALL)).collect();
    for round in 0..3 {
        for path in &paths {
            files.with(path, |file| write(file, &format!("{round}\n"))).unwrap();
            assert!(files.count_open() <= 3);
        }
    }
    assert!(paths.iter().all(|path| read(path) == "0\n1\n2\n"));
    paths.iter().for_each(|path| files.release(path));
    assert_eq!(files.count_open(), 0);
}
