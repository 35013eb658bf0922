//! The one table of settings. Parsing, `tenantry config` and `docs/configuration.md` follow it.

mod people;
mod serving;

use std::sync::LazyLock;

use super::Settings;
use super::value::{self, Raw, Refusal};

/// One setting.
pub struct Key {
    /// Its name in the settings file.
    pub name: &'static str,
    /// The environment variable that sets it.
    pub env: &'static str,
    /// Its value when nobody sets it; `<home>` stands for the home. `None`: not set.
    pub default: Option<&'static str>,
    /// Whether its value must not be shown.
    pub secret: bool,
    /// Whether it can be set in the settings file.
    pub in_file: bool,
    /// What it is for, in one or two sentences.
    pub doc: &'static str,
    /// Understands a text and keeps its value.
    pub(super) set: fn(&mut Settings, &Raw<'_>) -> Result<(), Refusal>,
    /// The value as it is shown; `None` when it is not set.
    pub(super) show: fn(&Settings) -> Option<String>,
}

impl Key {
    /// The name of its command line flag, without the dashes.
    #[must_use]
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }
}

/// An hour in milliseconds: the longest interval.
const HOUR_MS: u64 = 3_600_000;

/// Ten minutes in milliseconds: the longest that a call may take.
const TEN_MINUTES_MS: u64 = 600_000;

/// A setting that has a default, may be shown, and can stand in the file.
const PLAIN: Key = Key {
    name: "",
    env: "",
    default: None,
    secret: false,
    in_file: true,
    doc: "",
    set: |_, _| Ok(()),
    show: |_| None,
};

/// All settings, in the order in which they are shown.
pub static KEYS: LazyLock<Vec<&'static Key>> =
    LazyLock::new(|| GENERAL.iter().chain(serving::SERVING).chain(people::PEOPLE).collect());

