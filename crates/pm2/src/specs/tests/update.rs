use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::super::*;
use super::{Machine, app};

#[test]
fn a_declaration_survives_the_way_there_and_back() {
    let machine = Machine::new();
    machine.file("a.sh", b"", 0o644);
    let mut context = machine.context();
    context.first_id = Some(3);
    let declared = app(json!({
        "script": "a.sh", "name": "n", "namespace": "ns", "instances": 2, "increment_var": "P",
        "env": { "P": 10, "FLAG": true, "TEXT": "1" }, "env_dev": { "X": 1 }, "watch": ["src"], "args": "a 'b c'",
        "kill_timeout": 5, "ready": "port:1", "time": true, "max_memory_restart": "1M", "nice": 3,
    }));
    let spec = declared.specs(&context).unwrap().specs.remove(1);
    context.env = Arc::clone(&spec.base_env);
    let again = updated(&spec, &App::default(), &context).unwrap().specs;
    assert_eq!(again.len(), 1);
    assert_eq!(serde_json::to_value(&again[0]).unwrap(), serde_json::to_value(&spec).unwrap());
}

#[test]
fn an_update_changes_what_it_names_alone() {
    let machine = Machine::new();
    machine.file("a.sh", b"", 0o644);
    let mut spec =
        machine.spec(json!({ "script": "a.sh", "env_dev": { "X": 1 }, "env": { "Y": "y" } }));
    spec.labels.insert("own".to_owned(), "label".to_owned());
    let mut context = machine.context();
    context.env_name = Some("dev".to_owned());
    let flags = app(json!({ "max_memory_restart": "2K", "out_file": "/tmp/o.log" }));
    let new = updated(&spec, &flags, &context).unwrap().specs.remove(0);
    assert_eq!(new.max_memory_bytes, Some(2048));
    assert_eq!(new.out_file, Path::new("/tmp/o.log"));
    assert_eq!(new.error_file, spec.error_file);
    assert_eq!((new.variable("X"), new.variable("Y")), (Some("1"), Some("y")));
    assert_eq!(new.labels.get("own"), Some("label"));
    assert_eq!(new.command, spec.command);
}
