use api::link::{OutsideContent, OutsideSource};
use api::messages::SendMessage;
use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{hash, key, message};

fn request(value: Value) -> SendMessage {
    serde_json::from_value(value).unwrap()
}

#[test]
fn a_message_is_what_was_asked_for() {
    let now = Utc::now();
    let made = message(&request(json!({"to": "+254700000001", "text": "hi"})), now).unwrap();
    assert_eq!(made.to, "254700000001@s.whatsapp.net");
    assert_eq!(made.content, OutsideContent::Text("hi".to_owned()));
    assert_eq!(made.expires_at - now, chrono::Duration::days(1));
    let upload = Uuid::now_v7();
    let wish = json!({"to": "254700000001", "expires_in": 60, "reply_to": "3EB0",
        "media": {"kind": "image", "upload": upload, "caption": ""}});
    let made = message(&request(wish), now).unwrap();
    assert_eq!(made.reply_to.unwrap().message_id, "3EB0");
    assert_eq!((made.expires_at - now).num_seconds(), 60);
    let OutsideContent::Media(file) = made.content else { panic!("{:?}", made.content) };
    assert_eq!((file.source, file.caption), (OutsideSource::Upload(upload), None));
}

#[test]
fn every_mistake_is_told_with_its_field() {
    let refused = |value: Value| {
        let mistakes = message(&request(value), Utc::now()).unwrap_err();
        mistakes.into_iter().map(|mistake| mistake.field).collect::<Vec<_>>()
    };
    let to = "+254700000001";
    let id = Uuid::now_v7();
    assert_eq!(refused(json!({"to": to})), ["text"]);
    assert_eq!(refused(json!({"to": to, "text": ""})), ["text"]);
    assert_eq!(refused(json!({"to": to, "text": "x".repeat(65_537)})), ["text"]);
    assert_eq!(
        refused(json!({"to": "0700", "text": "", "expires_in": 0})),
        ["to", "text", "expires_in"]
    );
    let media = |media: Value| json!({"to": to, "media": media});
    assert_eq!(refused(media(json!({"kind": "image"}))), ["media"]);
    assert_eq!(
        refused(media(json!({"kind": "image", "url": "https://x/a", "upload": id}))),
        ["media"]
    );
    for url in ["file:///etc/passwd", "https://", "ftp://x/y", "x"] {
        assert_eq!(refused(media(json!({"kind": "image", "url": url}))), ["media.url"], "{url}");
    }
    let audio = json!({"kind": "audio", "url": "https://x/a", "caption": "c", "file_name": "../a"});
    assert_eq!(refused(media(audio)), ["media.caption", "media.file_name"]);
    let both = json!({"to": to, "text": "t", "media": {"kind": "image", "url": "https://x/a"}});
    assert_eq!(refused(both), ["text"]);
    let reaction =
        json!({"to": to, "reply_to": "a", "reaction": {"message_id": "", "emoji": "x".repeat(65)}});
    assert_eq!(refused(reaction), ["reaction.message_id", "reaction.emoji", "reply_to"]);
    let both = json!({"to": to, "text": "t", "reaction": {"message_id": "a", "emoji": "x"}});
    assert_eq!(refused(both), ["reaction"]);
}

#[test]
fn the_same_request_has_the_same_hash() {
    let first = request(json!({"to": "+254 700 000001", "text": "hi"}));
    let again = request(json!({"text": "hi", "to": "254700000001"}));
    assert_eq!(hash(&first, None), hash(&again, None));
    let other = request(json!({"to": "254700000001", "text": "hi!"}));
    assert_ne!(hash(&first, None), hash(&other, None));
    let file =
        |id: Uuid| request(json!({"to": "254700000001", "media": {"kind": "image", "upload": id}}));
    let (one, two) = (file(Uuid::now_v7()), file(Uuid::now_v7()));
    assert_eq!(hash(&one, Some("abc")), hash(&two, Some("abc")));
    assert_ne!(hash(&one, Some("abc")), hash(&one, Some("abd")));
}

#[test]
fn a_key_is_printable_and_bounded() {
    assert!(key("order 17 / reminder").is_ok());
    for bad in [String::new(), "a\nb".to_owned(), "ä".to_owned(), "x".repeat(256)] {
        assert!(key(&bad).is_err(), "{bad:?}");
    }
}
