use std::time::Duration;

use tempfile::TempDir;

use super::*;

fn read_as(name: &str, text: &str) -> Result<Declarations, FileError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    read(Source::File(&path), &Evaluate::default())
}

fn scripts(found: &Declarations) -> Vec<&str> {
    found.apps.iter().filter_map(|app| app.script.as_deref()).collect()
}

#[test]
fn every_root_that_pm2_takes_is_read() {
    for (name, text) in [
        ("a.json", r#"{ "script": "x" }"#),
        ("a.json", r#"[{ "script": "x" }]"#),
        ("a.json", r#"{ "apps": [{ "script": "x" }] }"#),
        ("a.json", r#"{ "apps": { "script": "x" } }"#),
        ("a.json", r#"{ "pm2": [{ "script": "x" }] }"#),
        ("process.json5", "// a comment\n{ apps: [{ script: 'x', }] }"),
        ("a.yml", "apps:\n  - script: x\n"),
        ("a.yaml", "- script: x\n"),
        ("a.toml", "[[app]]\nscript = \"x\"\n"),
    ] {
        let found = read_as(name, text).unwrap_or_else(|wrong| panic!("{name} {text}: {wrong}"));
        assert_eq!(scripts(&found), ["x"], "{name} {text}");
        assert_eq!(found.warnings, Vec::<String>::new(), "{name} {text}");
        assert!(found.apps[0].file.as_ref().unwrap().ends_with(name));
    }
    let found = read(Source::Stdin("{apps: [{script: 'x'}]}"), &Evaluate::default()).unwrap();
    assert_eq!(scripts(&found), ["x"]);
    assert_eq!(found.apps[0].file, None);
}

#[test]
fn the_name_of_a_file_shows_its_format() {
    let of = |name: &str| Format::of(Path::new(name));
    assert_eq!(of("/x/ecosystem.config.js"), Some(Format::JavaScript));
    assert_eq!(of("a.config.cjs"), Some(Format::JavaScript));
    assert_eq!(of("app.json.bak"), Some(Format::Json));
    assert_eq!(of("app.js"), None);
    assert_eq!(of("/x.json/app"), None);
    assert_eq!(of("apps.toml"), Some(Format::Toml));
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let text = r#"{ apps: [{ name: "a", kill_timeout: "soon", instances: "x" }, { script: "b", autorestart: 3 }, 7] }"#;
    let wrong = read_as("a.json", text).unwrap_err();
    let FileError::Invalid { problems, .. } = &wrong else { panic!("{wrong}") };
    let starts = [
        "a: kill_timeout: must be a time",
        "a: instances: must be",
        "a: script: is missing",
        "b: autorestart: must be true or false",
        "application 3: must be an object",
    ];
    assert_eq!(problems.len(), starts.len(), "{wrong}");
    for (problem, start) in problems.iter().zip(starts) {
        assert!(problem.starts_with(start), "{problem}");
    }
}

#[test]
fn an_unknown_field_is_a_warning_to_pm2s_users_and_an_error_in_toml() {
    let found = read_as("a.json", r#"{ "script": "x", "wach": true }"#).unwrap();
    assert_eq!(found.warnings, ["x: wach: is unknown; did you mean watch?; it has no effect"]);
    let wrong = read_as("a.toml", "[[app]]\nscript = \"x\"\nwach = true\n").unwrap_err();
    assert!(wrong.to_string().contains("x: wach: is unknown; did you mean watch?"), "{wrong}");
    let wrong = read_as("a.toml", "title = \"x\"\n[[app]]\nscript = \"x\"\n").unwrap_err();
    assert!(wrong.to_string().contains("title: is unknown"), "{wrong}");
}

#[test]
fn fields_without_effect_are_told() {
    let text =
        r#"{ "apps": [{ "script": "x", "exec_mode": "cluster", "pmx": false }], "deploy": {} }"#;
    let warnings = read_as("a.json", text).unwrap().warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].starts_with("deploy: "), "{warnings:?}");
    assert!(warnings[1].starts_with("x: exec_mode: cluster mode is Node's own"), "{warnings:?}");
}

#[test]
fn what_cannot_be_read_is_told_with_the_file() {
    for (name, text, part) in [
        ("a.json", "{ \"script\": ", "EOF"),
        ("a.yaml", "a: [", "a.yaml"),
        ("a.toml", "a = ", "a.toml"),
        ("a.txt", "", "is no file of declarations"),
        ("a.json", "[]", "has no applications"),
        ("a.toml", "", "[[app]]"),
        ("a.json", "7", "application 1: must be an object"),
    ] {
        let wrong = read_as(name, text).unwrap_err().to_string();
        assert!(wrong.contains(part), "{name}: {wrong}");
    }
    let missing = read(Source::File(Path::new("/nowhere/a.json")), &Evaluate::default());
    assert!(missing.unwrap_err().to_string().contains("/nowhere/a.json"));
}

#[test]
fn javascript_needs_node() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.config.js");
    std::fs::write(&path, "module.exports = []").unwrap();
    let evaluate = Evaluate { node: "/nowhere/node".into(), ..Evaluate::default() };
    let wrong = read(Source::File(&path), &evaluate).unwrap_err().to_string();
    assert!(wrong.contains("/nowhere/node cannot be run"), "{wrong}");
    assert!(wrong.contains("install Node.js"), "{wrong}");
}

/// A stand-in for Node, so that the tests need none: a shell script that gets the same arguments.
fn stand_in(folder: &TempDir, body: &str) -> Evaluate {
    use std::os::unix::fs::PermissionsExt as _;
    let node = folder.path().join("node");
    std::fs::write(&node, format!("#!/bin/sh\nfile=$4\nmark=$5\n{body}\n")).unwrap();
    std::fs::set_permissions(&node, std::fs::Permissions::from_mode(0o755)).unwrap();
    Evaluate { node: node.into(), limit: Duration::from_millis(10_000) }
}

fn read_with(body: &str) -> Result<Declarations, FileError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a b.config.js");
    std::fs::write(&path, "").unwrap();
    read(Source::File(&path), &stand_in(&folder, body))
}

#[test]
fn what_a_module_prints_does_no_harm() {
    let found = read_with(
        r#"echo "console.log: {"; printf '\n%s[{"script":"%s"}]%s\nmore' "$mark" "$file" "$mark""#,
    );
    let found = found.unwrap();
    assert!(scripts(&found)[0].ends_with("/a b.config.js"), "{found:?}");
}

#[test]
fn modules_of_both_kinds_are_evaluated() {
    let evaluate = Evaluate::default();
    for (name, text) in [
        (
            "a.config.js",
            "console.log('{'); setInterval(() => {}, 1); module.exports = { apps: [{ script: 'x' }] }",
        ),
        ("a.config.cjs", "module.exports = [{ script: require('path').basename('/y/x') }]"),
        (
            "a.config.mjs",
            "import { basename } from 'path'; await 1; export default [{ script: basename('/x') }]",
        ),
        ("b.config.mjs", "export const apps = [{ script: 'x' }]"),
    ] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let found = read(Source::File(&path), &evaluate);
        let found = found.unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
        assert_eq!(scripts(&found), ["x"], "{name}");
    }
}

#[test]
fn a_json_file_may_be_an_expression_as_in_pm2() {
    let found = read_as("a.json", "// x\n[{ script: ['.', '/x'].join('') }]").unwrap();
    assert_eq!(scripts(&found), ["./x"]);
    assert!(found.warnings[0].contains("is no JSON"), "{:?}", found.warnings);
    let wrong = read_as("a.json", "[{ script: nope }]").unwrap_err();
    assert!(matches!(wrong, FileError::Syntax { .. }), "{wrong}");
    let piped = read(Source::Stdin("[{ script: 'x'.trim() }]"), &Evaluate::default());
    assert!(matches!(piped, Err(FileError::Syntax { .. })));
}

#[test]
fn folders_to_serve_are_applications() {
    let text = r#"{ "static": [{ "path": ".", "spa": true, "port": 8081, "basic_auth": { "username": "u", "password": "p" } }] }"#;
    let found = read_as("a.json", text).unwrap();
    let app = &found.apps[0];
    assert_eq!(app.name.as_deref(), Some("static-page-server-8081"));
    assert_eq!(app.script.as_deref(), Some("serve"));
    let env = app.env.as_ref().unwrap();
    for (name, value) in [
        ("PM2_SERVE_PORT", "8081"),
        ("PM2_SERVE_PATH", "."),
        ("PM2_SERVE_SPA", "true"),
        ("PM2_SERVE_BASIC_AUTH_PASSWORD", "p"),
    ] {
        assert_eq!(env.0.get(name).and_then(|value| value.as_str()), Some(value), "{name}");
    }
    assert!(read_as("a.json", r#"{ "static": [7] }"#).is_err());
}

#[test]
fn what_node_says_is_in_the_error() {
    let wrong = read_with("echo 'ReferenceError: x is not defined' >&2; exit 1").unwrap_err();
    assert!(wrong.to_string().contains("ReferenceError: x is not defined"), "{wrong}");
    let wrong = read_with("exit 3").unwrap_err();
    assert!(wrong.to_string().contains("exit status: 3"), "{wrong}");
}

#[test]
fn a_module_that_never_ends_is_cut_off() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.config.js");
    std::fs::write(&path, "").unwrap();
    let limit = Duration::from_millis(100);
    let evaluate = Evaluate { limit, ..stand_in(&folder, "exec tail -f /dev/null") };
    let wrong = read(Source::File(&path), &evaluate).unwrap_err().to_string();
    assert!(wrong.contains("took longer than 0.1 s"), "{wrong}");
}
