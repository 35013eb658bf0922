//! Where values come from and how they are shown.

use std::path::Path;
use std::time::Duration;

use super::super::{KEYS, Source, reference};
use super::settings;

#[test]
fn nobody_has_to_set_anything() {
    let loaded = settings(&[], &[], None).unwrap();
    let s = &loaded.settings;
    assert_eq!(s.home.root(), Path::new("/users/op/.tenantry"));
    assert_eq!(s.database_url.expose(), "sqlite:/users/op/.tenantry/tenantry.db");
    assert_eq!(s.sessions_path, s.home.sessions());
    assert_eq!((s.bind.to_string().as_str(), s.port), ("127.0.0.1", 7700));
    assert_eq!(s.heartbeat_interval, Duration::from_secs(30));
    assert_eq!(s.stale_check_interval, Duration::from_secs(60));
    assert_eq!(s.stale_threshold, Duration::from_secs(120));
    assert_eq!(s.kill_timeout, Duration::from_secs(5));
    assert_eq!(s.lifecycle_wait, Duration::from_secs(15));
    assert_eq!((s.rate_limit_max_per_minute, s.log_level.as_str()), (10, "info"));
    assert_eq!(loaded.warnings, []);
    assert!(loaded.explain().iter().all(|row| row.source == Source::Default));
}

#[test]
fn a_flag_outranks_the_environment_which_outranks_the_file() {
    let file = Some("port = 1000\nlog_level = 'warn'\nheartbeat_interval_ms = 2_000\n");
    let env = [("PORT", "2000"), ("LOG_LEVEL", "debug")];
    let loaded = settings(&[("port", "3000")], &env, file).unwrap();
    assert_eq!(loaded.settings.port, 3000);
    assert_eq!(loaded.settings.log_level, "debug");
    assert_eq!(loaded.settings.heartbeat_interval, Duration::from_secs(2));
    let source = |key: &str| {
        loaded.explain().into_iter().find(|row| row.key == key).unwrap().source.to_string()
    };
    assert_eq!(source("port"), "flag --port");
    assert_eq!(source("log_level"), "environment LOG_LEVEL");
    assert_eq!(source("heartbeat_interval_ms"), "/etc/t/tenantry.toml:3");
    assert_eq!(source("bind"), "default");
}

#[test]
fn an_empty_variable_is_one_that_is_not_set() {
    let loaded = settings(&[], &[("PORT", ""), ("ADMIN_PASSWORD", " ")], None).unwrap();
    assert_eq!(loaded.settings.port, 7700);
    assert!(loaded.settings.admin_password.is_none());
}

#[test]
fn paths_become_absolute_by_where_they_were_written() {
    let file = Some("sessions_path = './s'\ndatabase_url = 'sqlite:db/t.db'");
    let env = [("TENANTRY_HOME", "here"), ("PUPPETEER_EXECUTABLE_PATH", "~/chrome")];
    let s = settings(&[], &env, file).unwrap().settings;
    assert_eq!(s.home.root(), Path::new("/srv/here"));
    assert_eq!(s.sessions_path, Path::new("/etc/t/s"));
    assert_eq!(s.database_url.expose(), "sqlite:/etc/t/db/t.db");
    assert_eq!(s.puppeteer_executable_path.unwrap(), Path::new("/users/op/chrome"));
    let env = [("DATABASE_URL", "sqlite:///abs/t.db?mode=rwc")];
    let s = settings(&[], &env, None).unwrap().settings;
    assert_eq!(s.database_url.expose(), "sqlite:/abs/t.db?mode=rwc");
}

#[test]
fn fractions_of_a_minute_are_understood() {
    let env = [("STALE_THRESHOLD_MINUTES", "0.05"), ("HEARTBEAT_INTERVAL_MS", "1000")];
    let loaded = settings(&[], &env, None).unwrap();
    assert_eq!(loaded.settings.stale_threshold, Duration::from_secs(3));
    assert_eq!(loaded.warnings, []);
}

#[test]
fn secrets_show_neither_in_the_explanation_nor_in_debug_output() {
    let env = [
        ("ADMIN_PASSWORD", "sesame-open"),
        ("PORTAL_INTERNAL_KEY", "sesame-sesame-sesame"),
        ("DATABASE_URL", "postgres://me:sesame@db/t"),
    ];
    let loaded = settings(&[], &env, None).unwrap();
    let shown = format!("{loaded:?} {:?}", loaded.explain());
    assert!(!shown.contains("sesame"), "{shown}");
    assert_eq!(loaded.settings.admin_password.unwrap().expose(), "sesame-open");
}

#[test]
fn doubtful_settings_are_warned_of() {
    let env = [
        ("BIND", "0.0.0.0"),
        ("TENANTRY_ALLOW_REMOTE", "true"),
        ("STALE_THRESHOLD_MINUTES", "0.5"),
    ];
    let warnings = settings(&[], &env, None).unwrap().warnings;
    let keys: Vec<&str> = warnings.iter().map(|warning| warning.key.as_str()).collect();
    assert_eq!(keys, ["bind", "stale_threshold_minutes"]);
    assert!(warnings[1].message.contains("set it to 1 or more"), "{}", warnings[1]);
}

#[test]
fn every_key_has_a_name_a_variable_and_a_meaning_of_its_own() {
    for (index, key) in KEYS.iter().enumerate() {
        assert!(
            !key.name.is_empty() && !key.env.is_empty() && key.doc.ends_with('.'),
            "{}",
            key.name
        );
        for other in &KEYS[index + 1..] {
            assert!(key.name != other.name && key.env != other.env, "{}", key.name);
        }
    }
}

#[test]
fn the_page_lists_every_setting() {
    let page = include_str!("../../../../../docs/configuration.md");
    assert!(
        page.contains(&reference()),
        "put the output of `tenantry config --reference` into docs/configuration.md:\n{}",
        reference()
    );
}
