//! Pictures, films, sound and files: how contacts seal and open them.
//!
//! A file is encrypted with a fresh key and uploaded; the message carries the key,
//! the hashes of the file before and after, and where it is.

pub(crate) mod blobs;
pub(crate) mod host;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wacore::download::{DownloadUtils, Downloadable, MediaType};
use wacore::upload::encrypt_media;
use waproto::whatsapp as wa;
use waproto::whatsapp::message::{AudioMessage, DocumentMessage, ImageMessage, VideoMessage};

use crate::error::SimError;
use crate::media::blobs::{Blobs, path_of};

/// What a claimed length says about a file that is not as large: 4 GiB.
const HUGE: u64 = 4 << 30;

/// What a file is shown as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// Sound.
    Audio,
    /// Any file.
    Document,
}

impl MediaKind {
    fn keys(self) -> MediaType {
        match self {
            Self::Image => MediaType::Image,
            Self::Video => MediaType::Video,
            Self::Audio => MediaType::Audio,
            Self::Document => MediaType::Document,
        }
    }

    /// The word for it in stanzas.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
        }
    }

    fn usual_mime_type(self) -> &'static str {
        match self {
            Self::Image => "image/jpeg",
            Self::Video => "video/mp4",
            Self::Audio => "audio/ogg; codecs=opus",
            Self::Document => "application/octet-stream",
        }
    }
}

/// A file that a contact sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// What it is shown as.
    pub kind: MediaKind,
    /// The file's content.
    pub bytes: Vec<u8>,
    /// MIME type; one that is usual for the kind by default.
    pub mime_type: String,
    /// Text under a picture, film or document.
    pub caption: Option<String>,
    /// Name of a document.
    pub file_name: Option<String>,
    /// What is wrong with it.
    pub flaw: Option<MediaFlaw>,
}

impl Media {
    /// A file without a caption or a name, and nothing wrong with it.
    #[must_use]
    pub fn new(kind: MediaKind, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            kind,
            bytes: bytes.into(),
            mime_type: kind.usual_mime_type().to_owned(),
            caption: None,
            file_name: None,
            flaw: None,
        }
    }
}

/// What can be wrong with a file that a contact sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaFlaw {
    /// The message carries a key that does not open the file.
    WrongKey,
    /// A byte of the uploaded file is not as it was.
    Damaged,
    /// The file is not there.
    Missing,
    /// The message claims that the file has 4 GiB.
    Huge,
}

/// A file that a contact received.
#[derive(Debug, Clone, Serialize)]
pub struct ReceivedMedia {
    /// What it is shown as.
    pub kind: MediaKind,
    /// MIME type, as the sender calls it.
    pub mime_type: String,
    /// Name of a document, as the sender calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// Length of the file, as the sender calls it.
    pub size: u64,
    /// SHA-256 of the file, hexadecimal, as the sender calls it.
    pub sha256: String,
    /// Why the contact cannot open it; absent if all keys and hashes are right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Where the encrypted file is and how it is opened.
    #[serde(skip)]
    pub(crate) reference: Reference,
}

/// Where an encrypted file is and how it is opened.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    kind: MediaKind,
    path: String,
    key: Vec<u8>,
    encrypted_sha256: Vec<u8>,
    sha256: Vec<u8>,
    length: u64,
}

/// A sealed file: the message about it, and what is uploaded.
pub(crate) struct SealedMedia {
    pub(crate) message: wa::Message,
    pub(crate) token: String,
    /// Absent when the file is to be missing.
    pub(crate) blob: Option<Bytes>,
}

/// Seals a file for a message.
pub(crate) fn seal(media: &Media, host: &str) -> Result<SealedMedia, SimError> {
    let mut sealed = encrypt_media(&media.bytes, media.kind.keys())
        .map_err(|error| SimError::Media(error.to_string()))?;
    let token = BASE64_URL_SAFE_NO_PAD.encode(sealed.file_enc_sha256);
    match media.flaw {
        Some(MediaFlaw::WrongKey) => sealed.media_key[0] ^= 0xff,
        Some(MediaFlaw::Damaged) => sealed.data_to_upload[0] ^= 0xff,
        Some(MediaFlaw::Missing | MediaFlaw::Huge) | None => {}
    }
    let claim = Claim {
        url: Some(format!("https://{host}{}", path_of(&token))),
        direct_path: Some(path_of(&token)),
        mimetype: Some(media.mime_type.clone()),
        media_key: Some(sealed.media_key.to_vec()),
        file_sha256: Some(sealed.file_sha256.to_vec()),
        file_enc_sha256: Some(sealed.file_enc_sha256.to_vec()),
        file_length: Some(match media.flaw {
            Some(MediaFlaw::Huge) => HUGE,
            _ => media.bytes.len() as u64,
        }),
        media_key_timestamp: Some(crate::clock::unix_seconds().cast_signed()),
    };
    let missing = media.flaw == Some(MediaFlaw::Missing);
    let blob = (!missing).then(|| Bytes::from(sealed.data_to_upload));
    Ok(SealedMedia { message: claim.message(media), token, blob })
}

/// The fields that messages about files of all kinds have.
struct Claim {
    url: Option<String>,
    direct_path: Option<String>,
    mimetype: Option<String>,
    media_key: Option<Vec<u8>>,
    file_sha256: Option<Vec<u8>>,
    file_enc_sha256: Option<Vec<u8>>,
    file_length: Option<u64>,
    media_key_timestamp: Option<i64>,
}

