//! Settings: from defaults, the settings file, the environment and the command line, in ascending
//! order of precedence.
//!
//! Two stages. [`resolve`] is pure: it takes texts from injected [`Sources`], understands every one
//! by the table [`KEYS`], and tells all mistakes at once. [`load()`] reads the machine for it.

mod check;
mod file;
mod home;
mod keys;
mod load;
mod mistake;
mod secret;
#[cfg(test)]
mod tests;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use api::worker::RuntimeKind;

pub use crate::serving::Networks;
pub use home::{Home, MAX_SOCKET_PATH};
pub use keys::{KEYS, Key, reference};
pub use load::{load, locate_home};
pub use mistake::{Mistake, Mistakes, Source, Warning};
pub use secret::{DatabaseUrl, Secret};

use value::Raw;

/// The settings of a control plane. Each field's meaning, default and bounds stand in [`KEYS`].
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where everything stands.
    pub home: Home,
    /// The store.
    pub database_url: DatabaseUrl,
    /// The address to listen at.
    pub bind: IpAddr,
    /// Whether `bind` may be reachable from other machines.
    pub allow_remote: bool,
    /// The port to listen at; 0: any free one.
    pub port: u16,
    /// Where people reach this server.
    pub public_url: Option<String>,
    /// The certificate's file; absolute. There is a key whenever there is a certificate.
    pub tls_cert: Option<PathBuf>,
    /// The key's file; absolute.
    pub tls_key: Option<PathBuf>,
    /// Who is believed about where a request comes from.
    pub trusted_proxies: Networks,
    /// The most connections at once over TCP.
    pub max_connections: usize,
    /// The most of them from one address.
    pub max_connections_per_address: usize,
    /// Requests of an address in a second; 0: no limit.
    pub rate_limit_per_address: u32,
    /// Requests of an address at once.
    pub rate_limit_per_address_burst: u32,
    /// Requests with a credential in a second; 0: no limit.
    pub rate_limit_per_credential: u32,
    /// The folder of the sessions; absolute.
    pub sessions_path: PathBuf,
    /// The log filter; valid for [`logging::Filter`].
    pub log_level: String,
    /// The time between a worker's signs of life.
    pub heartbeat_interval: Duration,
    /// The time between two looks for stale workers.
    pub stale_check_interval: Duration,
    /// The silence after which a worker is stale.
    pub stale_threshold: Duration,
    /// The most answers of a bot in a minute.
    pub rate_limit_max_per_minute: u32,
    /// How long a browser may be idle.
    pub session_idle: Duration,
    /// How long a browser stays signed in.
    pub session_lifetime: Duration,
    /// Where a foreign portal may call from; empty: anywhere.
    pub portal_addresses: Networks,
    /// The mail server.
    pub smtp_url: Option<Secret>,
    /// Whom letters come from.
    pub mail_from: Option<String>,
    /// The identity provider.
    pub oidc_issuer: Option<String>,
    /// What we are called there.
    pub oidc_client_id: Option<String>,
    /// What we prove that with.
    pub oidc_client_secret: Option<Secret>,
    /// What the identity provider is called on the button.
    pub oidc_name: String,
    /// The key of a foreign portal.
    pub portal_internal_key: Option<Secret>,
    /// A password for the admin routes.
    pub admin_password: Option<Secret>,
    /// The browser for tenants' own programs; absolute.
    pub puppeteer_executable_path: Option<PathBuf>,
    /// What to connect to in the place of WhatsApp.
    pub whatsapp_url: Option<String>,
    /// The version of WhatsApp Web to claim.
    pub whatsapp_version: Option<String>,
    /// Whether tenants' webhooks and files may be at addresses of this machine or private networks.
    pub webhook_allow_private: bool,
    /// Whether sessions are encrypted on the disk.
    pub encrypt_sessions: bool,
    /// How many days events are kept.
    pub event_retention_days: u32,
    /// How many events of a tenant are kept.
    pub event_retention_count: u64,
    /// Whether `/metrics` may be read without a credential.
    pub metrics_public: bool,
    /// Where the workers of new tenants run.
    pub runtime: RuntimeKind,
    /// The `pm2` program: absolute, or a name to be found in `PATH`.
    pub pm2_program: PathBuf,
    /// The folder of the PM2 daemon; absolute. `None`: `~/.pm2`.
    pub pm2_home: Option<PathBuf>,
    /// How long a stopped worker has before it is killed.
    pub kill_timeout: Duration,
    /// How long lifecycle calls wait for their effect.
    pub lifecycle_wait: Duration,
}

/// Where settings come from.
pub struct Sources<'a> {
    /// Values from the command line, by the setting's name.
    pub flags: BTreeMap<&'a str, String>,
    /// The environment. An empty variable counts as one that is not set.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// The settings file: its path and text.
    pub file: Option<(PathBuf, String)>,
    /// What relative paths of flags and environment are relative to; absolute. Those of the file are
    /// relative to the file's folder.
    pub cwd: PathBuf,
}

/// Settings that can be used.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What is doubtful about them.
    pub warnings: Vec<Warning>,
    sources: BTreeMap<&'static str, Source>,
}

/// One setting as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Its name.
    pub key: &'static str,
    /// Its environment variable.
    pub env: &'static str,
    /// Its value, masked if it is a secret; absent when it is not set.
    pub value: Option<String>,
    /// Where the value came from.
    pub source: Source,
}

