//! What the simulated phones have in front of them: the QR codes of the tenants' bots.
//!
//! The network cannot know them; it is told here what the control plane says. A tenant that somebody
//! makes while the demo runs gets a phone too, and a session that trusts the simulated network.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::plane::{Plane, Tenant};
use crate::installation::home::Home;
use crate::installation::http::{Events, Service};
use crate::installation::simulator::Simulator;
use crate::installation::wait;
use crate::terminal::complain;

/// The kinds of events that may mean another code, or none any more.
const FOLLOWED: &str = "/admin/events?follow=true&kind=tenant.*,session.*,worker.*";

/// How long a tenant's worker may be busy with what somebody else asked of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the numbers begin of tenants that have none of their own.
const FIRST_NUMBER: u64 = 254_799_000_001;

/// The phones of all tenants, and how to learn what is in front of them.
pub struct Screens<'home> {
    home: &'home Home,
    /// The number of each tenant's account, by the tenant's id.
    phones: HashMap<String, String>,
    /// Tenants whose session trusts the simulated network.
    trusting: HashSet<String>,
    /// Tenants that get a phone only when they start, so that the panel is not full of them.
    waiting: HashSet<String>,
    next_number: u64,
    events: Option<Events>,
    /// What went wrong last, to be told once.
    trouble: String,
}

/// What an event asks for.
#[derive(Debug, PartialEq, Eq)]
enum Deed {
    /// Give a new tenant a phone and a session that trusts the network, before its first start.
    Adopt,
    /// Renew the trust that went away with a login.
    Renew,
    /// The same, where the worker may have started without it.
    RenewAndRestart,
    /// The worker started on a session that nobody has prepared: prepare it, and start again.
    PrepareAndRestart,
    /// See which code there is.
    Look,
}

/// What follows from an event about a tenant, whose session trusts the network or does not.
fn deed(kind: &str, trusting: bool) -> Deed {
    match kind {
        "tenant.created" => Deed::Adopt,
        "session.logged_out" => Deed::Renew,
        "session.reset" => Deed::RenewAndRestart,
        "worker.started" if !trusting => Deed::PrepareAndRestart,
        _ => Deed::Look,
    }
}

impl<'home> Screens<'home> {
    pub fn new(home: &'home Home) -> Self {
        Self {
            home,
            phones: HashMap::new(),
            trusting: HashSet::new(),
            waiting: HashSet::new(),
            next_number: FIRST_NUMBER,
            events: None,
            trouble: String::new(),
        }
    }

    /// Takes note of a tenant that has its phone and its session.
    pub fn know(&mut self, tenant: &Tenant, phone: &str) {
        self.phones.insert(tenant.id.clone(), phone.to_owned());
        self.trusting.insert(tenant.id.clone());
    }

    /// Gives these tenants a phone only when they start.
    pub fn let_wait(&mut self, tenants: HashSet<String>) {
        self.waiting.extend(tenants);
    }

    /// Does what the next event asks for, if one comes soon. What fails is told and does not end the demo.
    pub fn step(&mut self, plane: &Plane, simulator: &Simulator) {
        let stepped = match self.events.as_mut() {
            None => self.begin(plane, simulator),
            Some(events) => match events.next(wait::PACE) {
                Ok(None) => return,
                Ok(Some(event)) => self.happened(&event, plane, simulator),
                Err(_) => {
                    // Whatever is missed meanwhile shows in the new beginning.
                    self.events = None;
                    return;
                }
            },
        };
        if let Err(error) = stepped
            && !wait::interrupted()
        {
            let trouble = format!("{error:#}");
            if trouble != self.trouble {
                complain(&trouble);
                self.trouble = trouble;
            }
            std::thread::sleep(wait::PACE);
        }
    }

    /// Follows the events from now on and looks at all tenants once.
    fn begin(&mut self, plane: &Plane, simulator: &Simulator) -> Result<()> {
        let admin = plane.admin()?;
        self.events = Some(admin.follow(FOLLOWED)?);
        let list = plane.json(&["tenants", "--json"])?;
        let items = list.as_array().or_else(|| list["items"].as_array());
        for tenant in items.map(Vec::as_slice).unwrap_or_default() {
            let id = tenant["id"].as_str().context("a tenant has no id")?;
            // Others are seen to when they start.
            if self.trusting.contains(id) {
                self.look(id, &admin, simulator)?;
            } else if tenant["worker"]["desired"] == "RUNNING" {
                self.restart(id, &admin, || simulator.prepare(&self.home.session(id)))?;
                self.adopted(id, tenant, simulator)?;
            }
        }
        Ok(())
    }

