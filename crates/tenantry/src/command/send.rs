//! `tenantry send`: a message by a tenant's number. (PM2's `send`, a line for a process, has the same
//! name and is known by having nothing but a process and a line.)

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use api::client::AdminClient;
use api::messages::{MAX_MEDIA, MediaKind, Reaction, SendMedia, SendMessage, SentMessage};
use api::records::MessageState;
use clap::{Args, ValueEnum};
use uuid::Uuid;

use super::message;
use super::process::call::{Call, Output};
use super::process::input;
use crate::called::Called;
use crate::connection::{Environment, Reach};
use crate::failure::Usage;
use crate::reactor;
use crate::screen::Screen;
use crate::text::clean;

/// The time between two looks at what became of a message.
const LOOK_EVERY: Duration = Duration::from_millis(300);

#[derive(Debug, Args)]
pub struct SendArgs {
    /// The tenant's slug or id
    tenant: String,
    /// To whom: a number with its country code, or the WhatsApp address of a contact or a group
    to: String,
    /// The text
    #[arg(conflicts_with_all = ["media", "react"])]
    text: Option<String>,
    /// A file, or the https:// or http:// address of one
    #[arg(long, value_name = "FILE|URL")]
    media: Option<String>,
    /// What the file is shown as [default: by the end of its name]
    #[arg(long, value_enum, requires = "media")]
    kind: Option<Kind>,
    /// The text below the file
    #[arg(long, value_name = "TEXT", requires = "media")]
    caption: Option<String>,
    /// The name that the file is shown with [default: its own]
    #[arg(long, value_name = "NAME", requires = "media")]
    file_name: Option<String>,
    /// WhatsApp's id of the message that this one answers
    #[arg(long, value_name = "MESSAGE_ID", conflicts_with = "react")]
    reply_to: Option<String>,
    /// React to the message with this id of WhatsApp's; an empty emoji takes a reaction back
    #[arg(long, num_args = 2, value_names = ["MESSAGE_ID", "EMOJI"], conflicts_with = "media")]
    react: Option<Vec<String>>,
    /// Give up when it is not sent within so many seconds [default: a day]
    #[arg(long, value_name = "SECONDS")]
    expires_in: Option<u64>,
    /// Your name for this message: repeating the command with it sends nothing twice [default: a new
    /// one each time]
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Wait until it is sent, or further; the exit code is 1 when it fails or the time is over
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "sent")]
    wait: Option<Until>,
    /// How long to wait
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "wait")]
    timeout: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

/// What a file is shown as.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Image,
    Video,
    Audio,
    Document,
}

/// How far a message shall have come.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Until {
    Sent,
    Delivered,
    Read,
}

impl From<Kind> for MediaKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Image => Self::Image,
            Kind::Video => Self::Video,
            Kind::Audio => Self::Audio,
            Kind::Document => Self::Document,
        }
    }
}

impl Until {
    const fn state(self) -> MessageState {
        match self {
            Self::Sent => MessageState::Sent,
            Self::Delivered => MessageState::Delivered,
            Self::Read => MessageState::Read,
        }
    }
}

