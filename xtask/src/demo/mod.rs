//! `cargo xtask demo`: three tenants on a simulated WhatsApp network, from nothing.
//!
//! The story is told with the programs that ship: `tenantry server`, the `tenantry` command line and
//! `whatsim`. Then the simulated phones are moved by hand, on the panel that `whatsim` serves. Everything
//! lives in a home of its own and ends with this program, however that ends.

mod administrator;
mod crowd;
mod options;
mod plane;
mod screens;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use self::options::options;
use self::plane::{Plane, Tenant};
use self::screens::Screens;
use crate::cargo::build_programs;
use crate::installation::home::Home;
use crate::installation::simulator::Simulator;
use crate::installation::wait;
use crate::terminal::say;
use crate::web;
use crate::workspace::Workspace;

/// A tenant of the demo, with an account on the simulated network.
struct Business {
    name: &'static str,
    phone: &'static str,
    /// What its bot answers.
    greeting: &'static str,
}

const BUSINESSES: [Business; 3] = [
    Business {
        name: "Mama Pendo Kitchen",
        phone: "254700000001",
        greeting: "Karibu! Lunch is served from 12 to 3. What can we cook for you?",
    },
    Business {
        name: "Kilimani Dental",
        phone: "254700000002",
        greeting: "Thank you for writing. A dentist answers within the hour.",
    },
    Business {
        name: "Baraka Motors",
        phone: "254700000003",
        greeting: "Baraka Motors here. Tell us your car and what it needs.",
    },
];

/// A person on the simulated network.
struct Contact {
    name: &'static str,
    phone: &'static str,
    /// What the person writes, and to which of the businesses.
    letters: &'static [(usize, &'static str)],
}

const CONTACTS: [Contact; 2] = [
    Contact {
        name: "Amina",
        phone: "254711000001",
        letters: &[(0, "Hello, do you have pilau today?"), (1, "My tooth hurts.")],
    },
    Contact {
        name: "Otieno",
        phone: "254711000002",
        letters: &[(2, "Good morning, can you change brake pads?")],
    },
];

/// How long a bot may take from its start to `ACTIVE`, and a contact may wait for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The panel's port; another is taken where it is in use.
const PANEL_PORT: u16 = 7701;

/// Builds the programs and plays the demo in a home of its own.
pub fn demo(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let options = options(arguments)?;
    web::build(workspace)?;
    let programs = build_programs(workspace, &["tenantry", "whatsim"])?;
    let (tenantry, whatsim) = (&programs["tenantry"], &programs["whatsim"]);
    wait::catch_interrupts()?;
    let home = match &options.home {
        Some(home) => home.clone(),
        None => default_home(workspace, tenantry),
    };
    let home = Home::claim(&home, options.keep)?;
    match play(tenantry, whatsim, &home, options.tenants) {
        // Whatever Ctrl-C broke off is no failure.
        Err(_) if wait::interrupted() => {}
        played => played?,
    }
    say("the demo has ended, with everything that it started");
    Ok(())
}

/// The demo itself, up to Ctrl-C. At its end everything that it started is ended.
fn play(tenantry: &Path, whatsim: &Path, home: &Home, crowd: usize) -> Result<()> {
    // Dropped in reverse: the control plane with its workers ends before the simulator.
    let port = plane::usual_or_free(PANEL_PORT);
    let mut simulator = Simulator::start_at(whatsim, home, port)?;
    say(format_args!("simulated WhatsApp   {}", simulator.ws_url()));
    let mut plane = Plane::start(tenantry, home, simulator.ws_url())?;
    say(format_args!("control plane        {}", plane.url()));

    let password = administrator::make(&plane)?;
    let mut screens = Screens::new(home);
    let tenants = make_tenants(&mut plane, &simulator, home)?;
    for (tenant, Business { phone, .. }) in tenants.iter().zip(BUSINESSES) {
        screens.know(tenant, phone);
    }
    connect(&plane, &simulator, &tenants)?;
    let conversation = talk(&simulator);
    say(format_args!("\n{}", plane.call(&["tenants"])?.trim_end()));
    conversation?;
    screens.let_wait(crowd::make(&plane, crowd)?);
    say(what_to_try(tenantry, home, &simulator, &tenants));
    say(ways_in(plane.url(), simulator.http_url(), &password));
    hold(&mut plane, &mut simulator, &mut screens)?;
    say("\nending the demo");
    Ok(())
}

/// `demo-home` in the folder that the build writes to.
fn default_home(workspace: &Workspace, program: &Path) -> PathBuf {
    let target = program
        .ancestors()
        .nth(2)
        .map_or_else(|| workspace.root().join("target"), Path::to_path_buf);
    target.join("demo-home")
}

