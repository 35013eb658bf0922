use std::fs;
use std::path::Path;

use super::{DEFAULT_URL, Environment, Reach};

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn the_server_is_where_the_flag_the_environment_or_the_home_says() {
    let home = tempfile::tempdir().unwrap();
    let bare = Environment::of(home.path(), &[]);
    assert_eq!(Reach::default().url(&bare).unwrap(), DEFAULT_URL);
    write(&home.path().join("run/server.json"), r#"{"url":"http://127.0.0.1:1","pid":7}"#);
    assert_eq!(Reach::default().url(&bare).unwrap(), "http://127.0.0.1:1");
    let set = Environment::of(home.path(), &[("TENANTRY_URL", "http://127.0.0.1:2")]);
    assert_eq!(Reach::default().url(&set).unwrap(), "http://127.0.0.1:2");
    let flag = Reach { url: Some("unix:/x".to_owned()), ..Reach::default() };
    assert_eq!(flag.url(&set).unwrap(), "unix:/x");
}

#[test]
fn the_token_is_what_the_flag_the_environment_or_the_home_says() {
    let home = tempfile::tempdir().unwrap();
    write(&home.path().join("admin.token"), "from-home\n");
    write(&home.path().join("other"), "from-flag\n");
    let bare = Environment::of(home.path(), &[("TENANTRY_TOKEN", " ")]);
    assert_eq!(Reach::default().token(&bare).unwrap(), "from-home");
    let set = Environment::of(home.path(), &[("TENANTRY_TOKEN", "from-environment")]);
    assert_eq!(Reach::default().token(&set).unwrap(), "from-environment");
    let flag = Reach { token_file: Some(home.path().join("other")), ..Reach::default() };
    assert_eq!(flag.token(&set).unwrap(), "from-flag");
}

#[test]
fn without_a_token_it_is_said_where_to_get_one() {
    let home = tempfile::tempdir().unwrap();
    let environment = Environment::of(home.path(), &[]);
    let error = Reach::default().token(&environment).unwrap_err();
    assert!(error.to_string().contains("start `tenantry server` once"), "{error}");
    assert!(Reach::default().anonymous_client(&environment).is_ok());
    write(&home.path().join("admin.token"), "two\nlines");
    let error = format!("{:#}", Reach::default().token(&environment).unwrap_err());
    assert!(error.contains("characters that no token has") && !error.contains("two"), "{error}");
}

#[test]
fn a_damaged_server_file_is_told() {
    let home = tempfile::tempdir().unwrap();
    write(&home.path().join("run/server.json"), "{");
    let error = Reach::default().url(&Environment::of(home.path(), &[])).unwrap_err();
    assert!(error.to_string().contains("give --url"), "{error}");
}
