//! The worker contract: what the environment tells a worker.
//!
//! Everything is read from a map, never from the process's environment, and every mistake is told at
//! once. `docs/worker-contract.md` has the same list for people.

mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use api::TenantId;

use crate::backoff::Policy;
use crate::liveness;
use values::Reader;

#[cfg(test)]
mod tests;

/// WhatsApp's own address.
pub const WHATSAPP_URL: &str = "wss://web.whatsapp.com/ws/chat";

/// The version that is announced to a service other than WhatsApp's own when none is given, so that
/// no look-up goes to the internet.
const FIXED_VERSION: Version = (2, 3000, 1_027_868_167);

/// A WhatsApp Web version.
pub type Version = (u32, u32, u32);

/// What the environment tells a worker.
#[derive(Clone, Debug, PartialEq)]
pub struct Contract {
    /// `TENANT_ID`: whose worker this is.
    pub tenant: TenantId,
    /// `SESSIONS_PATH`: the folder with the sessions of all tenants.
    pub sessions: PathBuf,
    /// How to reach the control plane; without it the worker runs alone and only logs.
    pub link: Option<Link>,
    /// `HEARTBEAT_INTERVAL_MS`.
    pub heartbeat_interval: Duration,
    /// `RATE_LIMIT_MAX_PER_MINUTE`: at most so many answers in a minute, until the control plane
    /// says another number.
    pub rate_limit_max_per_minute: u32,
    /// The service to connect to.
    pub whatsapp: WhatsApp,
    /// `SESSION_KEY_FILE`: the key that the session is sealed with; none: it is not sealed.
    pub session_key: Option<PathBuf>,
    /// `SESSION_COPY_INTERVAL_MS`: the time between two copies of the login.
    pub copy_interval: Duration,
    /// `RECONNECT_…`: the pace of new attempts.
    pub reconnect: Policy,
    /// `LIVENESS_…`: how a connection that died is found.
    pub liveness: liveness::Policy,
    /// `PAIRING_TIMEOUT_MS`: for how long codes are shown that nobody uses.
    pub pairing_timeout: Duration,
    /// `WEBHOOK_…`: how tenants' own addresses are reached.
    pub webhook: WebhookPolicy,
}

/// How tenants' own addresses are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookPolicy {
    /// `WEBHOOK_ALLOW_PRIVATE`: whether they may belong to this machine or a private network.
    pub allow_private: bool,
    /// `WEBHOOK_RETRY_MS`: the wait after the first failed request to a webhook; it doubles with
    /// each.
    pub first_retry: Duration,
}

/// How to reach the control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// `TENANTRY_LINK`: `unix:/path` or `http://host:port`.
    pub address: String,
    /// `TENANTRY_TOKEN_FILE`: the file with the token.
    pub token_file: PathBuf,
    /// `TENANTRY_GENERATION`.
    pub generation: u64,
    /// `TENANTRY_INCARNATION`; 0 when nobody counts.
    pub incarnation: u64,
}

/// The service to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhatsApp {
    /// `WHATSAPP_URL`, or [`WHATSAPP_URL`].
    pub url: String,
    /// The version to announce; `None`: the present one is looked up.
    pub version: Option<Version>,
}

/// All that is wrong with an environment.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

/// One mistake: which variable, what is wrong with it, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong, and the remedy.
    pub message: String,
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the worker's environment is not as its contract asks:")?;
        self.0
            .iter()
            .try_for_each(|mistake| write!(f, "\n  {}: {}", mistake.variable, mistake.message))
    }
}

impl Contract {
    /// Reads the contract from environment variables. A variable that is set but empty counts as
    /// not set.
    ///
    /// # Errors
    /// Every mistake there is, at once.
    pub fn from_env(env: &BTreeMap<String, String>) -> Result<Self, Mistakes> {
        let mut reader = Reader::new(env);
        let tenant = reader.tenant("TENANT_ID");
        let sessions = reader.sessions("SESSIONS_PATH");
        let link = link(&mut reader);
        let heartbeat_interval =
            Duration::from_millis(reader.number("HEARTBEAT_INTERVAL_MS", 100..=3_600_000, 30_000));
        let rate_limit_max_per_minute =
            u32::try_from(reader.number("RATE_LIMIT_MAX_PER_MINUTE", 1..=600, 10)).unwrap_or(10);
        let whatsapp = whatsapp(&mut reader);
        let session_key = reader.optional_path("SESSION_KEY_FILE");
        let copy_interval = reader.number("SESSION_COPY_INTERVAL_MS", 1..=86_400_000, 3_600_000);
        let copy_interval = Duration::from_millis(copy_interval);
        let reconnect = reconnect(&mut reader);
        let liveness = liveness::Policy {
            quiet: reader.millis("LIVENESS_QUIET_MS", 100..=60_000, 25_000),
            patience: reader.millis("LIVENESS_PATIENCE_MS", 100..=60_000, 15_000),
        };
        let pairing_timeout = reader.millis("PAIRING_TIMEOUT_MS", 100..=86_400_000, 600_000);
        let webhook = WebhookPolicy {
            allow_private: reader.flag("WEBHOOK_ALLOW_PRIVATE"),
            first_retry: Duration::from_millis(reader.number("WEBHOOK_RETRY_MS", 1..=60_000, 2000)),
        };
        let (Some(tenant), Some(sessions)) = (tenant, sessions) else {
            return Err(reader.mistakes());
        };
        let contract = Self {
            tenant,
            sessions,
            link,
            heartbeat_interval,
            rate_limit_max_per_minute,
            whatsapp,
            session_key,
            copy_interval,
            reconnect,
            liveness,
            pairing_timeout,
            webhook,
        };
        reader.finish(contract)
    }
}

fn link(reader: &mut Reader<'_>) -> Option<Link> {
    let address = reader.link("TENANTRY_LINK")?;
    let token_file = reader.path("TENANTRY_TOKEN_FILE");
    let generation = reader.required_number("TENANTRY_GENERATION");
    let incarnation = reader.number("TENANTRY_INCARNATION", 0..=u64::MAX, 0);
    Some(Link { address, token_file: token_file?, generation: generation?, incarnation })
}

fn whatsapp(reader: &mut Reader<'_>) -> WhatsApp {
    let url = reader.whatsapp_url("WHATSAPP_URL");
    let version = reader.version("WHATSAPP_VERSION");
    match url {
        Some(url) => WhatsApp { url, version: version.or(Some(FIXED_VERSION)) },
        None => WhatsApp { url: WHATSAPP_URL.to_owned(), version },
    }
}

fn reconnect(reader: &mut Reader<'_>) -> Policy {
    let initial = reader.number("RECONNECT_INITIAL_MS", 1..=3_600_000, 5000);
    let factor = reader.factor("RECONNECT_FACTOR", 3.0);
    let max = reader.number("RECONNECT_MAX_MS", 1..=86_400_000, 300_000);
    let attempts = reader.number("RECONNECT_ATTEMPTS", 1..=1_000_000, 10);
    if initial > max {
        reader.mistake(
            "RECONNECT_MAX_MS",
            format!(
                "{max} is less than RECONNECT_INITIAL_MS ({initial}); make it at least as much"
            ),
        );
    }
    Policy {
        initial: Duration::from_millis(initial),
        factor,
        max: Duration::from_millis(max),
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        healthy: reader.millis("RECONNECT_HEALTHY_MS", 100..=3_600_000, 180_000),
        probe: reader.millis("RECONNECT_PROBE_MS", 100..=86_400_000, 1_800_000),
    }
}
