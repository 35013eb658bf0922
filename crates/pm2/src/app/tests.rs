use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::value::Words;

#[test]
fn no_two_fields_share_a_name() {
    let mut seen = BTreeSet::new();
    for name in FIELDS.iter().flat_map(Field::names) {
        assert!(seen.insert(name.clone()), "{name} is there twice");
        assert_eq!(environment_of(&name), None, "{name} would be an environment");
    }
}

#[test]
fn every_field_is_known_by_all_its_names() {
    let mut app = App::default();
    for (name, value) in [
        ("exec", json!("a.js")),
        ("maxMemoryRestart", json!("2K")),
        ("interpreterArgs", json!("--harmony")),
        ("combineLogs", json!(true)),
        ("user", json!(1000)),
        ("windowsHide", json!(true)),
        ("env_production", json!({ "A": 1 })),
    ] {
        app.set(name, &value).unwrap();
    }
    assert_eq!(app.script.as_deref(), Some("a.js"));
    assert_eq!(app.max_memory_restart, Some(Bytes(2048)));
    assert_eq!(app.node_args, Some(Words(vec!["--harmony".into()])));
    assert_eq!(app.merge_logs, Some(true));
    assert_eq!(app.uid.as_deref(), Some("1000"));
    assert!(app.env_named.contains_key("production"));
}

#[test]
fn an_unknown_field_is_told_with_the_nearest_one() {
    let mistake = App::default().set("max_memory_restrat", &json!("1M")).unwrap_err();
    assert_eq!(mistake.kind, MistakeKind::Unknown);
    assert!(mistake.to_string().contains("did you mean max_memory_restart?"), "{mistake}");
    let mistake = App::default().set("zzz", &json!(1)).unwrap_err();
    assert_eq!(mistake.to_string(), "zzz: is unknown");
}

#[test]
fn null_leaves_a_field_unset() {
    let mut app = App::default();
    app.set("script", &json!(null)).unwrap();
    assert_eq!(app, App::default());
}

#[test]
fn flags_win_and_variables_are_merged() {
    let mut app = App::default();
    app.set("name", &json!("a")).unwrap();
    app.set("cwd", &json!("/a")).unwrap();
    app.set("env", &json!({ "A": 1, "B": 2 })).unwrap();
    let mut flags = App::default();
    flags.set("name", &json!("b")).unwrap();
    flags.set("env", &json!({ "B": 3, "C": 4 })).unwrap();
    app.overlay(&flags);
    assert_eq!((app.name.as_deref(), app.cwd.as_deref()), (Some("b"), Some("/a")));
    assert_eq!(json!(app.env.unwrap().0), json!({ "A": 1, "B": 3, "C": 4 }));
}

#[test]
fn only_what_is_asked_for_is_told_to_differ() {
    let mut app = App::default();
    for (name, value) in
        [("exec_mode", json!("fork")), ("pmx", json!(false)), ("vizion", json!(false))]
    {
        app.set(name, &value).unwrap();
    }
    assert_eq!(app.differences(), []);
    app.set("exec_mode", &json!("cluster")).unwrap();
    app.set("wait_ready", &json!(true)).unwrap();
    let told: Vec<_> = app.differences().into_iter().map(|(field, _)| field).collect();
    assert_eq!(told, ["exec_mode", "wait_ready"]);
}
