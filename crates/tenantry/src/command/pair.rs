//! `tenantry pair`: a login for a tenant's session.

use anyhow::bail;
use api::Phone;
use api::client::AdminClient;
use api::session::SessionState;
use clap::Args;
use futures::StreamExt;

use super::qr;
use crate::connection::{Environment, Reach};
use crate::reactor;
use crate::screen::Screen;
use crate::text::{clean, time};

#[derive(Debug, Args)]
pub struct PairArgs {
    /// The tenant's slug or id
    tenant: String,
    /// The phone that shall take the code, as in +254700000001; without it, the tenant's number
    #[arg(long, value_name = "NUMBER")]
    phone: Option<Phone>,
    /// Draw QR codes instead
    #[arg(long, conflicts_with = "phone")]
    qr: bool,
    /// Show no codes any more
    #[arg(long, conflicts_with_all = ["phone", "qr"])]
    cancel: bool,
    /// End when the code is shown, without waiting for the phone, as is done in a pipe
    #[arg(long)]
    once: bool,
    /// Print JSON, and end when the code is shown
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

/// Carries the command out.
///
/// # Errors
/// Whatever the server or the connection says; that the pairing came to nothing.
pub fn run(args: &PairArgs, environment: &Environment, screen: &mut Screen) -> anyhow::Result<()> {
    let client = args.reach.client(environment)?;
    reactor::block_on(async {
        let tenant = args.tenant.as_str();
        if args.cancel {
            let session = client.cancel_pairing(tenant).await?;
            return if args.json {
                screen.json(&session)
            } else {
                Ok(screen.line("no codes are shown any more")?)
            };
        }
        if args.qr {
            let code = client.show_qr(tenant).await?;
            if args.json {
                return screen.json(&code);
            }
            return qr::show(&client, tenant, args.once, screen).await;
        }
        let code = client.pairing_code(tenant, args.phone.clone()).await?;
        if args.json {
            return screen.json(&code);
        }
        screen.line(&spaced(&code.code))?;
        if args.once || screen.size().is_none() {
            return Ok(());
        }
        screen.line(&format!(
            "Type it on the phone {} before {}: WhatsApp, Linked devices, Link a device, Link with \
             phone number instead. Ctrl-C ends.",
            code.phone,
            time(code.expires_at)
        ))?;
        wait(&client, tenant, screen).await
    })
}

/// Waits until the phone has linked the session.
async fn wait(client: &AdminClient, tenant: &str, screen: &mut Screen) -> anyhow::Result<()> {
    let mut changes = client.follow_session(tenant).await?;
    let mut shown = None;
    while let Some(change) = changes.next().await {
        let session = change.session;
        if session.state == SessionState::Connected {
            let who = session.jid.map(|jid| format!(" as {}", clean(&jid))).unwrap_or_default();
            return Ok(screen.line(&format!("connected{who}"))?);
        }
        let Some(step) = session.pairing else { continue };
        use api::link::PairingStep as Step;
        match step {
            Step::TimedOut | Step::Cancelled | Step::Refused | Step::PasskeyNeeded => {
                bail!(
                    "{}",
                    clean(session.detail.as_deref().unwrap_or("no code is shown any more"))
                );
            }
            Step::Qr => {
                bail!("QR codes are shown in its place; see `tenantry qr {}`", clean(tenant))
            }
            Step::Code | Step::CodeRequested => {}
        }
        // A connection that is lost takes its code with it, and the next brings another.
        let code = session.pairing_code.map(|code| code.code);
        if let (Some(code), Some(before)) = (&code, &shown)
            && code != before
        {
            screen.line(&format!("the code is now {}", spaced(code)))?;
        }
        shown = code.or(shown);
    }
    bail!("the server has ended the connection; see `tenantry status {}`", clean(tenant))
}

/// A code as WhatsApp writes it: two groups of four.
pub fn spaced(code: &str) -> String {
    let code = clean(code);
    match code.split_at_checked(4) {
        Some((first, second)) if !second.is_empty() => format!("{first}-{second}"),
        _ => code,
    }
}

#[cfg(test)]
mod tests {
    use super::spaced;

    #[test]
    fn a_code_is_shown_in_two_groups() {
        assert_eq!(spaced("ABCD1234"), "ABCD-1234");
        assert_eq!(spaced("ABC"), "ABC");
    }
}
