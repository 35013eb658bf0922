//! From a setting's text to its value.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use api::worker::RuntimeKind;
use ipnet::IpNet;

use super::Networks;
use super::secret::{DatabaseUrl, Secret};

/// The fewest characters of the portal key: it is guessed by machines.
const MIN_PORTAL_KEY: usize = 16;

/// The fewest characters of the admin password.
const MIN_PASSWORD: usize = 8;

/// Passwords that are tried first, among them the default one of the system that this one replaces.
const KNOWN_PASSWORDS: [&str; 12] = [
    "admin123",
    "password",
    "password1",
    "passw0rd",
    "12345678",
    "123456789",
    "1234567890",
    "qwertyui",
    "changeme",
    "tenantry",
    "adminadmin",
    "administrator",
];

/// The longest stale threshold, in minutes: a week. Longer, and nobody would ever be told.
const MAX_STALE_MINUTES: f64 = 10_080.0;

/// A setting's text and what is needed to understand it.
pub(super) struct Raw<'a> {
    /// The text, trimmed.
    pub(super) text: &'a str,
    /// What a relative path in it is relative to: an absolute path.
    pub(super) base: &'a Path,
    /// What a leading `~` stands for.
    pub(super) user_home: Option<&'a Path>,
}

/// Why a text is no value of a setting.
pub(super) struct Refusal {
    pub(super) problem: String,
    pub(super) remedy: String,
}

pub(super) fn refuse<T>(
    problem: impl Into<String>,
    remedy: impl Into<String>,
) -> Result<T, Refusal> {
    Err(Refusal { problem: problem.into(), remedy: remedy.into() })
}

/// A whole number within bounds.
pub(super) fn whole(raw: &Raw<'_>, range: RangeInclusive<u64>) -> Result<u64, Refusal> {
    // TOML allows underscores between digits, and so does this in the other sources.
    match raw.text.replace('_', "").parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        Ok(number) => refuse(
            format!("{number} is outside {} to {}", range.start(), range.end()),
            format!("set it to a whole number from {} to {}", range.start(), range.end()),
        ),
        Err(_) => refuse(
            format!("{:?} is no whole number", raw.text),
            format!("set it to a whole number from {} to {}", range.start(), range.end()),
        ),
    }
}

/// A number of milliseconds within bounds.
pub(super) fn millis(raw: &Raw<'_>, range: RangeInclusive<u64>) -> Result<Duration, Refusal> {
    whole(raw, range).map(Duration::from_millis)
}

/// A number of minutes, decimals allowed, that is at least a millisecond.
pub(super) fn minutes(raw: &Raw<'_>) -> Result<Duration, Refusal> {
    let remedy = "set it to a number of minutes above 0, such as 2 or 0.5";
    let Ok(minutes) = raw.text.parse::<f64>() else {
        return refuse(format!("{:?} is no number", raw.text), remedy);
    };
    if !(minutes > 0.0 && minutes <= MAX_STALE_MINUTES) {
        return refuse(format!("{minutes} is not above 0 and at most {MAX_STALE_MINUTES}"), remedy);
    }
    let duration = Duration::from_secs_f64(minutes * 60.0);
    if duration < Duration::from_millis(1) {
        return refuse(format!("{minutes} minutes are less than a millisecond"), remedy);
    }
    Ok(duration)
}

/// A number of things.
pub(super) fn count(raw: &Raw<'_>, range: RangeInclusive<u64>) -> Result<usize, Refusal> {
    whole(raw, range).map(|count| usize::try_from(count).unwrap_or(usize::MAX))
}

/// How much a second.
pub(super) fn per_second(raw: &Raw<'_>) -> Result<u32, Refusal> {
    whole(raw, 0..=1_000_000).map(|count| u32::try_from(count).unwrap_or(u32::MAX))
}

/// `true` or `false`, also as `1`, `yes`, `on` and `0`, `no`, `off`.
pub(super) fn truth(raw: &Raw<'_>) -> Result<bool, Refusal> {
    match raw.text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => refuse(format!("{:?} is neither true nor false", raw.text), "set it to true or false"),
    }
}

