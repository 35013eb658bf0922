//! Several processes with one file.

use proptest::prelude::*;

use super::*;

fn shared(rig: &Rig, json: bool) -> ProcessSpec {
    rig.spec(|spec| {
        spec.merge_logs = true;
        spec.log_type = if json { LogType::Json } else { LogType::Raw };
    })
}

#[tokio::test]
async fn an_unfinished_line_is_nobody_elses() {
    let rig = Rig::new();
    let spec = shared(&rig, false);
    let (mut a, mut b) = (rig.attach(0, &spec), rig.attach(1, &spec));
    // Orders are obeyed one after the other; before this one is, `a` may still be alone with the file.
    b.attachment.flush().await.unwrap();
    a.say("a begins");
    b.say("b\n");
    b.until_file_is(&spec.out_file, "b\n").await;
    a.say(" and ends\n");
    a.until_file_is(&spec.out_file, "b\na begins and ends\n").await;
}

/// The first was alone when it began its line, so that its bytes are no longer in the pipe.
#[tokio::test]
async fn a_line_that_was_begun_alone_is_ended_first() {
    let rig = Rig::new();
    let spec = shared(&rig, false);
    let mut a = rig.attach(0, &spec);
    a.say("a begins");
    a.until_file_is(&spec.out_file, "a begins").await;
    let mut b = rig.attach(1, &spec);
    b.say("b\n");
    a.say(" and ends\n");
    a.until_file_is(&spec.out_file, "a begins and ends\nb\n").await;
    drop(b);
    a.say("alone again");
    a.until_file_is(&spec.out_file, "a begins and ends\nb\nalone again").await;
}

#[tokio::test]
async fn an_endless_line_keeps_the_others_waiting_no_longer_than_a_second() {
    let rig = Rig::new();
    let spec = shared(&rig, true);
    let (mut a, mut b) = (rig.attach(0, &spec), rig.attach(1, &spec));
    let file = spec.out_file.clone();
    a.say("a".repeat(100_000));
    a.until("it has begun", || read(&file).len() > 50_000).await;
    b.say("b\n");
    b.until("the other's turn has come", || lines(&file).len() == 2).await;
    assert_eq!(messages(&file)[1], "b");
    a.say("rest\n");
    a.attachment.drain().await;
    let all = messages(&file);
    assert_eq!(format!("{}{}", all[0], all[2]), format!("{}rest", "a".repeat(100_000)));
}

/// Lines of many lengths; a long one takes several pieces.
fn text(name: &str, count: usize) -> Vec<String> {
    let line = |n| format!("{name}{n}:{}", name.repeat([3, 17, 0, 90_000, 41][n % 5]));
    (0..count).map(line).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whatever the pieces in which two processes write, each line is there once, in its writer's order.
    #[test]
    fn no_line_is_torn(
        counts in (1..12_usize, 1..12_usize),
        // Mostly small pieces, and now and then one that is more than a pipe holds.
        sizes in prop::collection::vec(prop_oneof![9 => 1..40_usize, 1 => 70_000..150_000_usize], 1..20),
        json in prop::bool::ANY,
    ) {
        let rig = Rig::new();
        let spec = shared(&rig, json);
        let expected = [text("a", counts.0), text("b", counts.1)];
        let writers = [rig.attach(0, &spec), rig.attach(1, &spec)];
        let writing = writers.into_iter().zip(expected.clone()).map(|(mut writer, lines)| {
            let sizes = sizes.clone();
            std::thread::spawn(move || {
                let bytes = lines.join("\n").into_bytes();
                let (mut rest, mut sizes) = (bytes.as_slice(), sizes.iter().cycle());
                // Only the first pieces are small, else it would take too long.
                for _ in 0..200 {
                    let size = sizes.next().map_or(0, |size| rest.len().min(*size));
                    writer.say(&rest[..size]);
                    rest = &rest[size..];
                }
                writer.say(rest);
                writer
            })
        });
        let writing: Vec<_> = writing.collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        for writing in writing {
            runtime.block_on(writing.join().unwrap().attachment.drain());
        }
        let found = if json { messages(&spec.out_file) } else { lines(&spec.out_file) };
        for (name, wanted) in ["a", "b"].iter().zip(&expected) {
            let own: Vec<&String> = found.iter().filter(|line| line.starts_with(name)).collect();
            let lengths: Vec<usize> = own.iter().map(|line| line.len()).collect();
            prop_assert!(own == wanted.iter().collect::<Vec<_>>(), "{name}: {lengths:?}");
        }
        prop_assert_eq!(found.len(), counts.0 + counts.1);
    }
}
