use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn sizes_and_times_have_units() {
    for (text, bytes) in
        [("512", 512), ("3B", 3), ("2K", 2048), ("50M", 52_428_800), ("1G", 1 << 30)]
    {
        assert_eq!(Bytes::read(&json!(text)), Ok(Bytes(bytes)), "{text}");
    }
    for (text, ms) in [("1500", 1500), ("7ms", 7), ("2s", 2000), ("3m", 180_000), ("1h", 3_600_000)]
    {
        assert_eq!(Millis::read(&json!(text)), Ok(Millis(ms)), "{text}");
    }
    assert_eq!(Bytes::read(&json!(1024.0)), Ok(Bytes(1024)));
}

#[test]
fn what_is_no_size_or_time_is_refused_with_the_remedy() {
    for bad in [
        json!("M"),
        json!("-1M"),
        json!("+1M"),
        json!("1.5G"),
        json!("1T"),
        json!(-1),
        json!(1.5),
        json!(true),
        json!(""),
    ] {
        let why = Bytes::read(&bad).unwrap_err();
        assert!(why.contains("200M"), "{why}");
        assert!(Millis::read(&bad).is_err(), "{bad}");
    }
    assert!(Bytes::read(&json!("18446744073709551615G")).is_err(), "overflow");
}

proptest! {
    #[test]
    fn a_size_is_its_number_times_its_unit(number in 0u64..1 << 30, unit in 0usize..5) {
        let (unit, factor) = [("", 1), ("B", 1), ("K", 1u64 << 10), ("M", 1 << 20), ("G", 1 << 30)][unit];
        prop_assert_eq!(Bytes::parse(&format!("{number}{unit}")), Some(Bytes(number * factor)));
    }

    #[test]
    fn a_time_is_its_number_times_its_unit(number in 0u64..1 << 30, unit in 0usize..4) {
        let (unit, factor) = [("", 1), ("s", 1000u64), ("m", 60_000), ("h", 3_600_000)][unit];
        prop_assert_eq!(Millis::parse(&format!("{number}{unit}")), Some(Millis(number * factor)));
    }

    #[test]
    fn only_digits_and_a_unit_are_a_size(text in "[ -~]{0,6}") {
        let plain = text.trim().trim_end_matches(['G', 'M', 'K', 'B']);
        let cut = text.trim().len() - plain.len();
        let is_size = cut <= 1 && !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_digit());
        prop_assert_eq!(Bytes::parse(&text).is_some(), is_size);
    }

    #[test]
    fn what_is_written_reads_back(words in prop::collection::vec(".{0,8}", 0..5), bytes: u64, codes in prop::collection::btree_set(0..256i32, 0..5)) {
        let words = Words(words);
        prop_assert_eq!(Words::read(&words.write()), Ok(words));
        prop_assert_eq!(Bytes::read(&Bytes(bytes).write()), Ok(Bytes(bytes)));
        prop_assert_eq!(Codes::read(&Codes(codes.clone()).write()), Ok(Codes(codes)));
    }
}

#[test]
fn words_are_split_as_a_shell_does() {
    let words = Words::read(&json!(r#"-a "b c" --d='e f' g\ h"#)).unwrap();
    assert_eq!(words.0, ["-a", "b c", "--d=e f", "g h"]);
    assert_eq!(Words::read(&json!(["b c", 3, true])).unwrap().0, ["b c", "3", "true"]);
    assert!(Words::read(&json!("one \"two")).unwrap_err().contains("balanced"));
}

#[test]
fn instances_depend_on_the_processors() {
    let count = |value| Instances::read(&value).map(|instances| instances.count(4));
    assert_eq!(count(json!("max")), Ok(4));
    assert_eq!(count(json!(0)), Ok(4));
    assert_eq!(count(json!(-1)), Ok(3));
    assert_eq!(count(json!(-9)), Ok(1));
    assert_eq!(count(json!("3")), Ok(3));
    assert!(count(json!("many")).is_err());
}

#[test]
fn values_with_several_forms_read_all_of_them() {
    assert_eq!(Watch::read(&json!(true)), Ok(Watch::All));
    assert_eq!(Watch::read(&json!([])), Ok(Watch::All));
    assert_eq!(Watch::read(&json!("src")), Ok(Watch::Paths(vec!["src".into()])));
    assert_eq!(FilterEnv::read(&json!("HOME")), Ok(FilterEnv::Named("HOME".into())));
    assert_eq!(FilterEnv::read(&json!([])), Ok(FilterEnv::Off));
    assert_eq!(LogFile::read(&json!(true)), Ok(LogFile::Usual));
    assert_eq!(Codes::read(&json!(3)), Ok(Codes([3].into())));
    assert!(Codes::read(&json!([300])).is_err());
    assert_eq!(Percent::read(&json!("150%")), Ok(Percent(150)));
    assert_eq!(ExecMode::read(&json!("cluster_mode")), Ok(ExecMode::Cluster));
    assert!(ExecMode::read(&json!("threads")).is_err());
}

#[test]
fn probes_are_of_this_machine_alone() {
    let reads = |text: &str| Ready::read(&json!(text)).map(|ready| ready.write());
    assert_eq!(reads("port:8080"), Ok(json!("port:8080")));
    assert_eq!(reads("http://localhost:81/health?x=1"), Ok(json!("http://:81/health?x=1")));
    assert_eq!(reads("http://:8080"), Ok(json!("http://:8080/")));
    for bad in ["http://example.com/", "port:0", "port:70000", "https://:1/", "soon"] {
        assert!(reads(bad).is_err(), "{bad}");
    }
    let alive =
        Alive::read(&json!({ "probe": "notify", "interval": "5s", "failures": 2 })).unwrap().0;
    assert_eq!((alive.probe.is_none(), alive.interval_ms, alive.failures), (true, 5000, 2));
    let why = Alive::read(&json!({ "probe": "notify", "interval": "soon" })).unwrap_err();
    assert!(why.contains("interval"), "{why}");
    assert!(Alive::read(&json!({ "interval": 1 })).is_err());
}

#[test]
fn limits_have_a_soft_and_a_hard_bound() {
    let limits = Rlimits::read(
        &json!({ "nofile": 1024, "as": "2G", "core": "unlimited", "nproc": "10:unlimited" }),
    );
    let limits = limits.unwrap();
    let bounds: Vec<_> = limits.0.values().map(|limit| (limit.soft, limit.hard)).collect();
    let two = Some(2 << 30);
    assert_eq!(bounds, [(two, two), (None, None), (Some(1024), Some(1024)), (Some(10), None)]);
    assert_eq!(Rlimits::read(&limits.write()), Ok(limits));
    assert!(Rlimits::read(&json!({ "files": 1 })).unwrap_err().contains("nofile"));
}

#[test]
fn a_long_wrong_value_is_not_shown_in_full() {
    let why = bool::read(&json!("x".repeat(5000))).unwrap_err();
    assert!(why.len() < 120, "{why}");
}
