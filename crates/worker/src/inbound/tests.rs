use whatsapp_rust::types::message::MessageSource;

use super::*;

fn from(chat: &str) -> MessageInfo {
    let jid = chat.parse().unwrap();
    let source = MessageSource { chat: jid, sender: chat.parse().unwrap(), ..Default::default() };
    MessageInfo { id: "3A".to_owned(), source, timestamp: Utc::now(), ..Default::default() }
}

#[test]
fn a_contacts_text_is_taken_by_number_or_by_lid() {
    for chat in ["15550001111@s.whatsapp.net", "100000000000001@lid"] {
        let taken = incoming(&from(chat), Some((Media::Text, "hi")), None).unwrap();
        assert_eq!((taken.author.as_str(), taken.text.as_str()), (chat, "hi"));
        assert!(taken.wants_answer);
    }
}

#[test]
fn status_newsletters_and_own_messages_are_passed_over() {
    for chat in ["1-2@g.us", "status@broadcast", "1@newsletter", "1@broadcast"] {
        assert_eq!(incoming(&from(chat), Some((Media::Text, "hi")), None), None, "{chat}");
    }
    let mut own = from("15550001111@s.whatsapp.net");
    own.source.is_from_me = true;
    assert_eq!(incoming(&own, Some((Media::Text, "hi")), None), None);
    let mut peer = from("15550001111@s.whatsapp.net");
    peer.category = MessageCategory::Peer;
    assert_eq!(incoming(&peer, Some((Media::Text, "hi")), None), None);
}

#[test]
fn what_has_no_text_is_passed_over() {
    let info = from("15550001111@s.whatsapp.net");
    assert_eq!(incoming(&info, None, None), None);
    assert_eq!(incoming(&info, Some((Media::Text, "")), None), None);
}

#[test]
fn an_edit_is_no_new_message() {
    let mut info = from("15550001111@s.whatsapp.net");
    info.edit = EditAttribute::MessageEdit;
    assert_eq!(incoming(&info, Some((Media::Text, "hi")), None), None);
}

#[test]
fn the_phones_past_is_logged_but_not_answered() {
    let now = Utc::now();
    let mut info = from("15550001111@s.whatsapp.net");
    info.timestamp = now - Duration::hours(25);
    assert!(!incoming(&info, Some((Media::Text, "hi")), Some(now)).unwrap().wants_answer);
    // Sent after the pairing, however late it arrives.
    assert!(
        incoming(&info, Some((Media::Text, "hi")), Some(now - Duration::days(3)))
            .unwrap()
            .wants_answer
    );
}

#[test]
fn an_overlong_text_is_cut() {
    let info = from("15550001111@s.whatsapp.net");
    let text = "ä".repeat(LONGEST_TEXT + 5);
    assert_eq!(
        incoming(&info, Some((Media::Text, &text)), None).unwrap().text.chars().count(),
        LONGEST_TEXT
    );
}

#[test]
fn files_are_taken_with_their_kind_and_caption() {
    use whatsapp_rust::buffa::MessageField;
    use whatsapp_rust::waproto::whatsapp::message::{AudioMessage, ImageMessage, ReactionMessage};

    let caption = Some("look".to_owned());
    let image = Message {
        image_message: MessageField::some(ImageMessage { caption, ..Default::default() }),
        ..Default::default()
    };
    assert_eq!(content(&image), Some((Media::Image, "look")));
    let voice = Message {
        audio_message: MessageField::some(AudioMessage { ptt: Some(true), ..Default::default() }),
        ..Default::default()
    };
    assert_eq!(content(&voice), Some((Media::Voice, "")));
    let taken = incoming(&from("15550001111@s.whatsapp.net"), content(&voice), None).unwrap();
    assert_eq!((taken.media, taken.text.as_str()), (Media::Voice, ""));
    let reaction = Message {
        reaction_message: MessageField::some(ReactionMessage::default()),
        ..Default::default()
    };
    assert_eq!(content(&reaction), None);
}

#[test]
fn the_other_address_of_a_contact_is_kept() {
    let mut info = from("100000000000001@lid");
    info.source.sender_alt = Some("254700000001:2@s.whatsapp.net".parse().unwrap());
    let taken = incoming(&info, Some((Media::Text, "hi")), None).unwrap();
    assert_eq!(taken.alias.as_deref(), Some("254700000001@s.whatsapp.net"));
}
