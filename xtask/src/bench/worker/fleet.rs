//! Tenants with paired workers on a simulated network.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use super::watch::Watch;
use crate::installation::home::Home;
use crate::installation::http::Service;
use crate::installation::program::command;
use crate::installation::simulator::Simulator;
use crate::installation::wait;

/// What every bot answers.
const GREETING: &str = "Thank you for writing. We answer within the hour.";

/// The limit of answers that the control plane takes at most: nothing is to wait for it.
const ANSWERS_PER_MINUTE: u32 = 600;

/// How long a worker may take to be connected.
const PATIENCE: Duration = Duration::from_secs(120);

/// One tenant, its bot's number and the number of the person who writes to it.
pub struct Member {
    tenant: String,
    pub phone: String,
    pub contact: String,
}

/// All tenants.
pub struct Fleet<'a> {
    pub members: Vec<Member>,
    admin: Service,
    simulator: &'a Simulator,
}

impl<'a> Fleet<'a> {
    /// Makes `size` tenants, each with an account and a person on the network.
    pub fn make(
        size: usize,
        admin: Service,
        simulator: &'a Simulator,
        home: &Home,
    ) -> Result<Self> {
        let mut members = Vec::new();
        for number in 0..size {
            let phone = format!("254710{number:06}");
            let contact = format!("254790{number:06}");
            simulator.add_account(&phone)?;
            simulator.add_contact("Amina", &contact)?;
            let tenant = json!({
                "name": format!("tenant {number}"),
                "greeting": GREETING,
                "rate_limit_max_per_minute": ANSWERS_PER_MINUTE,
            });
            let made = admin.demand("POST", "/admin/tenants", Some(&tenant))?;
            let tenant = made["id"].as_str().context("the new tenant has no id")?.to_owned();
            let pacing = json!({"off": true});
            admin.demand("PUT", &format!("/admin/tenants/{tenant}/pacing"), Some(&pacing))?;
            simulator.prepare(&home.session(&tenant))?;
            members.push(Member { tenant, phone, contact });
        }
        Ok(Self { members, admin, simulator })
    }

    /// Starts every worker and scans its code, one after the other.
    pub fn pair(&self, watch: &Watch) -> Result<()> {
        for member in &self.members {
            self.act(member, "start")?;
            let path = format!("/admin/tenants/{}/qr?format=json", member.tenant);
            let code = wait::until("a QR code", PATIENCE, || {
                let answer = self.admin.request("GET", &path, None)?;
                Ok(answer.body["code"].as_str().map(str::to_owned))
            })?;
            self.simulator.scan(&code, &member.phone)?;
            watch.until("online", &member.phone, PATIENCE)?;
        }
        Ok(())
    }

    /// Stops all workers, starts them again on the sessions that they have now, and says how long it took
    /// from the first request until the last of them was connected.
    pub fn start_again(&self, watch: &Watch) -> Result<Duration> {
        for member in &self.members {
            self.act(member, "stop")?;
        }
        let begun = Instant::now();
        let mut missing: BTreeSet<&str> = BTreeSet::new();
        for member in &self.members {
            missing.insert(&member.phone);
            self.act(member, "start")?;
        }
        let deadline = Instant::now() + PATIENCE;
        let mut last = begun;
        while !missing.is_empty() {
            let Some((at, event)) = watch.next(deadline)? else {
                bail!("{} workers did not connect again", missing.len());
            };
            if event["event"] == "online" && missing.remove(event["phone"].as_str().unwrap_or("")) {
                last = at;
            }
        }
        Ok(last.duration_since(begun))
    }

    /// The times from the start of a worker's process to its login, for up to `count` workers, one at a time
    /// and without a supervisor: their own workers are stopped meanwhile.
    pub fn lone_starts(
        &self,
        program: &Path,
        home: &Home,
        watch: &Watch,
        count: usize,
    ) -> Result<Vec<Duration>> {
        let mut times = Vec::new();
        for member in self.members.iter().take(count) {
            self.act(member, "stop")?;
            let mut call = command(program, home);
            call.args(["worker", "run"])
                .env("TENANT_ID", &member.tenant)
                .env("SESSIONS_PATH", home.path().join("sessions"))
                .env("WHATSAPP_URL", self.simulator.ws_url());
            let mut times_of_one = Lone::measure(&mut call, &member.phone, watch)?;
            times.append(&mut times_of_one);
            self.act(member, "start")?;
            watch.until("online", &member.phone, PATIENCE)?;
        }
        Ok(times)
    }

    fn act(&self, member: &Member, action: &str) -> Result<()> {
        let path = format!("/admin/tenants/{}/worker/{action}", member.tenant);
        self.admin.demand("POST", &path, None).map(drop)
    }
}

/// How often each worker is started alone: more than once, for the first finds cold caches.
const LONE_STARTS: usize = 3;

/// A worker that nobody supervises; dropped, it is killed.
struct Lone(Child);

impl Lone {
    fn measure(call: &mut Command, phone: &str, watch: &Watch) -> Result<Vec<Duration>> {
        call.stdout(Stdio::null()).stderr(Stdio::null());
        let mut times = Vec::new();
        for _ in 0..LONE_STARTS {
            let begun = Instant::now();
            let lone = Self(call.spawn().context("cannot start a worker")?);
            times.push(watch.until("online", phone, PATIENCE)?.duration_since(begun));
            drop(lone);
            watch.until("offline", phone, PATIENCE)?;
        }
        Ok(times)
    }
}

impl Drop for Lone {
    fn drop(&mut self) {
        // One that has ended meanwhile is what was wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