/// An IP address, or `localhost`.
pub(super) fn address(raw: &Raw<'_>) -> Result<IpAddr, Refusal> {
    if raw.text.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let bare = raw.text.trim_start_matches('[').trim_end_matches(']');
    bare.parse().or_else(|_| {
        refuse(
            format!("{:?} is no IP address", raw.text),
            "set it to an address without a port, such as 127.0.0.1 or ::1",
        )
    })
}

/// The addresses or networks of proxies.
pub(super) fn proxies(raw: &Raw<'_>) -> Result<Networks, Refusal> {
    let remedy =
        "set it to addresses or networks with commas between them, such as 127.0.0.1, 10.0.0.0/8";
    let parts = raw.text.split([',', ' ']).filter(|part| !part.is_empty());
    let network = |part: &str| {
        let of_one =
            || part.parse().map(|address: IpAddr| IpNet::from(address.to_canonical())).ok();
        part.parse::<IpNet>().ok().or_else(of_one).ok_or_else(|| part.to_owned())
    };
    match parts.map(network).collect() {
        Ok(networks) => Ok(Networks::new(networks)),
        Err(part) => refuse(format!("{part:?} is no address and no network"), remedy),
    }
}

/// The address of this server.
pub(super) fn public_url(raw: &Raw<'_>) -> Result<String, Refusal> {
    let text = raw.text.trim_end_matches('/');
    match text.parse::<axum::http::Uri>() {
        Ok(uri)
            if matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
                && uri.query().is_none() =>
        {
            Ok(text.to_owned())
        }
        Ok(_) | Err(_) => refuse(
            format!("{text:?} is no address of a server"),
            "set it to an address such as https://bots.example.com",
        ),
    }
}

/// A path, made absolute.
pub(super) fn path(raw: &Raw<'_>) -> Result<PathBuf, Refusal> {
    if raw.text.contains('\0') {
        return refuse("holds a NUL character", "set it to a path");
    }
    let given = Path::new(raw.text);
    match given.strip_prefix("~") {
        Ok(rest) => match raw.user_home {
            Some(home) => Ok(plain(&home.join(rest))),
            None => refuse("starts with ~, and HOME is not set", "set it to an absolute path"),
        },
        Err(_) => Ok(plain(&raw.base.join(given))),
    }
}

/// A program: a name to be found in `PATH`, or a path, made absolute.
pub(super) fn program(raw: &Raw<'_>) -> Result<PathBuf, Refusal> {
    if raw.text.contains('/') { path(raw) } else { Ok(PathBuf::from(raw.text)) }
}

/// Where workers run.
pub(super) fn runtime(raw: &Raw<'_>) -> Result<RuntimeKind, Refusal> {
    raw.text
        .parse()
        .or_else(|_| refuse(format!("{:?} is no runtime", raw.text), "set it to local or pm2"))
}

/// The path without `.` parts. `..` stays, since it may stand behind a symbolic link.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| !matches!(part, Component::CurDir)).collect()
}

/// A log level or filter.
pub(super) fn log_level(raw: &Raw<'_>) -> Result<String, Refusal> {
    match raw.text.parse::<logging::Filter>() {
        Ok(filter) => Ok(filter.to_string()),
        Err(logging::BadLevel(word)) => refuse(
            format!("{word:?} is no log level"),
            "set it to trace, debug, info, warn, error or off, with target=level after a comma for \
             a part of the program",
        ),
    }
}

