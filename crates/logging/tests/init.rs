//! The whole logger, which a process can set up only once; hence one test in a file of its own.

use std::fs;

use serde_json::Value;

#[test]
fn the_file_gets_json_lines_of_tracing_and_of_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs/server.log");
    let config = logging::Config {
        level: "warn,init=debug",
        output: logging::Output {
            stderr: logging::Form::Silent,
            ..logging::Output::stderr_and_file(&path)
        },
    };
    logging::init(config.clone()).unwrap();
    assert!(matches!(logging::init(config), Err(logging::InitError::Twice)));

    tracing::debug!(tenant = "acme", "seen");
    tracing::info!(target: "elsewhere", "not seen");
    tracing_log::log::warn!(target: "third::party", "from the log crate");
    tracing_log::log::info!(target: "third::party", "not seen either");

    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!((&lines[0]["message"], &lines[0]["tenant"]), (&"seen".into(), &"acme".into()));
    assert_eq!(lines[1]["target"], "third::party");
    assert_eq!(lines[1]["message"], "from the log crate");
    assert_eq!(lines[1].as_object().unwrap().len(), 4, "{text}");
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_set_up() {
    let bad = logging::Config { level: "loud", output: logging::Output::stderr() };
    assert!(matches!(logging::init(bad), Err(logging::InitError::Level(_))));
}
