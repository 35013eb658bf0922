//! Settings of a folder that really exists.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::super::{load, locate_home};

#[test]
fn the_file_of_the_home_is_read_and_the_machine_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap().to_owned();
    let file = folder.path().join("tenantry.toml");
    fs::write(&file, "port = 1234\nadmin_password = 'open-sesame'\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let browser = folder.path().join("chrome");
    let env = |name: &str| (name == "PUPPETEER_EXECUTABLE_PATH").then(|| "chrome".to_owned());

    let flags = || BTreeMap::from([("home", home.clone())]);
    let loaded = load(flags(), &env).unwrap();
    assert_eq!(loaded.settings.port, 1234);
    let keys: Vec<&str> = loaded.warnings.iter().map(|warning| warning.key.as_str()).collect();
    assert_eq!(keys, ["puppeteer_executable_path", "admin_password"]);

    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&browser, "").unwrap();
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o700)).unwrap();
    let text = browser.to_str().unwrap().to_owned();
    let env = |name: &str| (name == "PUPPETEER_EXECUTABLE_PATH").then(|| text.clone());
    assert_eq!(load(flags(), &env).unwrap().warnings, []);

    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let message = load(flags(), &env).unwrap_err().to_string();
    assert!(message.contains("tenantry.toml): cannot be read"), "{message}");
}

#[test]
fn the_home_can_be_told_alone() {
    let env = |name: &str| (name == "HOME").then(|| "/users/op".to_owned());
    let home = locate_home(None, &env).unwrap();
    assert_eq!(home.supervisor_socket().to_str(), Some("/users/op/.tenantry/run/supervisor.sock"));
    let long = Some(format!("/{}", "x".repeat(100)));
    assert!(locate_home(long, &env).unwrap_err().to_string().contains("shorter path"));
}