/// Sends the message. The exit code is 1 when it was waited for and did not come as far.
///
/// # Errors
/// Whatever the server or the connection says; a file that cannot be read.
pub fn run(
    args: &SendArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    if args.text.is_none() && args.media.is_none() && args.react.is_none() {
        return to_process(args, environment, screen);
    }
    let client = args.reach.client(environment)?;
    let key = args.idempotency_key.clone().unwrap_or_else(|| Uuid::now_v7().to_string());
    let message = reactor::block_on(async {
        let wish = wish(args, &client).await?;
        let message = client.send_message(&args.tenant, &wish, &key).await?;
        match args.wait {
            Some(until) => wait(&client, message, args, until).await,
            None => Ok(message),
        }
    })?;
    if args.json {
        screen.json(&message)?;
    } else {
        screen.line(&sentence(&message))?;
    }
    let reached = args.wait.is_none_or(|until| has_reached(&message, until));
    Ok(if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A process and a line: what `send` means to PM2's users.
fn to_process(
    args: &SendArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let output = Output { json: args.json, ..Output::default() };
    let mut call = Call::new(Called::Tenantry, environment, screen, output.clone())?;
    let line = input::SendArgs { target: args.tenant.clone(), line: args.to.clone(), output };
    reactor::block_on(input::send(&line, &mut call)).with_context(|| {
        format!(
            "no text, --media or --react is given, so this is a line for the process {}",
            clean(&args.tenant)
        )
    })
}

/// What is asked for; a file is uploaded for it.
async fn wish(args: &SendArgs, client: &AdminClient) -> anyhow::Result<SendMessage> {
    let media = match &args.media {
        Some(place) => Some(media(args, place, client).await?),
        None => None,
    };
    let reaction = match args.react.as_deref() {
        Some([message_id, emoji]) => {
            Some(Reaction { message_id: message_id.clone(), emoji: emoji.clone() })
        }
        _ => None,
    };
    Ok(SendMessage {
        to: args.to.clone(),
        text: args.text.clone(),
        media,
        reaction,
        reply_to: args.reply_to.clone(),
        expires_in: args.expires_in,
    })
}

async fn media(args: &SendArgs, place: &str, client: &AdminClient) -> anyhow::Result<SendMedia> {
    let is_address = place.starts_with("https://") || place.starts_with("http://");
    let path = if is_address { place.split(['?', '#']).next().unwrap_or(place) } else { place };
    let name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
    let kind = args.kind.map_or_else(|| kind_of(path), MediaKind::from);
    let (url, upload, name) = if is_address {
        (Some(place.to_owned()), None, None)
    } else {
        (None, Some(client.upload(&args.tenant, read(place)?).await?.id), name)
    };
    let file_name = args.file_name.clone().or(name);
    Ok(SendMedia { kind, url, upload, caption: args.caption.clone(), file_name })
}

fn read(path: &str) -> anyhow::Result<Vec<u8>> {
    let length = std::fs::metadata(path).with_context(|| format!("cannot read {path}"))?.len();
    if usize::try_from(length).map_or(true, |length| length > MAX_MEDIA) {
        bail!(Usage(format!("{path} has {length} bytes; WhatsApp is given at most {MAX_MEDIA}")));
    }
    std::fs::read(path).with_context(|| format!("cannot read {path}"))
}

/// What a file is shown as, by the end of its name.
fn kind_of(path: &str) -> MediaKind {
    let end = path.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase());
    match end.as_deref() {
        Some("jpg" | "jpeg" | "png" | "webp") => MediaKind::Image,
        Some("mp4" | "3gp") => MediaKind::Video,
        Some("mp3" | "ogg" | "opus" | "m4a" | "aac" | "amr") => MediaKind::Audio,
        _ => MediaKind::Document,
    }
}

/// Looks until the message has come as far as wanted, failed, or the time is over.
async fn wait(
    client: &AdminClient,
    mut message: SentMessage,
    args: &SendArgs,
    until: Until,
) -> anyhow::Result<SentMessage> {
    let end = Instant::now() + Duration::from_secs(args.timeout);
    while !has_reached(&message, until)
        && message.state != MessageState::Failed
        && Instant::now() < end
    {
        tokio::time::sleep(LOOK_EVERY).await;
        match client.sent_message(message.id).await {
            Ok(now) => message = now,
            // The control plane may be restarted meanwhile: the message is kept.
            Err(error) if error.status().is_none() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(message)
}

fn has_reached(message: &SentMessage, until: Until) -> bool {
    message.state != MessageState::Failed && message.state >= until.state()
}

/// What became of the message, and where to look further.
fn sentence(message: &SentMessage) -> String {
    let text = message::sentence(message);
    if message.state == MessageState::Queued {
        return format!("{text}\nlook with `tenantry message {}`", message.id);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_shown_by_the_end_of_its_name() {
        assert_eq!(kind_of("a/Menu.PDF"), MediaKind::Document);
        assert_eq!(kind_of("https://x/logo.PNG"), MediaKind::Image);
        assert_eq!(kind_of("voice.ogg"), MediaKind::Audio);
        assert_eq!(kind_of("noend"), MediaKind::Document);
    }
}