static GENERAL: &[Key] = &[
    Key {
        name: "home",
        env: "TENANTRY_HOME",
        default: Some("~/.tenantry"),
        in_file: false,
        doc: "The folder of the store, the sessions, the logs and the sockets. Keep its path short: \
              a socket's path may have 107 bytes.",
        show: |s| Some(s.home.root().display().to_string()),
        // The home is found before everything else, since defaults and the file depend on it.
        ..PLAIN
    },
    Key {
        name: "database_url",
        env: "DATABASE_URL",
        default: Some("sqlite:<home>/tenantry.db"),
        doc: "The store: `sqlite:/path/of/the/file.db`, or `postgres://user:password@host:5432/database?sslmode=verify-full`. \
              The password of a URL is never shown. See [databases](backup.md#databases).",
        set: |s, raw| value::database_url(raw).map(|url| s.database_url = url),
        show: |s| Some(s.database_url.to_string()),
        ..PLAIN
    },
    Key {
        name: "sessions_path",
        env: "SESSIONS_PATH",
        default: Some("<home>/sessions"),
        doc: "The folder of the tenants' WhatsApp sessions, one folder in it per tenant.",
        set: |s, raw| value::path(raw).map(|path| s.sessions_path = path),
        show: |s| Some(s.sessions_path.display().to_string()),
        ..PLAIN
    },
    Key {
        name: "log_level",
        env: "LOG_LEVEL",
        default: Some("info"),
        doc: "What to log: `trace`, `debug`, `info`, `warn`, `error` or `off`, also per part as in \
              `info,control=debug`. Workers get it too.",
        set: |s, raw| value::log_level(raw).map(|level| s.log_level = level),
        show: |s| Some(s.log_level.clone()),
        ..PLAIN
    },
    Key {
        name: "heartbeat_interval_ms",
        env: "HEARTBEAT_INTERVAL_MS",
        default: Some("30000"),
        doc: "Milliseconds between a worker's signs of life, 100 to 3600000.",
        set: |s, raw| value::millis(raw, 100..=HOUR_MS).map(|every| s.heartbeat_interval = every),
        show: |s| Some(s.heartbeat_interval.as_millis().to_string()),
        ..PLAIN
    },
    Key {
        name: "stale_check_interval_ms",
        env: "STALE_CHECK_INTERVAL_MS",
        default: Some("60000"),
        doc: "Milliseconds between two looks for stale workers, 100 to 3600000.",
        set: |s, raw| value::millis(raw, 100..=HOUR_MS).map(|every| s.stale_check_interval = every),
        show: |s| Some(s.stale_check_interval.as_millis().to_string()),
        ..PLAIN
    },
    Key {
        name: "stale_threshold_minutes",
        env: "STALE_THRESHOLD_MINUTES",
        default: Some("2"),
        doc: "After so many minutes without a sign of life a worker is stale. Decimals are allowed; \
              at least two heartbeats should fit in.",
        set: |s, raw| value::minutes(raw).map(|threshold| s.stale_threshold = threshold),
        show: |s| Some((s.stale_threshold.as_secs_f64() / 60.0).to_string()),
        ..PLAIN
    },
    Key {
        name: "rate_limit_max_per_minute",
        env: "RATE_LIMIT_MAX_PER_MINUTE",
        default: Some("10"),
        doc: "The most answers that a bot sends in a minute, 1 to 600, for tenants that do not set \
              their own.",
        set: |s, raw| {
            let most = value::whole(raw, 1..=600)?;
            s.rate_limit_max_per_minute = u32::try_from(most).unwrap_or(1);
            Ok(())
        },
        show: |s| Some(s.rate_limit_max_per_minute.to_string()),
        ..PLAIN
    },
    Key {
        name: "portal_internal_key",
        env: "PORTAL_INTERNAL_KEY",
        secret: true,
        doc: "The key (`x-portal-key`) of a customer portal that calls the portal routes; at least \
              16 characters. Without it those routes refuse foreign portals.",
        set: |s, raw| value::portal_key(raw).map(|key| s.portal_internal_key = Some(key)),
        show: |s| s.portal_internal_key.as_ref().map(ToString::to_string),
        ..PLAIN
    },
    Key {
        name: "admin_password",
        env: "ADMIN_PASSWORD",
        secret: true,
        doc: "A password for the admin routes besides the token in `<home>/admin.token`; at least 8 \
              characters, and none that everybody knows.",
        set: |s, raw| value::password(raw).map(|password| s.admin_password = Some(password)),
        show: |s| s.admin_password.as_ref().map(ToString::to_string),
        ..PLAIN
    },
    Key {
        name: "puppeteer_executable_path",
        env: "PUPPETEER_EXECUTABLE_PATH",
        doc: "The browser for tenants whose own program drives one; handed on to it.",
        set: |s, raw| value::path(raw).map(|path| s.puppeteer_executable_path = Some(path)),
        show: |s| s.puppeteer_executable_path.as_ref().map(|path| path.display().to_string()),
        ..PLAIN
    },
    Key {
        name: "whatsapp_url",
        env: "WHATSAPP_URL",
        doc: "A `ws://` or `wss://` address to use in the place of WhatsApp's, for tests.",
        set: |s, raw| value::websocket_url(raw).map(|url| s.whatsapp_url = Some(url)),
        show: |s| s.whatsapp_url.clone(),
        ..PLAIN
    },
    Key {
        name: "whatsapp_version",
        env: "WHATSAPP_VERSION",
        doc: "The version of WhatsApp Web that workers claim, as in `2.3000.1023456789`; looked up \
              when it is not set.",
        set: |s, raw| value::version(raw).map(|version| s.whatsapp_version = Some(version)),
        show: |s| s.whatsapp_version.clone(),
        ..PLAIN
    },
    Key {
        name: "webhook_allow_private",
        env: "WEBHOOK_ALLOW_PRIVATE",
        default: Some("false"),
        doc: "Whether tenants' webhooks and files may be at addresses of this machine or of a private \
              network. Whoever writes rules can then reach what only this machine reaches.",
        set: |s, raw| value::truth(raw).map(|allowed| s.webhook_allow_private = allowed),
        show: |s| Some(s.webhook_allow_private.to_string()),
        ..PLAIN
    },
    Key {
        name: "encrypt_sessions",
        env: "ENCRYPT_SESSIONS",
        default: Some("false"),
        doc: "Whether the sessions of Tenantry's own workers are encrypted on the disk, each with a key of its \
              own in `<home>/keys`. A session is encrypted when its worker next starts, and stays so.",
        set: |s, raw| value::truth(raw).map(|wanted| s.encrypt_sessions = wanted),
        show: |s| Some(s.encrypt_sessions.to_string()),
        ..PLAIN
    },
    Key {
        name: "event_retention_days",
        env: "EVENT_RETENTION_DAYS",
        default: Some("30"),
        doc: "How many days the event log keeps an event; up to 3650.",
        set: |s, raw| {
            let days = value::whole(raw, 1..=3650)?;
            s.event_retention_days = u32::try_from(days).unwrap_or(u32::MAX);
            Ok(())
        },
        show: |s| Some(s.event_retention_days.to_string()),
        ..PLAIN
    },
    Key {
        name: "event_retention_count",
        env: "EVENT_RETENTION_COUNT",
        default: Some("100000"),
        doc: "How many events the event log keeps of one tenant, the newest; from 100 to 10000000.",
        set: |s, raw| {
            value::whole(raw, 100..=10_000_000).map(|count| s.event_retention_count = count)
        },
        show: |s| Some(s.event_retention_count.to_string()),
        ..PLAIN
    },
    Key {
        name: "runtime",
        env: "TENANTRY_RUNTIME",
        default: Some("local"),
        doc: "Where the workers of new tenants run: `local` (Tenantry's own supervisor) or `pm2` (a PM2 \
              daemon that is there already). Those of other tenants stay where they are; `tenantry \
              migrate runtime` moves them.",
        set: |s, raw| value::runtime(raw).map(|runtime| s.runtime = runtime),
        show: |s| Some(s.runtime.to_string()),
        ..PLAIN
    },
    Key {
        name: "pm2_program",
        env: "TENANTRY_PM2_PROGRAM",
        default: Some("pm2"),
        doc: "The `pm2` program, as a path or a name that is found in `PATH`; used where workers run in PM2.",
        set: |s, raw| value::program(raw).map(|program| s.pm2_program = program),
        show: |s| Some(s.pm2_program.display().to_string()),
        ..PLAIN
    },
    Key {
        name: "pm2_home",
        env: "PM2_HOME",
        default: None,
        doc: "The folder of the PM2 daemon that workers run in; `~/.pm2` when it is not set.",
        set: |s, raw| value::path(raw).map(|path| s.pm2_home = Some(path)),
        show: |s| s.pm2_home.as_ref().map(|path| path.display().to_string()),
        ..PLAIN
    },
    Key {
        name: "kill_timeout_ms",
        env: "KILL_TIMEOUT_MS",
        default: Some("5000"),
        doc: "Milliseconds that a worker has to end by itself when it is stopped, before it is \
              killed; up to 600000.",
        set: |s, raw| {
            value::millis(raw, 0..=TEN_MINUTES_MS).map(|timeout| s.kill_timeout = timeout)
        },
        show: |s| Some(s.kill_timeout.as_millis().to_string()),
        ..PLAIN
    },
    Key {
        name: "lifecycle_wait_ms",
        env: "LIFECYCLE_WAIT_MS",
        default: Some("15000"),
        doc: "Milliseconds that start, stop and restart wait for their effect before they answer; up \
              to 600000.",
        set: |s, raw| value::millis(raw, 0..=TEN_MINUTES_MS).map(|wait| s.lifecycle_wait = wait),
        show: |s| Some(s.lifecycle_wait.as_millis().to_string()),
        ..PLAIN
    },
];

/// The table of all settings in Markdown, as it stands in `docs/configuration.md`.
#[must_use]
pub fn reference() -> String {
    let mut page =
        String::from("| setting | environment | default | meaning |\n|---|---|---|---|\n");
    for key in KEYS.iter() {
        let default = key.default.map_or_else(|| "not set".to_owned(), |text| format!("`{text}`"));
        let secret = if key.secret { " Secret." } else { "" };
        let row = format!("| `{}` | `{}` | {default} | {}{secret} |\n", key.name, key.env, key.doc);
        page.push_str(&row);
    }
    page
}
