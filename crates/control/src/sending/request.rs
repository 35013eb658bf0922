//! What a request to send asks for, checked: every mistake is told at once.

use api::link::{OutsideContent, OutsideMedia, OutsideMessage, OutsideSource, Quoted};
use api::messages::{MediaKind, Reaction, SendMedia, SendMessage};
use api::problem::FieldError;
use axum::http::Uri;
use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::recipient;
use crate::token;

/// The longest text, in characters; WhatsApp's own bound.
const MAX_TEXT: usize = 65_536;
/// The longest caption, in characters; WhatsApp's own bound.
const MAX_CAPTION: usize = 1024;
/// The longest name of a file, in characters.
const MAX_FILE_NAME: usize = 255;
/// The longest address of a file, in bytes.
const MAX_URL: usize = 2048;
/// The longest id of a message, in bytes. WhatsApp's have about 20.
const MAX_ID: usize = 128;
/// The longest emoji, in bytes: those of many persons have some 40.
const MAX_EMOJI: usize = 64;
/// How long a message may wait when the caller does not say, in seconds.
const EXPIRES_IN: u64 = 24 * 3600;
/// The longest wait, in seconds.
const MAX_EXPIRES_IN: u64 = 30 * 24 * 3600;
/// The longest key of a request, in bytes.
const MAX_KEY: usize = 255;

/// Checks a request and makes it a message, with an id of its own.
///
/// # Errors
/// Every field that is refused.
pub fn message(
    request: &SendMessage,
    now: DateTime<Utc>,
) -> Result<OutsideMessage, Vec<FieldError>> {
    let mut mistakes = Mistakes::default();
    let to = recipient::address(&request.to);
    let to = to.unwrap_or_else(|message| mistakes.note("to", message));
    let content = content(request, &mut mistakes);
    if let Some(id) = &request.reply_to {
        if request.reaction.is_some() {
            mistakes.note::<()>("reply_to", "a reaction answers nothing; leave it out");
        }
        message_id("reply_to", id, &mut mistakes);
    }
    let expires_in = request.expires_in.unwrap_or(EXPIRES_IN);
    if !(1..=MAX_EXPIRES_IN).contains(&expires_in) {
        let message = format!("must be from 1 to {MAX_EXPIRES_IN} seconds");
        mistakes.note::<()>("expires_in", message);
    }
    let Some(content) = content.filter(|_| mistakes.0.is_empty()) else { return Err(mistakes.0) };
    let quoted = |id: &String| Quoted { message_id: id.clone(), ..Quoted::default() };
    Ok(OutsideMessage {
        send_id: Uuid::now_v7(),
        to,
        content,
        reply_to: request.reply_to.as_ref().map(quoted),
        expires_at: now + Duration::seconds(expires_in.cast_signed()),
    })
}

/// The same request has the same hash, however it was written. An upload counts by what is in it
/// (`upload`, its hash): whoever tries again may have uploaded the file again.
#[must_use]
pub fn hash(request: &SendMessage, upload: Option<&str>) -> String {
    let mut request = request.clone();
    if let Some(media) = &mut request.media {
        media.upload = None;
    }
    if let Ok(address) = recipient::address(&request.to) {
        request.to = address;
    }
    token::hash(&format!("{}\n{}", serde_json::json!(request), upload.unwrap_or_default()))
}

/// Checks the name that a caller gave a request.
///
/// # Errors
/// What is wrong with it.
pub fn key(text: &str) -> Result<String, String> {
    let is_usable = (1..=MAX_KEY).contains(&text.len())
        && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if is_usable {
        return Ok(text.to_owned());
    }
    Err(format!("must have 1 to {MAX_KEY} printable ASCII characters"))
}

#[derive(Default)]
struct Mistakes(Vec<FieldError>);

impl Mistakes {
    fn note<T: Default>(&mut self, field: &str, message: impl Into<String>) -> T {
        self.0.push(FieldError { field: field.to_owned(), message: message.into() });
        T::default()
    }
}

fn content(request: &SendMessage, mistakes: &mut Mistakes) -> Option<OutsideContent> {
    match (&request.text, &request.media, &request.reaction) {
        (Some(text), None, None) => {
            length("text", text, 1, MAX_TEXT, mistakes);
            Some(OutsideContent::Text(text.clone()))
        }
        (None, Some(media), None) => file(media, mistakes).map(OutsideContent::Media),
        (None, None, Some(reaction)) => {
            check_reaction(reaction, mistakes);
            Some(OutsideContent::Reaction(reaction.clone()))
        }
        (None, None, None) => mistakes.note("text", "give one of text, media and reaction"),
        (Some(_), Some(_), None) => {
            mistakes.note("text", "a file's text is its caption: put it into media.caption")
        }
        _ => mistakes.note("reaction", "a message is one of text, media and reaction"),
    }
}

fn file(media: &SendMedia, mistakes: &mut Mistakes) -> Option<OutsideMedia> {
    if let Some(caption) = &media.caption {
        length("media.caption", caption, 0, MAX_CAPTION, mistakes);
        if media.kind == MediaKind::Audio && !caption.is_empty() {
            mistakes.note::<()>("media.caption", "WhatsApp shows none below audio; leave it out");
        }
    }
    if let Some(name) = &media.file_name {
        length("media.file_name", name, 1, MAX_FILE_NAME, mistakes);
        if name.contains(|c: char| c == '/' || c.is_control()) {
            mistakes.note::<()>("media.file_name", "may hold no slash and no control characters");
        }
    }
    let source = match (&media.url, media.upload) {
        (Some(url), None) => {
            if !is_web_address(url) {
                let message = format!(
                    "must be an address of at most {MAX_URL} bytes that begins with https:// or http://"
                );
                mistakes.note::<()>("media.url", message);
            }
            OutsideSource::Url(url.clone())
        }
        (None, Some(upload)) => OutsideSource::Upload(upload),
        (None, None) => {
            return mistakes
                .note("media", "give url, or upload with the id that POST …/media answers");
        }
        (Some(_), Some(_)) => return mistakes.note("media", "give url or upload, not both"),
    };
    Some(OutsideMedia {
        kind: media.kind,
        source,
        caption: media.caption.clone().filter(|caption| !caption.is_empty()),
        file_name: media.file_name.clone(),
    })
}

fn is_web_address(url: &str) -> bool {
    let scheme = url.starts_with("https://") || url.starts_with("http://");
    scheme
        && url.len() <= MAX_URL
        && url.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty()))
}

fn check_reaction(reaction: &Reaction, mistakes: &mut Mistakes) {
    message_id("reaction.message_id", &reaction.message_id, mistakes);
    if reaction.emoji.len() > MAX_EMOJI || reaction.emoji.contains(char::is_control) {
        mistakes.note::<()>("reaction.emoji", "must be one emoji, or empty to take one back");
    }
}

fn message_id(field: &str, id: &str, mistakes: &mut Mistakes) {
    if !(1..=MAX_ID).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        mistakes.note::<()>(field, "must be WhatsApp's id of a message, as the message log has it");
    }
}

fn length(field: &str, text: &str, least: usize, most: usize, mistakes: &mut Mistakes) {
    if !(least..=most).contains(&text.chars().count()) {
        mistakes.note::<()>(field, format!("must have {least} to {most} characters"));
    }
}

#[cfg(test)]
mod tests;
