//! What is refused, and in which words.

use super::{refusals, settings};

#[test]
fn all_mistakes_are_told_at_once_each_with_key_source_and_remedy() {
    let file = Some("log_level = 'loud'\n\nheartbeat_interval_ms = 5\n");
    let found = refusals(&[("port", "70000")], &[("BIND", "localhost:80")], file);
    assert_eq!(found.len(), 4, "{found:#?}");
    let expect = |start: &str, remedy: &str| {
        let hit = found.iter().find(|text| text.starts_with(start));
        assert!(hit.is_some_and(|text| text.contains(remedy)), "{start}: {found:#?}");
    };
    expect(
        "log_level (/etc/t/tenantry.toml:1): \"loud\"",
        "trace, debug, info, warn, error or off",
    );
    expect("heartbeat_interval_ms (/etc/t/tenantry.toml:3): 5 is outside", "100 to 3600000");
    expect("port (flag --port): 70000 is outside", "0 to 65535");
    expect("bind (environment BIND): \"localhost:80\"", "127.0.0.1");
    let all = settings(&[("port", "70000")], &[("BIND", "x")], None).unwrap_err().to_string();
    assert!(all.starts_with("2 settings cannot be used:\n  bind"), "{all}");
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_name() {
    let cases = [
        ("heartbeat_intervall_ms = 1", "did you mean heartbeat_interval_ms?"),
        ("PORT = 1", "did you mean port?"),
        ("loglevel = 'info'", "did you mean log_level?"),
        ("tenantry_allow_remote = true", "did you mean allow_remote?"),
        ("zzz = 1", "`tenantry config` lists all settings"),
        ("home = '/x'", "set TENANTRY_HOME or give --home instead"),
        ("[server]\nport = 1", "`tenantry config` lists all settings"),
        ("port = [1]", "write a text, a decimal number, true or false"),
    ];
    for (file, remedy) in cases {
        let found = refusals(&[], &[], Some(file));
        assert!(found.len() == 1 && found[0].contains(remedy), "{file}: {found:?}");
        assert!(found[0].contains("(/etc/t/tenantry.toml:1)"), "{found:?}");
    }
}

#[test]
fn text_that_is_not_toml_is_told_with_its_line_and_does_not_hide_other_mistakes() {
    let found = refusals(&[], &[("KILL_TIMEOUT_MS", "soon")], Some("port = 1\nlog_level = \n"));
    assert!(
        found[0].contains("/etc/t/tenantry.toml:2") && found[0].contains("not TOML"),
        "{found:?}"
    );
    assert!(found.iter().any(|text| text.starts_with("kill_timeout_ms")), "{found:?}");
}

#[test]
fn single_values_are_held_to_their_bounds() {
    let cases = [
        ("BIND", "example.org", "no IP address"),
        ("BIND", "0.0.0.0", "other machines"),
        ("BIND", "::", "other machines"),
        ("TENANTRY_ALLOW_REMOTE", "maybe", "neither true nor false"),
        ("PORT", "-1", "no whole number"),
        ("PORT", "7700 ;", "no whole number"),
        ("HEARTBEAT_INTERVAL_MS", "99", "outside"),
        ("HEARTBEAT_INTERVAL_MS", "3600001", "outside"),
        ("STALE_THRESHOLD_MINUTES", "0", "not above 0"),
        ("STALE_THRESHOLD_MINUTES", "NaN", "not above 0"),
        ("STALE_THRESHOLD_MINUTES", "inf", "not above 0"),
        ("STALE_THRESHOLD_MINUTES", "1e-300", "less than a millisecond"),
        ("STALE_THRESHOLD_MINUTES", "two", "no number"),
        ("RATE_LIMIT_MAX_PER_MINUTE", "0", "outside"),
        ("RATE_LIMIT_MAX_PER_MINUTE", "601", "outside"),
        ("WHATSAPP_URL", "http://localhost", "no WebSocket address"),
        ("WHATSAPP_URL", "ws://", "no WebSocket address"),
        ("WHATSAPP_VERSION", "2.3000", "no version"),
        ("WHATSAPP_VERSION", "2.3000.x", "no version"),
        ("DATABASE_URL", "mysql://u:hunter2@h/d", "neither an SQLite nor a PostgreSQL"),
        ("DATABASE_URL", "sqlite::memory:", "lose it at the end"),
        ("DATABASE_URL", "sqlite:", "names no file"),
        ("PORTAL_INTERNAL_KEY", "hunter2", "fewer than 16"),
        ("ADMIN_PASSWORD", "hunter2", "fewer than 8"),
        ("ADMIN_PASSWORD", "Admin123", "tried first"),
        ("ADMIN_PASSWORD", "aaaaaaaaaa", "over and over"),
    ];
    for (name, value, problem) in cases {
        let found = refusals(&[], &[(name, value)], None);
        assert!(found.len() == 1 && found[0].contains(problem), "{name}={value}: {found:?}");
        assert!(found[0].contains(&format!("(environment {name})")), "{found:?}");
        assert!(!found[0].contains("hunter2"), "a secret shows: {found:?}");
    }
}

#[test]
fn a_home_too_long_for_sockets_is_refused() {
    let home = format!("/{}", "x".repeat(91));
    let found = refusals(&[], &[("TENANTRY_HOME", &home)], None);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("set TENANTRY_HOME to a shorter path"), "{found:?}");
    // `/run/supervisor.sock` has 20 bytes, and 107 are allowed.
    let home = format!("/{}", "x".repeat(86));
    assert!(settings(&[], &[("TENANTRY_HOME", &home)], None).is_ok());
}

#[test]
fn a_home_that_cannot_be_told_does_not_hide_other_mistakes() {
    let found = refusals(&[], &[("HOME", ""), ("PORT", "x")], None);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("home (default)") && found[0].contains("set TENANTRY_HOME"));
}
