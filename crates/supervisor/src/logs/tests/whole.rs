//! One process with files of its own.

use super::*;

#[tokio::test]
async fn raw_bytes_come_as_they_are_written() {
    let rig = Rig::new();
    let spec = rig.spec(|spec| spec.out_file = rig.path("new/folder/a.log"));
    let mut writer = rig.attach(0, &spec);
    writer.say("one\ntw");
    writer.until_file_is(&spec.out_file, "one\ntw").await;
    writer.say("o\n\0\x1b");
    writer.until_file_is(&spec.out_file, "one\ntwo\n\0\x1b").await;
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&spec.out_file), 0o600);
    assert_eq!(mode(&rig.path("new/folder")), 0o700);
}

#[tokio::test]
async fn a_drain_moves_what_is_there_and_ends_the_last_line_where_lines_are_written() {
    let rig = Rig::new();
    let json = rig.spec(|spec| spec.log_type = LogType::Json);
    let raw = rig.spec(|spec| spec.out_file = rig.path("b.log"));
    let (mut a, mut b) = (rig.attach(0, &json), rig.attach(1, &raw));
    for text in ["one\nhalf", "two\nhalf\n", ""] {
        a.say(text);
        b.say(text);
        a.attachment.drain().await;
        b.attachment.drain().await;
    }
    assert_eq!(messages(&json.out_file), ["one", "half", "two", "half"]);
    assert_eq!(read(&raw.out_file), "one\nhalftwo\nhalf\n");
}

#[tokio::test]
async fn standard_error_has_its_own_file_and_both_have_another() {
    let rig = Rig::new();
    let spec = rig.spec(|spec| {
        spec.error_file = Some(rig.path("e.log"));
        spec.log_file = Some(rig.path("both.log"));
    });
    let mut writer = rig.attach(0, &spec);
    writer.say("out\n");
    writer.until_file_is(&rig.path("both.log"), "out\n").await;
    writer.complain("error\nunfinished");
    writer.until_file_is(&rig.path("both.log"), "out\nerror\n").await;
    assert_eq!(read(&spec.out_file), "out\n");
    writer.attachment.drain().await;
    assert_eq!(read(&rig.path("e.log")), "error\nunfinished\n");
    assert_eq!(read(&rig.path("both.log")), "out\nerror\nunfinished\n");
}

#[tokio::test]
async fn what_nobody_wants_is_thrown_away() {
    let rig = Rig::new();
    let spec = rig.spec(|spec| spec.out_file = PathBuf::from(crate::spec::NO_LOG));
    let mut writer = rig.attach(0, &spec);
    writer.say(vec![b'x'; 3 << 20]);
    writer.attachment.drain().await;
    assert_eq!(writer.attachment.forget().await, 0);
}

/// Of ten million bytes, with a character on each edge that there may be.
#[tokio::test]
async fn a_line_of_ten_megabytes_is_one_line() {
    let long = "é€😀x".repeat(1_000_000);
    let text = format!("before\n{long}\r\nafter\n");
    let rig = Rig::new();
    for (id, json, date) in [(0, false, None), (1, true, None), (2, false, Some("[at]"))] {
        let spec = rig.spec(|spec| {
            spec.out_file = rig.path(&format!("{id}.log"));
            spec.log_type = if json { LogType::Json } else { LogType::Raw };
            spec.log_date_format = date.map(str::to_owned);
            spec.log_max_bytes = 4096;
            spec.log_keep = 0;
            if !json {
                spec.log_max_bytes = 0;
            }
        });
        if json {
            // What was before is gone at the first rotation, and the line is kept whole.
            let spec = ProcessSpec { log_max_bytes: 100 << 20, ..spec.clone() };
            let mut writer = rig.attach(id, &spec);
            writer.say(&text);
            writer.attachment.drain().await;
            assert_eq!(messages(&spec.out_file), ["before", long.as_str(), "after"]);
            continue;
        }
        let mut writer = rig.attach(id, &spec);
        writer.say(&text);
        writer.attachment.drain().await;
        let start = if date.is_some() { "at: " } else { "" };
        let expected = format!("{start}before\n{start}{long}\r\n{start}after\n");
        assert!(read(&spec.out_file) == expected, "plan {id}");
    }
}

#[tokio::test]
async fn a_long_line_that_has_begun_stays_one_object() {
    let rig = Rig::new();
    let spec = rig.spec(|spec| spec.log_type = LogType::Json);
    let mut writer = rig.attach(0, &spec);
    let part = "x".repeat(200_000);
    writer.say(&part);
    let file = spec.out_file.clone();
    writer.until("it has begun", || read(&file).len() >= 100_000).await;
    let note = rig.path(".a.log.unfinished");
    assert!(note.exists());
    writer.say("\"end\nnext\n");
    writer.until("it has ended", || read(&file).ends_with("}\n") && lines(&file).len() == 2).await;
    assert_eq!(messages(&file), [format!("{part}\"end"), "next".to_owned()]);
    assert!(!note.exists());
}

#[tokio::test]
async fn bytes_one_by_one_make_one_line() {
    let rig = Rig::new();
    let spec = rig.spec(|spec| spec.log_type = LogType::Json);
    let mut writer = rig.attach(0, &spec);
    for byte in "né\nx\u{20ac}\n".as_bytes() {
        writer.say([*byte]);
        tokio::task::yield_now().await;
    }
    let file = spec.out_file.clone();
    writer.until("both are there", || lines(&file).len() == 2).await;
    assert_eq!(messages(&file), ["né", "x\u{20ac}"]);
}

#[tokio::test]
async fn a_new_plan_takes_effect() {
    let rig = Rig::new();
    let spec = rig.spec(|_| {});
    let mut writer = rig.attach(0, &spec);
    writer.say("raw");
    writer.until_file_is(&spec.out_file, "raw").await;
    let json = rig.spec(|spec| spec.log_type = LogType::Json);
    writer.attachment.reconfigure(LogPlan::of(0, &json));
    writer.say(" end\nnext\n");
    let file = spec.out_file.clone();
    writer.until("all is there", || lines(&file).len() == 2).await;
    let found = lines(&file);
    assert_eq!(found[0], "raw end");
    assert!(found[1].starts_with("{\"message\":\"next\""));
    let other = rig.spec(|spec| spec.out_file = rig.path("b.log"));
    writer.attachment.reconfigure(LogPlan::of(0, &other));
    writer.say("elsewhere\n");
    writer.until_file_is(&other.out_file, "elsewhere\n").await;
}