/// Makes the tenants that are not there yet, each with an account on the simulated network and a
/// session folder that trusts it.
fn make_tenants(plane: &mut Plane, simulator: &Simulator, home: &Home) -> Result<Vec<Tenant>> {
    let mut tenants = Vec::new();
    for Business { name, phone, greeting } in BUSINESSES {
        simulator.add_named_account(name, phone)?;
        let tenant = plane.add_tenant(name, phone, greeting)?;
        simulator.prepare(&home.session(&tenant.id))?;
        tenants.push(tenant);
    }
    Ok(tenants)
}

/// Starts the workers and scans each one's QR code with the tenant's simulated phone.
fn connect(plane: &Plane, simulator: &Simulator, tenants: &[Tenant]) -> Result<()> {
    for tenant in tenants {
        plane.call(&["worker", "start", &tenant.slug])?;
    }
    for (tenant, Business { name, phone, .. }) in tenants.iter().zip(BUSINESSES) {
        simulator.scan(&plane.wait_for_code(tenant, PATIENCE)?, phone)?;
        plane.wait_until_active(tenant, PATIENCE)?;
        say(format_args!("tenant ACTIVE        {name} (+{phone})"));
    }
    Ok(())
}

/// Lets the contacts write and shows what the bots answer.
fn talk(simulator: &Simulator) -> Result<()> {
    for Contact { name, phone, letters } in CONTACTS {
        simulator.add_contact(name, phone)?;
        for (place, text) in letters {
            let Some(business) = BUSINESSES.get(*place) else {
                continue;
            };
            let before = simulator.received(phone)?.len();
            simulator.write(phone, business.phone, text)?;
            let answer = wait::until(&format!("an answer to {name}"), PATIENCE, || {
                Ok(simulator.received(phone)?.into_iter().nth(before))
            })?;
            let business = business.name;
            say(format_args!("\n{name} to {business}: {text}\n  {business}: {answer}"));
        }
    }
    Ok(())
}

/// The commands that show a newcomer around.
fn what_to_try(tenantry: &Path, home: &Home, simulator: &Simulator, tenants: &[Tenant]) -> String {
    let slug = tenants.first().map_or("TENANT", |tenant| tenant.slug.as_str());
    let (account, contact) = (BUSINESSES[0].phone, CONTACTS[0].phone);
    format!(
        "\nTry, in another terminal:\n\
         \x20 export TENANTRY_HOME='{home}'\n\
         \x20 alias tenantry='{tenantry}'\n\
         \x20 tenantry tenants\n\
         \x20 tenantry status {slug}\n\
         \x20 tenantry logs {slug} -f\n\
         \x20 tenantry messages {slug}\n\
         \x20 tenantry worker restart {slug}\n\
         \x20 curl -X POST {whatsim}/contacts/{contact}/messages \
         -H 'content-type: application/json' -d '{{\"to\":\"{account}\",\"text\":\"Hi again\"}}'\n\
         \x20 curl -X POST {whatsim}/accounts/{account}/cut\n\
         The admin token is in {home}/admin.token.",
        home = home.path().display(),
        tenantry = tenantry.display(),
        whatsim = simulator.http_url(),
    )
}

/// Where the pages are, and how to sign in.
fn ways_in(dashboard: &str, panel: &str, password: &str) -> String {
    format!(
        "\nOpen both in a browser, side by side:\n\
         \x20 Dashboard   {dashboard}/\n\
         \x20   e-mail    {email}\n\
         \x20   password  {password}\n\
         \x20 Panel       {panel}/   the simulated phones: scan, chat, go silent, cut the network\n\
         Make a tenant in the dashboard and start it: its phone appears in the panel, with a code to scan.\n\
         Ctrl-C ends everything.",
        email = administrator::EMAIL,
    )
}

/// Keeps the phones' screens true until Ctrl-C. A program that ends by itself is an error.
fn hold(plane: &mut Plane, simulator: &mut Simulator, screens: &mut Screens<'_>) -> Result<()> {
    while !wait::interrupted() {
        plane.check()?;
        simulator.check()?;
        screens.step(plane, simulator);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::ways_in;

    #[test]
    fn the_newcomer_is_told_all_it_takes_to_sign_in() {
        let words = ways_in("http://127.0.0.1:7700", "http://127.0.0.1:7701", "abcd-efgh");
        for told in ["7700/\n", "demo@example.com", "abcd-efgh\n", "7701/ "] {
            assert!(words.contains(told), "{told}");
        }
    }
}
