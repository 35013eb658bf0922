//! A file as WhatsApp takes it: uploaded, and named in a message.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rules::{MediaKind, MediaReply};
use tokio::time::timeout;
use whatsapp_rust::Client;
use whatsapp_rust::buffa::MessageField;
use whatsapp_rust::download::MediaType;
use whatsapp_rust::upload::{UploadOptions, UploadResponse};
use whatsapp_rust::waproto::whatsapp::Message;
use whatsapp_rust::waproto::whatsapp::message::{
    AudioMessage, DocumentMessage, ImageMessage, VideoMessage,
};

use super::files::{FileError, fetch};
use crate::outside::Outside;

/// How long WhatsApp may take for a file.
pub(super) const UPLOAD: Duration = Duration::from_secs(60);

/// Fetches a file, uploads it, and makes the message that shows it. With each try of an answer this is
/// done anew; the recipient's WhatsApp shows the message once, by its id.
///
/// # Errors
/// See [`FileError`].
pub(super) async fn prepared(
    client: Arc<Client>,
    media: MediaReply,
    caption: String,
    outside: Arc<Outside>,
    folder: PathBuf,
) -> Result<Message, FileError> {
    let file = fetch(&media.source, &outside, &folder).await?;
    let mime = mime(&file.name, media.kind);
    let name = file.name;
    let upload = client.upload(file.bytes, uploaded_as(media.kind), UploadOptions::new());
    let uploaded = match timeout(UPLOAD, upload).await {
        Ok(Ok(uploaded)) => uploaded,
        _ if !client.is_connected() => return Err(FileError::Interrupted),
        Ok(Err(error)) => {
            return Err(FileError::Failed(format!("cannot upload {name}: {error:#}")));
        }
        Err(_) => return Err(FileError::Failed(format!("uploading {name} took too long"))),
    };
    let caption = Some(caption).filter(|caption| !caption.is_empty());
    Ok(built(media.kind, uploaded.into(), mime, name, caption))
}

/// The MIME type by the file's name, or the usual one of its kind.
fn mime(name: &str, kind: MediaKind) -> &'static str {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match (extension.as_deref(), kind) {
        (Some("png"), _) => "image/png",
        (Some("webp"), _) => "image/webp",
        (Some("jpg" | "jpeg"), _) | (_, MediaKind::Image) => "image/jpeg",
        (Some("pdf"), _) => "application/pdf",
        (Some("ogg" | "opus"), _) => "audio/ogg; codecs=opus",
        (Some("m4a"), _) => "audio/mp4",
        (Some("mp3"), _) | (_, MediaKind::Audio) => "audio/mpeg",
        (Some("mp4"), _) | (_, MediaKind::Video) => "video/mp4",
        (Some("txt"), _) => "text/plain",
        (Some("csv"), _) => "text/csv",
        (_, MediaKind::Document) => "application/octet-stream",
    }
}

fn uploaded_as(kind: MediaKind) -> MediaType {
    match kind {
        MediaKind::Image => MediaType::Image,
        MediaKind::Video => MediaType::Video,
        MediaKind::Audio => MediaType::Audio,
        MediaKind::Document => MediaType::Document,
    }
}

/// What WhatsApp needs to know of an uploaded file.
struct Uploaded {
    url: String,
    direct_path: String,
    key: [u8; 32],
    sha256: [u8; 32],
    encrypted_sha256: [u8; 32],
    length: u64,
    key_timestamp: i64,
}

impl From<UploadResponse> for Uploaded {
    fn from(response: UploadResponse) -> Self {
        Self {
            url: response.url,
            direct_path: response.direct_path,
            key: response.media_key,
            sha256: response.file_sha256,
            encrypted_sha256: response.file_enc_sha256,
            length: response.file_length,
            key_timestamp: response.media_key_timestamp,
        }
    }
}

macro_rules! file_message {
    ($kind:ident, $uploaded:ident, $mime:ident $(, $field:ident: $value:expr)*) => {
        $kind {
            url: Some($uploaded.url),
            direct_path: Some($uploaded.direct_path),
            media_key: Some($uploaded.key.to_vec().into()),
            file_sha256: Some($uploaded.sha256.to_vec().into()),
            file_enc_sha256: Some($uploaded.encrypted_sha256.to_vec().into()),
            file_length: Some($uploaded.length),
            media_key_timestamp: Some($uploaded.key_timestamp),
            mimetype: Some($mime.to_owned()),
            $($field: $value,)*
            ..Default::default()
        }
    };
}

fn built(
    kind: MediaKind,
    uploaded: Uploaded,
    mime: &str,
    name: String,
    caption: Option<String>,
) -> Message {
    let mut message = Message::default();
    match kind {
        MediaKind::Image => {
            let image = file_message!(ImageMessage, uploaded, mime, caption: caption);
            message.image_message = MessageField::some(image);
        }
        MediaKind::Video => {
            let video = file_message!(VideoMessage, uploaded, mime, caption: caption);
            message.video_message = MessageField::some(video);
        }
        MediaKind::Audio => {
            message.audio_message = MessageField::some(file_message!(AudioMessage, uploaded, mime));
        }
        MediaKind::Document => {
            let document = file_message!(DocumentMessage, uploaded, mime, caption: caption, file_name: Some(name));
            message.document_message = MessageField::some(document);
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uploaded() -> Uploaded {
        Uploaded {
            url: "https://x/1".to_owned(),
            direct_path: "/1".to_owned(),
            key: [1; 32],
            sha256: [3; 32],
            encrypted_sha256: [2; 32],
            length: 4,
            key_timestamp: 5,
        }
    }

    #[test]
    fn a_file_is_shown_as_its_kind() {
        let caption = || Some("c".to_owned());
        let image = built(MediaKind::Image, uploaded(), "image/png", "x".to_owned(), caption());
        let image = image.image_message.as_option().unwrap();
        assert_eq!((image.caption.as_deref(), image.file_length), (Some("c"), Some(4)));
        let document = built(MediaKind::Document, uploaded(), "a/b", "m.pdf".to_owned(), None);
        let document = document.document_message.as_option().unwrap();
        assert_eq!(document.file_name.as_deref(), Some("m.pdf"));
    }

    #[test]
    fn types_follow_the_name_then_the_kind() {
        assert_eq!(mime("menu.PDF", MediaKind::Document), "application/pdf");
        assert_eq!(mime("logo.png", MediaKind::Image), "image/png");
        assert_eq!(mime("photo", MediaKind::Image), "image/jpeg");
        assert_eq!(mime("x.bin", MediaKind::Document), "application/octet-stream");
    }
}
