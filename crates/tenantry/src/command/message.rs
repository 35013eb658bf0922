//! `tenantry message`: what became of a message that was sent from outside.

use api::messages::SentMessage;
use clap::Args;
use uuid::Uuid;

use crate::cli::ReadArgs;
use crate::connection::Environment;
use crate::reactor;
use crate::screen::{Screen, Tone};
use crate::text::{line, time, word};

/// The longest reason that is shown, in characters.
const LONGEST: usize = 400;

#[derive(Debug, Args)]
pub struct MessageArgs {
    /// The id that `tenantry send` or the API gave
    id: Uuid,
    #[command(flatten)]
    read: ReadArgs,
}

/// Prints the message.
///
/// # Errors
/// Whatever the server or the connection says.
pub fn run(
    args: &MessageArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let client = args.read.reach.client(environment)?;
    let message = reactor::block_on(async { Ok(client.sent_message(args.id).await?) })?;
    if args.read.json {
        return screen.json(&message);
    }
    Ok(screen.table(&[], &rows(&message))?)
}

fn rows(message: &SentMessage) -> Vec<Vec<(String, Tone)>> {
    let some = |text: String| Some((text, Tone::Plain));
    let tone = if message.failed_at.is_some() { Tone::Bad } else { Tone::Good };
    let rows = [
        ("message", some(message.id.to_string())),
        ("state", Some((word(&message.state), tone))),
        ("reason", why(message).map(|text| (text, Tone::Bad))),
        ("tenant", some(message.tenant_id.to_string())),
        ("to", some(line(&message.to, LONGEST))),
        ("whatsapp id", message.message_id.as_ref().and_then(|id| some(line(id, LONGEST)))),
        ("accepted", some(time(message.created_at))),
        ("sent", message.sent_at.and_then(|at| some(time(at)))),
        ("delivered", message.delivered_at.and_then(|at| some(time(at)))),
        ("read", message.read_at.and_then(|at| some(time(at)))),
        ("failed", message.failed_at.and_then(|at| some(time(at)))),
        ("expires", some(time(message.expires_at)).filter(|_| !message.is_settled())),
    ];
    rows.into_iter()
        .filter_map(|(name, value)| Some(vec![(name.to_owned(), Tone::Faint), value?]))
        .collect()
}

fn why(message: &SentMessage) -> Option<String> {
    let reason = message.reason.as_ref()?;
    Some(match &message.detail {
        Some(detail) => line(&format!("{reason}: {detail}"), LONGEST),
        None => line(reason, LONGEST),
    })
}

/// What became of the message, in a line.
pub fn sentence(message: &SentMessage) -> String {
    let state = word(&message.state);
    match why(message) {
        Some(why) => format!("message {} {state}: {why}", message.id),
        None => format!("message {} to {} is {state}", message.id, line(&message.to, LONGEST)),
    }
}