/// The database's address. Its text is never repeated in a message: it may hold a password.
pub(super) fn database_url(raw: &Raw<'_>) -> Result<DatabaseUrl, Refusal> {
    let remedy = "set it to sqlite: and the path of a file, as in sqlite:/srv/tenantry/tenantry.db, or to \
                  postgres://user:password@host/database";
    if raw.text.starts_with("postgres://") || raw.text.starts_with("postgresql://") {
        return match store::check_url(raw.text) {
            Ok(()) => Ok(DatabaseUrl::new(raw.text.to_owned())),
            Err(error) => refuse(
                error.to_string(),
                "set it to an address such as postgres://user:password@host:5432/database",
            ),
        };
    }
    let Some(rest) = raw.text.strip_prefix("sqlite:") else {
        return refuse("names neither an SQLite nor a PostgreSQL database", remedy);
    };
    if rest.starts_with(":memory:") {
        return refuse("would keep everything in memory and lose it at the end", remedy);
    }
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (file, parameters) = match rest.split_once('?') {
        Some((file, parameters)) => (file, format!("?{parameters}")),
        None => (rest, String::new()),
    };
    if file.is_empty() {
        return refuse("names no file", remedy);
    }
    let file = path(&Raw { text: file, ..*raw })?;
    Ok(DatabaseUrl::new(format!("sqlite:{}{parameters}", file.display())))
}

/// The key of a portal that stands before this server.
pub(super) fn portal_key(raw: &Raw<'_>) -> Result<Secret, Refusal> {
    if raw.text.chars().count() < MIN_PORTAL_KEY {
        return refuse(
            format!("has fewer than {MIN_PORTAL_KEY} characters"),
            "set a random one, such as the output of `openssl rand -hex 32`",
        );
    }
    Ok(Secret::new(raw.text.to_owned()))
}

/// The admin password.
pub(super) fn password(raw: &Raw<'_>) -> Result<Secret, Refusal> {
    let remedy = "choose a longer one that nobody guesses";
    if raw.text.chars().count() < MIN_PASSWORD {
        return refuse(format!("has fewer than {MIN_PASSWORD} characters"), remedy);
    }
    let lower = raw.text.to_ascii_lowercase();
    if KNOWN_PASSWORDS.contains(&lower.as_str()) {
        return refuse("is one of the passwords that are tried first", remedy);
    }
    let mut characters = lower.chars();
    let first = characters.next();
    if characters.all(|character| Some(character) == first) {
        return refuse("is one character over and over", remedy);
    }
    Ok(Secret::new(raw.text.to_owned()))
}

/// The address of a mail server; it may hold a password and is never repeated.
pub(super) fn smtp_url(raw: &Raw<'_>) -> Result<Secret, Refusal> {
    if raw.text.starts_with("smtp://") || raw.text.starts_with("smtps://") {
        return Ok(Secret::new(raw.text.to_owned()));
    }
    refuse("is no address of a mail server", "set it to smtps://user:password@host")
}

/// Whom letters come from.
pub(super) fn mailbox(raw: &Raw<'_>) -> Result<String, Refusal> {
    match raw.text.parse::<lettre::message::Mailbox>() {
        Ok(mailbox) => Ok(mailbox.to_string()),
        Err(error) => refuse(
            format!("{:?} is no mailbox: {error}", raw.text),
            "set it to an address such as Bots <bots@example.com>",
        ),
    }
}

/// The address of a WhatsApp service.
pub(super) fn websocket_url(raw: &Raw<'_>) -> Result<String, Refusal> {
    let remedy =
        "set it to an address such as wss://host/path, or leave it out for WhatsApp itself";
    match raw.text.parse::<axum::http::Uri>() {
        Ok(uri)
            if matches!(uri.scheme_str(), Some("ws" | "wss"))
                && uri.host().is_some_and(|host| !host.is_empty()) =>
        {
            Ok(raw.text.to_owned())
        }
        Ok(_) | Err(_) => refuse(format!("{:?} is no WebSocket address", raw.text), remedy),
    }
}

/// A version of WhatsApp Web: three numbers.
pub(super) fn version(raw: &Raw<'_>) -> Result<String, Refusal> {
    let parts: Vec<&str> = raw.text.split('.').collect();
    let digits =
        |part: &&str| part.bytes().all(|b| b.is_ascii_digit()) && part.parse::<u32>().is_ok();
    if parts.len() == 3 && parts.iter().all(digits) {
        return Ok(raw.text.to_owned());
    }
    refuse(
        format!("{:?} is no version", raw.text),
        "set it to three numbers such as 2.3000.1023456789, or leave it out",
    )
}
