//! Disks that refuse.

use super::*;

/// Every write to it fails as on a full disk.
const FULL: &str = "/dev/full";

#[tokio::test]
async fn a_full_disk_is_told_and_keeps_the_bytes_in_the_pipe() {
    for json in [false, true] {
        let rig = Rig::new();
        let spec = rig.spec(|spec| {
            spec.out_file = PathBuf::from(FULL);
            spec.log_type = if json { LogType::Json } else { LogType::Raw };
        });
        let mut writer = rig.attach(0, &spec);
        writer.say("one\ntwo\n");
        let attachment = std::mem::replace(&mut writer.attachment, rig.attach(9, &spec).attachment);
        writer.until("it is told", || attachment.trouble().is_some()).await;
        let trouble = attachment.trouble().unwrap();
        assert!(trouble.starts_with("/dev/full: No space left"), "{trouble}");
        // The disk does not come back; nobody waits for it, and nothing is thrown away.
        attachment.drain().await;
        assert_eq!(attachment.bytes_lost(), 0);
        // There is room again.
        let good = rig.spec(|spec| {
            spec.log_type = if json { LogType::Json } else { LogType::Raw };
        });
        attachment.reconfigure(LogPlan::of(0, &good));
        writer.until("all is there", || lines(&good.out_file).len() == 2).await;
        writer.until("it is over", || attachment.trouble().is_none()).await;
    }
}

#[tokio::test]
async fn what_nobody_can_write_is_counted_when_its_process_is_forgotten() {
    let rig = Rig::new();
    let spec = rig.spec(|spec| spec.out_file = PathBuf::from(FULL));
    let mut writer = rig.attach(0, &spec);
    writer.say("one\ntwo\n");
    assert_eq!(writer.attachment.forget().await, 8);
}

/// The second of two files refuses: once it takes, the first must not have the piece twice.
#[tokio::test]
async fn a_piece_that_one_file_has_is_not_written_to_it_again() {
    let rig = Rig::new();
    let folder = rig.path("sub");
    let spec = rig.spec(|spec| spec.log_file = Some(folder.join("both.log")));
    let mut writer = rig.attach(0, &spec);
    writer.say("zero\n");
    writer.until_file_is(&folder.join("both.log"), "zero\n").await;
    // A file in the place of its folder cannot be opened, not even by root.
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "").unwrap();
    writer.attachment.reopen();
    writer.say("one\n");
    let attachment = &writer.attachment;
    let deadline = Instant::now() + DEADLINE;
    while attachment.trouble().is_none() {
        assert!(Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
    fs::remove_file(&folder).unwrap();
    writer.until_file_is(&folder.join("both.log"), "one\n").await;
    assert_eq!(read(&spec.out_file), "zero\none\n");
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    let rig = Rig::new();
    fs::write(rig.path("file"), "").unwrap();
    let spec = rig.spec(|spec| spec.out_file = rig.path("file/a.log"));
    let pulse = Pulse::default();
    let refused = rig.pump.attach(LogPlan::of(0, &spec), Vec::new(), pulse);
    assert_eq!(refused.unwrap_err().0, spec.out_file);
}
