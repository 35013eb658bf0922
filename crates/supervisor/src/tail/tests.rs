use std::fs;
use std::io::Write;

use super::*;

fn spec(dir: &Path) -> ProcessSpec {
    ProcessSpec::new("a", vec!["true".to_owned()], dir.to_owned(), dir.join("a.log"))
}

fn texts(lines: Vec<LogLine>) -> Vec<String> {
    lines.into_iter().map(|line| line.line).collect()
}

#[test]
fn last_lines_reach_back_into_rotated_files() {
    let dir = tempfile::tempdir().unwrap();
    let spec = spec(dir.path());
    assert!(last_lines(&spec, 5).unwrap().is_empty());
    fs::write(dir.path().join("a.log.2"), "0\n").unwrap();
    fs::write(dir.path().join("a.log.1"), "1\n2\n").unwrap();
    fs::write(dir.path().join("a.log"), "3\r\n4\nfive").unwrap();
    let all = texts(last_lines(&spec, 100).unwrap());
    assert_eq!(all, ["0", "1", "2", "3", "4", "five"]);
    assert_eq!(texts(last_lines(&spec, 4).unwrap()), ["2", "3", "4", "five"]);
    assert_eq!(texts(last_lines(&spec, 1).unwrap()), ["five"]);
    assert!(last_lines(&spec, 0).unwrap().is_empty());
}

#[test]
fn last_lines_of_a_large_file() {
    let dir = tempfile::tempdir().unwrap();
    let spec = spec(dir.path());
    let text: String = (0..100_000).map(|n| format!("line {n}\n")).collect();
    fs::write(&spec.out_file, text).unwrap();
    let last = texts(last_lines(&spec, 9000).unwrap());
    assert_eq!(last.len(), 9000);
    assert_eq!((last[0].as_str(), last[8999].as_str()), ("line 91000", "line 99999"));
}

#[test]
fn a_follower_sees_each_line_once_through_a_rotation() {
    let dir = tempfile::tempdir().unwrap();
    let spec = spec(dir.path());
    fs::write(&spec.out_file, "old\nhal").unwrap();
    let (mut follower, before) = Follower::start(&spec.out_file, LogStream::Out, 5, 10).unwrap();
    assert_eq!(texts(before), ["old"]);
    let mut file = fs::OpenOptions::new().append(true).open(&spec.out_file).unwrap();
    file.write_all(b"f\nnew\n").unwrap();
    fs::rename(&spec.out_file, rotated(&spec.out_file, 1)).unwrap();
    fs::write(&spec.out_file, "fresh\n").unwrap();
    let mut seen = Vec::new();
    while let (lines, true) = follower.read_more().unwrap() {
        seen.extend(texts(lines));
    }
    assert_eq!(seen, ["half", "new", "fresh"]);
}

fn pack(path: &Path, text: &str) {
    let file = File::create(path).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap();
}

#[test]
fn last_lines_reach_back_into_compressed_files() {
    let dir = tempfile::tempdir().unwrap();
    let spec = spec(dir.path());
    pack(&compressed(&spec.out_file, 3), "0\n");
    pack(&compressed(&spec.out_file, 2), "1\r\n2\n");
    fs::write(rotated(&spec.out_file, 1), "3\n").unwrap();
    fs::write(&spec.out_file, "4\n").unwrap();
    assert_eq!(texts(last_lines(&spec, 100).unwrap()), ["0", "1", "2", "3", "4"]);
    assert_eq!(texts(last_lines(&spec, 3).unwrap()), ["2", "3", "4"]);
    fs::remove_file(&spec.out_file).unwrap();
    assert_eq!(texts(last_lines(&spec, 2).unwrap()), ["2", "3"]);
}

fn all(follower: &mut Follower) -> Vec<String> {
    let mut seen = Vec::new();
    while let (lines, true) = follower.read_more().unwrap() {
        seen.extend(texts(lines));
    }
    seen
}

#[test]
fn a_slow_follower_sees_each_line_once_through_several_rotations() {
    let dir = tempfile::tempdir().unwrap();
    let path = spec(dir.path()).out_file;
    fs::write(&path, "").unwrap();
    let (mut follower, _) = Follower::start(&path, LogStream::Out, 5, 10).unwrap();
    for number in 0..4 {
        for old in (1..=number).rev() {
            fs::rename(rotated(&path, old), rotated(&path, old + 1)).unwrap();
        }
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        writeln!(file, "{number}").unwrap();
        fs::rename(&path, rotated(&path, 1)).unwrap();
        fs::write(&path, "").unwrap();
    }
    fs::write(&path, "last\n").unwrap();
    assert_eq!(all(&mut follower), ["0", "1", "2", "3", "last"]);
    let (_, before) = Follower::start(&path, LogStream::Out, 5, 3).unwrap();
    assert_eq!(texts(before), ["2", "3", "last"]);
}

#[test]
fn a_follower_goes_on_after_a_truncation_and_a_deletion() {
    let dir = tempfile::tempdir().unwrap();
    let path = spec(dir.path()).out_file;
    let (mut follower, _) = Follower::start(&path, LogStream::Out, 5, 10).unwrap();
    assert!(all(&mut follower).is_empty());
    fs::write(&path, "one\ntwo\n").unwrap();
    assert_eq!(all(&mut follower), ["one", "two"]);
    fs::write(&path, "3\n").unwrap();
    assert_eq!(all(&mut follower), ["3"]);
    fs::remove_file(&path).unwrap();
    assert!(all(&mut follower).is_empty());
    fs::write(&path, "four\n").unwrap();
    assert_eq!(all(&mut follower), ["four"]);
}