impl Loaded {
    /// Every setting with its value (secrets masked) and where that came from.
    #[must_use]
    pub fn explain(&self) -> Vec<Explained> {
        let explained = |key: &'static Key| Explained {
            key: key.name,
            env: key.env,
            value: (key.show)(&self.settings),
            source: self.sources.get(key.name).cloned().unwrap_or(Source::Default),
        };
        KEYS.iter().copied().map(explained).collect()
    }
}

/// Understands all settings.
///
/// # Errors
/// All [`Mistakes`] at once, those of the file first.
pub fn resolve(sources: &Sources<'_>) -> Result<Loaded, Mistakes> {
    let user_home = variable(sources, "HOME").map(PathBuf::from);
    let (home, mut mistakes) = match load::find_home(sources) {
        Ok(found) => (found, Vec::new()),
        // Any home will do for finding the other mistakes.
        Err(mistake) => ((sources.cwd.clone(), Source::Default), vec![mistake]),
    };
    let (home, home_source) = (Home::new(home.0), home.1);
    let (entries, wrong) = match &sources.file {
        Some((path, text)) => file::read(path, text),
        None => (BTreeMap::new(), Vec::new()),
    };
    mistakes.extend(wrong);
    let file_base = sources.file.as_ref().and_then(|(path, _)| path.parent());

    let mut settings = Settings::blank(home);
    let mut origins = BTreeMap::from([("home", home_source)]);
    for key in KEYS.iter().filter(|key| key.name != "home") {
        let (text, source) = if let Some(found) = outside(sources, key) {
            found
        } else if let Some(entry) = entries.get(key.name) {
            (entry.text.clone(), entry.source.clone())
        } else if let Some(default) = key.default {
            let home = settings.home.root().display().to_string();
            (default.replace("<home>", &home), Source::Default)
        } else {
            continue;
        };
        let base = match &source {
            Source::File { .. } => file_base.unwrap_or(&sources.cwd),
            Source::Default | Source::Environment(_) | Source::Flag(_) => &sources.cwd,
        };
        let raw = Raw { text: text.trim(), base, user_home: user_home.as_deref() };
        if let Err(refusal) = (key.set)(&mut settings, &raw) {
            mistakes.push(Mistake {
                key: key.name.to_owned(),
                source: source.clone(),
                problem: refusal.problem,
                remedy: refusal.remedy,
            });
        }
        origins.insert(key.name, source);
    }
    finish(settings, origins, mistakes)
}

/// Checks what no single setting shows, unless one that takes part is wrong already.
fn finish(
    settings: Settings,
    sources: BTreeMap<&'static str, Source>,
    mut mistakes: Vec<Mistake>,
) -> Result<Loaded, Mistakes> {
    let wrong: BTreeSet<String> = mistakes.iter().map(|mistake| mistake.key.clone()).collect();
    let source = |key: &str| sources.get(key).cloned().unwrap_or(Source::Default);
    mistakes.extend(check::mistakes(&settings, &|key| wrong.contains(key), &source));
    if !mistakes.is_empty() {
        return Err(Mistakes(mistakes));
    }
    let warnings = check::warnings(&settings);
    Ok(Loaded { settings, warnings, sources })
}

/// A setting's text from the command line or the environment.
fn outside(sources: &Sources<'_>, key: &Key) -> Option<(String, Source)> {
    if let Some(text) = sources.flags.get(key.name) {
        return Some((text.clone(), Source::Flag(key.flag())));
    }
    variable(sources, key.env).map(|text| (text, Source::Environment(key.env.to_owned())))
}

/// An environment variable that is set and not empty.
fn variable(sources: &Sources<'_>, name: &str) -> Option<String> {
    (sources.env)(name).filter(|text| !text.trim().is_empty())
}

impl Settings {
    /// Settings to be filled from the table, whose defaults are the ones that count.
    fn blank(home: Home) -> Self {
        Self {
            database_url: DatabaseUrl::new(String::new()),
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            allow_remote: false,
            port: 0,
            tls_cert: None,
            tls_key: None,
            trusted_proxies: Networks::default(),
            max_connections: 0,
            max_connections_per_address: 0,
            rate_limit_per_address: 0,
            rate_limit_per_address_burst: 0,
            rate_limit_per_credential: 0,
            sessions_path: PathBuf::new(),
            log_level: String::new(),
            heartbeat_interval: Duration::ZERO,
            stale_check_interval: Duration::ZERO,
            stale_threshold: Duration::ZERO,
            rate_limit_max_per_minute: 0,
            public_url: None,
            session_idle: Duration::ZERO,
            session_lifetime: Duration::ZERO,
            portal_addresses: Networks::default(),
            smtp_url: None,
            mail_from: None,
            oidc_issuer: None,
            oidc_client_id: None,
            oidc_client_secret: None,
            oidc_name: String::new(),
            portal_internal_key: None,
            admin_password: None,
            puppeteer_executable_path: None,
            whatsapp_url: None,
            whatsapp_version: None,
            webhook_allow_private: false,
            encrypt_sessions: false,
            event_retention_days: 0,
            event_retention_count: 0,
            metrics_public: false,
            runtime: RuntimeKind::Local,
            pm2_program: PathBuf::new(),
            pm2_home: None,
            kill_timeout: Duration::ZERO,
            lifecycle_wait: Duration::ZERO,
            home,
        }
    }
}
