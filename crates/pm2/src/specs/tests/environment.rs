use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use supervisor::wire::ProcessSpec;

use super::super::*;
use super::{Machine, app};

#[test]
fn the_layers_of_the_environment_are_in_order() {
    let machine = Machine::new();
    machine.file("a.sh", b"", 0o644);
    let fields = json!({
        "script": "a.sh", "port": 80,
        "env": { "A": 1, "B": true, "C": { "x": [1] }, "HOME": null },
        "env_production": { "A": "two" },
    });
    let mut context = machine.context();
    context.env_name = Some("production".to_owned());
    let found = app(fields.clone()).specs(&context).unwrap();
    let spec = &found.specs[0];
    for (name, value) in [
        ("A", Some("two")),
        ("B", Some("true")),
        ("C", Some(r#"{"x":[1]}"#)),
        ("HOME", None),
        ("PORT", Some("80")),
        ("PM2_HOME", Some("/site/op/.pm2")),
        ("PATH", Some(machine.path("bin").as_str())),
    ] {
        assert_eq!(spec.variable(name), value, "{name}");
    }
    assert_eq!(found.warnings, Vec::<String>::new());
    context.env_name = Some("dev".to_owned());
    let found = app(fields).specs(&context).unwrap();
    assert!(found.warnings[0].contains("env_dev is not declared"), "{:?}", found.warnings);
}

proptest! {
    /// The last layer that names a variable decides, and what no layer names is as the caller has it, unless filtered.
    #[test]
    fn the_last_layer_decides(
        caller in prop::collection::btree_map("[A-D]", "[a-z]{0,3}", 0..4),
        own in prop::collection::btree_map("[A-D]", prop::option::of("[a-z]{0,3}"), 0..4),
        selected in prop::collection::btree_map("[A-D]", prop::option::of("[a-z]{0,3}"), 0..4),
        filter in prop::option::of("[A-D]"),
    ) {
        let mut declared = app(json!({ "env": own, "env_x": selected }));
        declared.filter_env = filter.clone().map(|name| crate::value::FilterEnv::Containing(vec![name]));
        let homes = Homes::new(Path::new("/h"));
        let context = Context { env_name: Some("x".to_owned()), ..Context::new("/".into(), caller.clone(), homes) };
        let composed = environment::compose(&declared, &context, &mut Vec::new());
        let user = limits::User::default();
        let mut spec = ProcessSpec::new("n", vec!["p".to_owned()], "/".into(), "/l".into());
        environment::assign(&declared, &context, &composed, &user, 0, &mut spec);
        for name in ["A", "B", "C", "D"] {
            let inherited = caller.get(name).filter(|_| filter.as_deref() != Some(name)).cloned();
            let expected = match selected.get(name).or_else(|| own.get(name)) {
                Some(declared) => declared.clone(),
                None => inherited,
            };
            prop_assert_eq!(spec.variable(name).map(str::to_owned), expected, "{}", name);
        }
    }
}

#[test]
fn secrets_are_known_by_name() {
    let machine = Machine::new();
    machine.file("a", b"\0", 0o755);
    let spec = machine.spec(json!({
        "script": "a", "secret_env": ["TOKEN", "HOME", "UNSET"],
        "env": { "TOKEN": "t", "PM2_SERVE_BASIC_AUTH_PASSWORD": "p" },
    }));
    let expected = ["HOME", "PM2_SERVE_BASIC_AUTH_PASSWORD", "TOKEN"].map(str::to_owned);
    assert_eq!(spec.secret_env, expected.into());
    let again = updated(&spec, &App::default(), &machine.context()).unwrap().specs.remove(0);
    assert_eq!(again.secret_env, spec.secret_env);
}

#[test]
fn the_callers_environment_can_be_kept_out() {
    let machine = Machine::new();
    machine.file("a", b"\0", 0o755);
    let names = |filter: Value| {
        let spec = machine.spec(json!({ "script": "a", "filter_env": filter }));
        spec.base_env.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(names(json!(false)), ["HOME", "PATH"]);
    assert_eq!(names(json!(true)), Vec::<String>::new());
    assert_eq!(names(json!("HOME")), ["PATH"]);
    assert_eq!(names(json!(["OM"])), ["PATH"]);
}

#[test]
fn a_supervisor_does_not_hand_on_what_it_told_one_process() {
    let os = |text: &str| std::ffi::OsString::from(text);
    let all = ["TENANTRY_PROCESS", "NOTIFY_SOCKET", "HOME", "name", "status"];
    let env = caller_env(all.map(|name| (os(name), os("x"))));
    assert_eq!(env.keys().collect::<Vec<_>>(), ["HOME", "name", "status"]);
    let env = caller_env(["pm_id", "name", "HOME"].map(|name| (os(name), os("x"))));
    assert_eq!(env.keys().collect::<Vec<_>>(), ["HOME"]);
}
