use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::spec::{LogType, ProcessSpec};

fn voice(json: bool, date: Option<&str>) -> Voice {
    let mut spec =
        ProcessSpec::new("my \"app\"", vec!["true".to_owned()], PathBuf::new(), PathBuf::new());
    spec.log_type = if json { LogType::Json } else { LogType::Raw };
    spec.log_date_format = date.map(str::to_owned);
    Voice::new(&LogPlan::of(7, &spec), Origin::Error)
}

fn frame(json: bool, date: Option<&str>) -> Frame {
    voice(json, date).frame(DateTime::from_timestamp_millis(1_770_000_000_123).unwrap())
}

fn rendered(frame: &Frame, data: &[u8]) -> String {
    let mut out = Vec::new();
    frame.render(data, true, None, &mut out);
    String::from_utf8(out).unwrap()
}

fn messages(text: &str) -> Vec<String> {
    let objects = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    objects.map(|object| object["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_json_line_has_all_fields() {
    let line = rendered(&frame(true, None), b"hello\r\n");
    let rest = r#","timestamp":"2026-02-02T02:40:00.123Z","type":"err","process_id":7,"app_name":"my \"app\""}"#;
    assert_eq!(line, format!("{{\"message\":\"hello\"{rest}\n"));
}

#[test]
fn json_takes_any_bytes() {
    let text = rendered(&frame(true, None), b"a\0\"\\\x1b\xff\xfe\n\n\xe2\x82\n");
    assert_eq!(messages(&text), ["a\0\"\\\u{1b}\u{FFFD}\u{FFFD}", "", "\u{FFFD}"]);
}

#[test]
fn dates_come_before_each_line() {
    let text = rendered(&frame(false, Some("YYYY")), b"a\r\nb");
    assert_eq!(text, "2026: a\r\n2026: b\n");
    let json = rendered(&frame(true, Some("YYYY")), b"a\n");
    assert!(json.contains("\"timestamp\":\"2026\""), "{json}");
}

#[test]
fn a_line_is_waited_for_unless_something_presses() {
    assert_eq!(cut(b"abc", Pressure::None), None);
    assert_eq!(cut(b"ab\nc", Pressure::None), Some(Cut { len: 3, ends: true }));
    assert_eq!(cut(b"abc", Pressure::Full), Some(Cut { len: 3, ends: false }));
    assert_eq!(cut(b"abc", Pressure::Ending), Some(Cut { len: 3, ends: true }));
    assert_eq!(cut(b"", Pressure::Ending), None);
    assert_eq!(cut(&[b'x'; LONG], Pressure::None), Some(Cut { len: LONG, ends: false }));
}

#[test]
fn no_character_and_no_line_end_is_torn() {
    assert_eq!(cut("aé".as_bytes(), Pressure::Begun).unwrap().len, 3);
    assert_eq!(cut(&"aé".as_bytes()[..2], Pressure::Begun).unwrap().len, 1);
    assert_eq!(cut(&"a😀".as_bytes()[..4], Pressure::Begun).unwrap().len, 1);
    assert_eq!(cut(b"a\r", Pressure::Begun).unwrap().len, 1);
    assert_eq!(cut(b"\r", Pressure::Begun), None);
    assert_eq!(cut(b"\r", Pressure::Full).unwrap().len, 1);
    assert_eq!(cut(b"a\x80\x80\x80", Pressure::Begun).unwrap().len, 4);
}

proptest! {
    /// However the bytes come, and wherever they press, the lines are those of the whole.
    #[test]
    fn pieces_make_the_same_lines(
        text in "([a-c\r\u{e9}\u{20ac}\u{1F600}]|\n){0,60}",
        looks in prop::collection::vec((0..12_usize, prop::bool::ANY), 0..40),
        json in prop::bool::ANY,
    ) {
        let frame = frame(json, (!json).then_some("x"));
        let data = text.as_bytes();
        let (mut out, mut at, mut open) = (Vec::new(), 0, false);
        for (size, full) in looks {
            let seen = &data[at..data.len().min(at + size)];
            let pressure = match (open, full) {
                (true, _) => Pressure::Begun,
                (false, true) => Pressure::Full,
                (false, false) => Pressure::None,
            };
            // A full pipe with nothing but a part of a character in it is none that we can mend.
            if whole_characters(seen) == 0 && pressure == Pressure::Full {
                continue;
            }
            if let Some(cut) = cut(seen, pressure) {
                let begun = open.then_some(frame.end.as_str());
                open = frame.render(&seen[..cut.len], cut.ends, begun, &mut out);
                at += cut.len;
            }
        }
        let begun = open.then_some(frame.end.as_str());
        if let Some(cut) = cut(&data[at..], Pressure::Ending) {
            // Ends on a line end first, as the caller does it, then with the rest.
            let open = frame.render(&data[at..at + cut.len], cut.ends, begun, &mut out);
            prop_assert!(!open);
            frame.render(&data[at + cut.len..], true, None, &mut out);
        } else if open {
            out.extend_from_slice(frame.end.as_bytes());
        }
        let expected = rendered(&frame, data);
        prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
