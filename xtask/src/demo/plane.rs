//! The control plane of the demo: `tenantry server`, spoken to through the `tenantry` command line.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::installation::home::Home;
use crate::installation::http::Service;
use crate::installation::program::{Program, command};
use crate::installation::server::Server;
use crate::installation::wait;

/// How long one call of the command line may take: longer than it waits for a worker itself.
const CALL_LIMIT: Duration = Duration::from_secs(60);

/// The time between two looks whether a call has ended.
const CALL_PACE: Duration = Duration::from_millis(10);

/// The port that the README names; another is taken where it is in use.
const USUAL_PORT: u16 = 7700;

/// Signs of life come often, so that the demo's table is never old.
const HEARTBEAT_INTERVAL_MS: &str = "5000";

/// A tenant as the demo knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The id, which names the session folder.
    pub id: String,
    /// The short form for the command line.
    pub slug: String,
}

/// The running control plane. Dropped, it ends with its workers and its supervisor.
pub struct Plane<'home> {
    server: Server<'home>,
    tenantry: PathBuf,
    home: &'home Home,
    tenants: Vec<Tenant>,
}

impl<'home> Plane<'home> {
    /// Starts the control plane with its bots pointed at `whatsapp_url` and waits until it is ready.
    pub fn start(tenantry: &Path, home: &'home Home, whatsapp_url: &str) -> Result<Self> {
        let port = usual_or_free(USUAL_PORT).to_string();
        let variables = [
            ("PORT", port.as_str()),
            ("WHATSAPP_URL", whatsapp_url),
            ("HEARTBEAT_INTERVAL_MS", HEARTBEAT_INTERVAL_MS),
        ];
        let server = Server::start(tenantry, home, &variables)?;
        Ok(Self { server, tenantry: tenantry.to_path_buf(), home, tenants: Vec::new() })
    }

    /// Where the control plane listens.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// The HTTP interface, with the operator's token.
    pub fn admin(&self) -> Result<Service> {
        self.server.admin()
    }

    /// The HTTP interface for somebody who is not known yet.
    pub fn anybody(&self) -> Result<Service> {
        Service::at(self.server.url())
    }

    /// What the server has said on its console.
    pub fn console(&self) -> Result<String> {
        self.server.console()
    }

    /// An error when the server has ended.
    pub fn check(&mut self) -> Result<()> {
        self.server.check()
    }

    /// Calls `tenantry` and returns what it printed.
    pub fn call(&self, arguments: &[&str]) -> Result<String> {
        self.call_unless(arguments, wait::interrupted)
    }

    /// Like [`Plane::call`], given up as soon as `given_up` says so, or when it takes too long.
    fn call_unless(&self, arguments: &[&str], given_up: fn() -> bool) -> Result<String> {
        let words = arguments.join(" ");
        // Files, not pipes: they never fill, and nobody else can hold them open.
        let (out, log) = (self.home.own("call.out"), self.home.own("call.log"));
        let mut call = command(&self.tenantry, self.home);
        let mut call = Program::start("tenantry", call.args(arguments), &out, &log)?;
        let deadline = Instant::now() + CALL_LIMIT;
        let status = loop {
            if let Some(status) = call.ended()? {
                break status;
            }
            if given_up() {
                bail!("interrupted during `tenantry {words}`");
            }
            if Instant::now() >= deadline {
                bail!("`tenantry {words}` took longer than {} s", CALL_LIMIT.as_secs());
            }
            std::thread::sleep(CALL_PACE);
        };
        if !status.success() {
            bail!("`tenantry {words}` failed: {}", std::fs::read_to_string(&log)?.trim());
        }
        Ok(std::fs::read_to_string(&out)?)
    }

    /// Calls `tenantry` and returns the JSON that it printed.
    pub fn json(&self, arguments: &[&str]) -> Result<Value> {
        let text = self.call(arguments)?;
        serde_json::from_str(&text)
            .with_context(|| format!("`tenantry {}` printed no JSON", arguments.join(" ")))
    }

    /// Makes a tenant, or finds the one of an earlier run and stops its worker.
    pub fn add_tenant(&mut self, name: &str, phone: &str, greeting: &str) -> Result<Tenant> {
        let mut found = named(&self.json(&["tenants", "--json"])?, name);
        if let Some(tenant) = &found {
            self.call(&["worker", "stop", &tenant.slug])?;
        } else {
            let phone = format!("+{phone}");
            self.call(&["tenant", "add", name, "--phone", &phone, "--greeting", greeting])?;
            found = named(&self.json(&["tenants", "--json"])?, name);
        }
        let tenant = found.with_context(|| format!("the new tenant {name} is not listed"))?;
        self.tenants.push(tenant.clone());
        Ok(tenant)
    }

    /// The QR code that the tenant's bot shows.
    pub fn wait_for_code(&self, tenant: &Tenant, patience: Duration) -> Result<String> {
        wait::until(&format!("a QR code of {}", tenant.slug), patience, || {
            // Without a code yet, the command may fail; the deadline bounds that.
            let qr = self.json(&["qr", &tenant.slug, "--once", "--json"]).unwrap_or_default();
            Ok(qr["code"].as_str().map(str::to_owned))
        })
    }

    /// Returns when the tenant is `ACTIVE` and its session connected.
    pub fn wait_until_active(&self, tenant: &Tenant, patience: Duration) -> Result<()> {
        wait::until(&format!("{} to be ACTIVE", tenant.slug), patience, || {
            let view = self.json(&["tenant", "show", &tenant.slug, "--json"])?;
            let active = view["status"] == "ACTIVE" && view["session"]["state"] == "CONNECTED";
            Ok(active.then_some(()))
        })
    }
}

impl Drop for Plane<'_> {
    fn drop(&mut self) {
        // The workers first, politely; what is left ends with the server.
        for tenant in &self.tenants {
            if self.server.check().is_ok() {
                let _ = self.call_unless(&["worker", "stop", &tenant.slug], || false);
            }
        }
    }
}

/// This port, or 0 for any where something else listens there.
pub fn usual_or_free(port: u16) -> u16 {
    if TcpListener::bind(("127.0.0.1", port)).is_ok() { port } else { 0 }
}

/// The tenant of that name in a list of tenants.
fn named(list: &Value, name: &str) -> Option<Tenant> {
    let items = list.as_array().or_else(|| list["items"].as_array())?;
    let tenant = items.iter().find(|tenant| tenant["name"] == name)?;
    let text = |field: &str| tenant[field].as_str().map(str::to_owned);
    Some(Tenant { id: text("id")?, slug: text("slug")? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Tenant, named};

    #[test]
    fn a_tenant_is_found_by_its_name() {
        let list =
            json!([{"name": "A", "id": "1", "slug": "a"}, {"name": "B", "id": "2", "slug": "b"}]);
        let b = Tenant { id: "2".to_owned(), slug: "b".to_owned() };
        assert_eq!(named(&list, "B"), Some(b.clone()));
        assert_eq!(named(&json!({"items": list}), "B"), Some(b));
        assert_eq!(named(&json!([]), "B"), None);
    }
}
