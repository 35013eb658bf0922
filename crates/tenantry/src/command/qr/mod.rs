//! `tenantry qr`: the QR code in the terminal, until it has been scanned.

mod drawing;
mod step;

use std::io::Write;
use std::time::Duration;

use anyhow::bail;
use api::client::AdminClient;
use clap::Args;

use crate::cli::TenantReadArgs;
use crate::connection::Environment;
use crate::reactor;
use crate::screen::Screen;
use crate::text::clean;
use step::Step;

/// The time between two looks; a code lives for 20 seconds at least.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a code is waited for where nobody sits who could press Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub struct QrArgs {
    #[command(flatten)]
    target: TenantReadArgs,
    /// Draw the code once and end, as is done in a pipe; waits up to a minute for it. With --json: print
    /// what there is now, without waiting
    #[arg(long)]
    once: bool,
}

/// Shows the codes of a tenant until one has been scanned, or the first of them where nobody watches.
///
/// # Errors
/// Whatever the server or the connection says; that no code will come.
pub async fn show(
    client: &AdminClient,
    tenant: &str,
    once: bool,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    if !once && screen.size().is_some() {
        return watch(client, tenant, false, screen).await;
    }
    tokio::time::timeout(PATIENCE, watch(client, tenant, true, screen)).await.unwrap_or_else(|_| {
        bail!(
            "no QR code came within {} seconds; see `tenantry status {1}` and \
             `tenantry logs {1}`",
            PATIENCE.as_secs(),
            clean(tenant)
        )
    })
}

/// Shows the code until it has been scanned.
///
/// # Errors
/// Whatever the server or the connection says; that no code will come.
pub fn run(args: &QrArgs, environment: &Environment, screen: &mut Screen) -> anyhow::Result<()> {
    let client = args.target.read.reach.client(environment)?;
    let tenant = args.target.tenant.as_str();
    reactor::block_on(async {
        if args.target.read.json {
            return screen.json(&client.qr(tenant).await?);
        }
        show(&client, tenant, args.once, screen).await
    })
}

async fn watch(
    client: &AdminClient,
    tenant: &str,
    once: bool,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let mut shown: Option<String> = None;
    let mut height = 0;
    let mut told = None;
    loop {
        let (code, status) = (client.qr(tenant).await?, client.status(tenant).await?);
        match step::decide(&code, &status) {
            Step::Draw(code) if shown.as_ref() == Some(&code) => {}
            Step::Draw(code) => {
                height = draw(&code, &status.name, once, height, screen)?;
                if once {
                    return Ok(());
                }
                shown = Some(code);
            }
            Step::Connected(who) => {
                return Ok(screen.line(&format!("{} is connected{who}", clean(&status.name)))?);
            }
            Step::Hopeless(why) => bail!("{why}"),
            Step::Wait(why) => {
                if told.as_ref() != Some(&why) {
                    // A remark, not the output; whoever has closed stderr does not want it.
                    let _ = writeln!(std::io::stderr(), "{why}");
                    // What stands below the code now must not be overdrawn.
                    (height, shown) = (0, None);
                    told = Some(why);
                }
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Draws a code over the one before, which was `height` lines high, and says how high it is.
fn draw(
    code: &str,
    name: &str,
    once: bool,
    height: usize,
    screen: &mut Screen,
) -> anyhow::Result<usize> {
    let mut picture = drawing::Drawing::of(code)?;
    if let Some(size) = screen.size() {
        picture.fit(size)?;
        picture.colour();
    }
    let mut text = String::new();
    if height > 0 {
        // Up to the first line of the old picture, and away with everything below.
        text.push_str(&format!("\u{1b}[{height}A\u{1b}[J"));
    }
    text.push_str(&picture.text());
    let mut total = picture.height();
    if !once {
        text.push_str(&format!(
            "Scan it for {} with WhatsApp: Settings, Linked devices, Link a device. Ctrl-C ends.\n",
            clean(name)
        ));
        total += 1;
    }
    screen.write(&text)?;
    Ok(total)
}