/// Fills the common fields of a message about a file.
macro_rules! about {
    ($kind:ident, $claim:expr, { $($field:ident: $value:expr),* }) => {{
        let Claim {
            url, direct_path, mimetype, media_key, file_sha256, file_enc_sha256, file_length,
            media_key_timestamp,
        } = $claim;
        buffa::MessageField::some($kind {
            url, direct_path, mimetype, media_key, file_sha256, file_enc_sha256, file_length,
            media_key_timestamp,
            $($field: $value,)*
            ..Default::default()
        })
    }};
}

impl Claim {
    fn message(self, media: &Media) -> wa::Message {
        let caption = media.caption.clone();
        let file_name = media.file_name.clone();
        let mut message = wa::Message::default();
        match media.kind {
            MediaKind::Image => {
                message.image_message = about!(ImageMessage, self, { caption: caption });
            }
            MediaKind::Video => {
                message.video_message = about!(VideoMessage, self, { caption: caption });
            }
            MediaKind::Audio => message.audio_message = about!(AudioMessage, self, {}),
            MediaKind::Document => {
                message.document_message =
                    about!(DocumentMessage, self, { caption: caption, file_name: file_name });
            }
        }
        message
    }
}

/// The file a message is about, opened to check it, and its caption.
pub(crate) fn received(
    blobs: &Blobs,
    message: &wa::Message,
) -> Option<(ReceivedMedia, Option<String>)> {
    let describe = |kind, file: &dyn Downloadable, mime: &Option<String>, name: &Option<String>| {
        describe(blobs, kind, file, mime.as_deref(), name.clone())
    };
    if let Some(image) = message.image_message.as_option() {
        let media = describe(MediaKind::Image, image, &image.mimetype, &None);
        return Some((media, image.caption.clone()));
    }
    if let Some(video) = message.video_message.as_option() {
        let media = describe(MediaKind::Video, video, &video.mimetype, &None);
        return Some((media, video.caption.clone()));
    }
    if let Some(audio) = message.audio_message.as_option() {
        return Some((describe(MediaKind::Audio, audio, &audio.mimetype, &None), None));
    }
    let document = message.document_message.as_option()?;
    let media = describe(MediaKind::Document, document, &document.mimetype, &document.file_name);
    Some((media, document.caption.clone()))
}

fn describe(
    blobs: &Blobs,
    kind: MediaKind,
    file: &dyn Downloadable,
    mime_type: Option<&str>,
    file_name: Option<String>,
) -> ReceivedMedia {
    let reference = Reference {
        kind,
        path: file.direct_path().unwrap_or_default().to_owned(),
        key: file.media_key().unwrap_or_default().to_vec(),
        encrypted_sha256: file.file_enc_sha256().unwrap_or_default().to_vec(),
        sha256: file.file_sha256().unwrap_or_default().to_vec(),
        length: file.file_length().unwrap_or_default(),
    };
    ReceivedMedia {
        kind,
        mime_type: mime_type.unwrap_or_default().to_owned(),
        file_name,
        size: reference.length,
        sha256: reference.sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
        fault: open(blobs, &reference).err().map(|error| error.to_string()),
        reference,
    }
}

/// Fetches and decrypts a file; every key and hash has to be right.
pub(crate) fn open(blobs: &Blobs, reference: &Reference) -> Result<Vec<u8>, SimError> {
    let wrong = |what: &str| SimError::Media(what.to_owned());
    let blob = blobs.at(&reference.path).ok_or_else(|| wrong("the file is not there"))?;
    if Sha256::digest(&blob).as_slice() != reference.encrypted_sha256 {
        return Err(wrong("the hash of the encrypted file is wrong"));
    }
    let bytes = DownloadUtils::verify_and_decrypt(&blob, &reference.key, reference.kind.keys())
        .map_err(|error| SimError::Media(error.to_string()))?;
    if Sha256::digest(&bytes).as_slice() != reference.sha256 {
        return Err(wrong("the hash of the file is wrong"));
    }
    if bytes.len() as u64 != reference.length {
        return Err(wrong("the length of the file is wrong"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(media: &Media) -> ReceivedMedia {
        let mut blobs = Blobs::new(1 << 20);
        let sealed = seal(media, "127.0.0.1:1").unwrap();
        if let Some(blob) = sealed.blob {
            blobs.put(&sealed.token, blob);
        }
        received(&blobs, &sealed.message).unwrap().0
    }

    #[test]
    fn every_kind_of_file_opens_again() {
        for kind in [MediaKind::Image, MediaKind::Video, MediaKind::Audio, MediaKind::Document] {
            let media = opened(&Media::new(kind, b"content".to_vec()));
            assert_eq!((media.kind, media.size, media.fault), (kind, 7, None));
        }
    }

    #[test]
    fn every_flaw_is_seen() {
        let flaws = [
            (MediaFlaw::WrongKey, "MAC"),
            (MediaFlaw::Damaged, "hash of the encrypted"),
            (MediaFlaw::Missing, "not there"),
            (MediaFlaw::Huge, "length"),
        ];
        for (flaw, complaint) in flaws {
            let media = Media { flaw: Some(flaw), ..Media::new(MediaKind::Image, b"x".to_vec()) };
            let fault = opened(&media).fault.unwrap();
            assert!(fault.contains(complaint), "{fault}");
        }
    }
}
