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
        let taken = incoming(&from(chat), Some("hi"), None).unwrap();
        assert_eq!((taken.chat.as_str(), taken.text.as_str()), (chat, "hi"));
        assert!(taken.wants_answer);
    }
}

#[test]
fn groups_status_newsletters_and_own_messages_are_passed_over() {
    for chat in ["1-2@g.us", "status@broadcast", "1@newsletter", "1@broadcast"] {
        assert_eq!(incoming(&from(chat), Some("hi"), None), None, "{chat}");
    }
    let mut own = from("15550001111@s.whatsapp.net");
    own.source.is_from_me = true;
    assert_eq!(incoming(&own, Some("hi"), None), None);
    let mut peer = from("15550001111@s.whatsapp.net");
    peer.category = MessageCategory::Peer;
    assert_eq!(incoming(&peer, Some("hi"), None), None);
}

#[test]
fn what_has_no_text_is_passed_over() {
    let info = from("15550001111@s.whatsapp.net");
    assert_eq!(incoming(&info, None, None), None);
    assert_eq!(incoming(&info, Some(""), None), None);
}

#[test]
fn an_edit_is_no_new_message() {
    let mut info = from("15550001111@s.whatsapp.net");
    info.edit = EditAttribute::MessageEdit;
    assert_eq!(incoming(&info, Some("hi"), None), None);
}

#[test]
fn the_phones_past_is_logged_but_not_answered() {
    let now = Utc::now();
    let mut info = from("15550001111@s.whatsapp.net");
    info.timestamp = now - Duration::hours(25);
    assert!(!incoming(&info, Some("hi"), Some(now)).unwrap().wants_answer);
    // Sent after the pairing, however late it arrives.
    assert!(incoming(&info, Some("hi"), Some(now - Duration::days(3))).unwrap().wants_answer);
}

#[test]
fn an_overlong_text_is_cut() {
    let info = from("15550001111@s.whatsapp.net");
    let text = "ä".repeat(LONGEST_TEXT + 5);
    assert_eq!(incoming(&info, Some(&text), None).unwrap().text.chars().count(), LONGEST_TEXT);
}