    fn happened(&mut self, event: &Value, plane: &Plane, simulator: &Simulator) -> Result<()> {
        if let Some(id) = deleted(event) {
            return self.forget(id, simulator);
        }
        let (Some(id), Some(kind)) = (event["tenant_id"].as_str(), event["kind"].as_str()) else {
            return Ok(());
        };
        let admin = plane.admin()?;
        let shown = admin.request("GET", &format!("/admin/tenants/{id}"), None)?;
        if shown.status != 200 {
            // It was deleted meanwhile.
            return self.forget(id, simulator);
        }
        let tenant = &shown.body;
        let session = self.home.session(id);
        match deed(kind, self.trusting.contains(id)) {
            Deed::Adopt if self.waiting.contains(id) => {}
            Deed::Adopt => {
                simulator.prepare(&session)?;
                self.adopted(id, tenant, simulator)?;
            }
            Deed::Renew => simulator.renew(&session)?,
            Deed::RenewAndRestart if tenant["worker"]["desired"] == "RUNNING" => {
                self.restart(id, &admin, || simulator.renew(&session))?;
            }
            Deed::RenewAndRestart => simulator.renew(&session)?,
            Deed::PrepareAndRestart => {
                self.restart(id, &admin, || simulator.prepare(&session))?;
                self.adopted(id, tenant, simulator)?;
            }
            Deed::Look => {}
        }
        self.look(id, &admin, simulator)
    }

    /// Has the worker started anew on a session that `prepare` has seen to.
    fn restart(&self, id: &str, admin: &Service, prepare: impl Fn() -> Result<()>) -> Result<()> {
        order(admin, id, "stop")?;
        prepare()?;
        order(admin, id, "start")
    }

    /// Gives a tenant a phone: with its own number, or a made-up one.
    fn adopted(&mut self, id: &str, tenant: &Value, simulator: &Simulator) -> Result<()> {
        let name = tenant["name"].as_str().unwrap_or("A tenant");
        let own = tenant["phone"].as_str().map(|phone| phone.trim_start_matches('+').to_owned());
        let phone = match own {
            Some(phone) => {
                simulator.add_named_account(name, &phone)?;
                phone
            }
            None => self.made_up(name, simulator)?,
        };
        self.phones.insert(id.to_owned(), phone);
        self.trusting.insert(id.to_owned());
        Ok(())
    }

    fn made_up(&mut self, name: &str, simulator: &Simulator) -> Result<String> {
        loop {
            let phone = self.next_number.to_string();
            self.next_number += 1;
            if simulator.add_named_account(name, &phone)? {
                return Ok(phone);
            }
        }
    }

    /// Tells the tenant's phone which code is in front of it.
    fn look(&self, id: &str, admin: &Service, simulator: &Simulator) -> Result<()> {
        let Some(phone) = self.phones.get(id) else {
            return Ok(());
        };
        let qr = admin.request("GET", &format!("/admin/tenants/{id}/qr"), None)?.body;
        simulator.show(phone, qr["code"].as_str())
    }

    fn forget(&mut self, id: &str, simulator: &Simulator) -> Result<()> {
        self.trusting.remove(id);
        self.phones.remove(id).map_or(Ok(()), |phone| simulator.show(&phone, None))
    }
}

/// The tenant that an event says was deleted. It is an event of the installation, with the tenant's id
/// in brackets.
fn deleted(event: &Value) -> Option<&str> {
    let detail = event["detail"].as_str().filter(|_| event["kind"] == "tenant.deleted")?;
    let (_, id) = detail.strip_suffix(')')?.rsplit_once('(')?;
    Some(id)
}

/// Has a worker started or stopped, as soon as nobody else is at it.
fn order(admin: &Service, id: &str, order: &str) -> Result<()> {
    let path = format!("/admin/tenants/{id}/worker/{order}");
    wait::until(&format!("{id} to {order}"), PATIENCE, || {
        let answer = admin.request("POST", &path, Some(&json!({})))?;
        match answer.status {
            200 => Ok(Some(())),
            409 => Ok(None),
            status => bail!("{path} was answered with {status}: {}", answer.body),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Deed, deed, deleted};

    #[test]
    fn a_deleted_tenant_is_named_by_its_event() {
        let event = json!({"kind": "tenant.deleted", "tenant_id": null, "detail": "duka (01a2)"});
        assert_eq!(deleted(&event), Some("01a2"));
        let other = json!({"kind": "worker.stopped", "tenant_id": "01a2", "detail": "asked (to)"});
        assert_eq!(deleted(&other), None);
    }

    #[test]
    fn an_event_asks_for_what_the_session_lacks() {
        assert_eq!(deed("tenant.created", false), Deed::Adopt);
        assert_eq!(deed("worker.started", false), Deed::PrepareAndRestart);
        assert_eq!(deed("worker.started", true), Deed::Look);
        assert_eq!(deed("session.logged_out", true), Deed::Renew);
        assert_eq!(deed("session.reset", true), Deed::RenewAndRestart);
        assert_eq!(deed("session.qr_issued", true), Deed::Look);
    }
}
