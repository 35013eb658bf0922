//! What no single setting shows: settings that do not go together, or not with this machine.

use std::path::Path;

use super::mistake::{Mistake, Source, Warning};
use super::{Home, MAX_SOCKET_PATH, Settings};

/// Settings that do not go together. `wrong` tells which ones are wrong already.
pub(super) fn mistakes(
    settings: &Settings,
    wrong: &dyn Fn(&str) -> bool,
    source: &dyn Fn(&str) -> Source,
) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let reachable = !settings.bind.to_canonical().is_loopback();
    if reachable && !settings.allow_remote && !wrong("bind") && !wrong("allow_remote") {
        mistakes.push(Mistake {
            key: "bind".to_owned(),
            source: source("bind"),
            problem: format!("{} can be reached from other machines", settings.bind),
            remedy: "set it to 127.0.0.1, or set TENANTRY_ALLOW_REMOTE=true if TLS_CERT is set or a proxy \
                     with TLS stands before it"
                .to_owned(),
        });
    }
    if settings.oidc_issuer.is_some()
        && settings.oidc_client_id.is_none()
        && !wrong("oidc_client_id")
    {
        mistakes.push(Mistake {
            key: "oidc_client_id".to_owned(),
            source: source("oidc_client_id"),
            problem: "is not set, and oidc_issuer is".to_owned(),
            remedy: "set it to what this installation is called at the identity provider"
                .to_owned(),
        });
    }
    if settings.smtp_url.is_some() && settings.mail_from.is_none() && !wrong("mail_from") {
        mistakes.push(Mistake {
            key: "mail_from".to_owned(),
            source: source("mail_from"),
            problem: "is not set, and letters go out by smtp_url".to_owned(),
            remedy: "set it to an address of yours, such as Bots <bots@example.com>".to_owned(),
        });
    }
    let half = match (&settings.tls_cert, &settings.tls_key) {
        (Some(_), None) => {
            Some(("tls_cert", "TLS_KEY to the file with the certificate's private key"))
        }
        (None, Some(_)) => Some(("tls_key", "TLS_CERT to the file with the key's certificate")),
        (Some(_), Some(_)) | (None, None) => None,
    };
    if let Some((key, other)) = half
        && !wrong("tls_cert")
        && !wrong("tls_key")
    {
        mistakes.push(Mistake {
            key: key.to_owned(),
            source: source(key),
            problem: "a certificate and its key are needed together".to_owned(),
            remedy: format!("set {other}, or take {key} away"),
        });
    }
    if !wrong("home") {
        mistakes.extend(long_socket(&settings.home, &source("home")));
    }
    mistakes
}

/// A home whose path is too long for the sockets in it.
pub(super) fn long_socket(home: &Home, source: &Source) -> Option<Mistake> {
    home.too_long_socket().map(|socket| Mistake {
        key: "home".to_owned(),
        source: source.clone(),
        problem: format!(
            "the socket {} would have a path of {} bytes, and the system allows {MAX_SOCKET_PATH}",
            socket.display(),
            socket.as_os_str().len()
        ),
        remedy: "set TENANTRY_HOME to a shorter path".to_owned(),
    })
}

/// What can be used but is probably not meant.
pub(super) fn warnings(settings: &Settings) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |key: &str, message: String| {
        warnings.push(Warning { key: key.to_owned(), message });
    };
    if !settings.bind.to_canonical().is_loopback() && settings.tls_cert.is_none() {
        warn(
            "bind",
            format!(
                "{} can be reached from other machines, and tokens travel in plain text; set \
                 TLS_CERT and TLS_KEY, or put a proxy with TLS before it",
                settings.bind
            ),
        );
    }
    if settings.stale_threshold < settings.heartbeat_interval * 2 {
        warn(
            "stale_threshold_minutes",
            format!(
                "{} s are less than two heartbeats of {} s, so that one late heartbeat makes a healthy \
                 worker stale; set it to {} or more",
                settings.stale_threshold.as_secs_f64(),
                settings.heartbeat_interval.as_secs_f64(),
                settings.heartbeat_interval.as_secs_f64() * 2.0 / 60.0
            ),
        );
    }
    warnings
}

/// What this machine has to say about the settings.
pub(super) fn machine_warnings(settings: &Settings) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some(path) = &settings.puppeteer_executable_path
        && !is_executable(path)
    {
        warnings.push(Warning {
            key: "puppeteer_executable_path".to_owned(),
            message: format!(
                "{} is no program that can be run; tenants whose own program needs a browser will \
                 fail until it is",
                path.display()
            ),
        });
    }
    warnings
}

/// Whether there is a file that somebody may execute.
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
