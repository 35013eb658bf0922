//! Files from contacts to a bot and back.

use whatsapp_rust::Jid;
use whatsapp_rust::buffa::MessageField;
use whatsapp_rust::download::MediaType;
use whatsapp_rust::upload::UploadOptions;
use whatsapp_rust::waproto::whatsapp as wa;
use whatsim::{Config, Media, MediaFlaw, MediaKind, SimError};

use crate::bot::{ACCOUNT, ANN, EchoBot, PATIENCE, Seen, linked};

/// A file that does not fit into one block of the cipher.
fn file(length: usize) -> Vec<u8> {
    (0..length).map(|index| u8::try_from(index % 251).unwrap()).collect()
}

async fn send_document(bot: &EchoBot, bytes: Vec<u8>) -> Result<(), String> {
    let client = bot.client();
    let uploaded = client
        .upload(bytes, MediaType::Document, UploadOptions::default())
        .await
        .map_err(|error| format!("{error:#}"))?;
    let document = wa::message::DocumentMessage {
        url: Some(uploaded.url),
        direct_path: Some(uploaded.direct_path),
        mimetype: Some("application/pdf".to_owned()),
        file_name: Some("invoice.pdf".to_owned()),
        caption: Some("as asked".to_owned()),
        media_key: Some(uploaded.media_key.to_vec()),
        file_sha256: Some(uploaded.file_sha256.to_vec()),
        file_enc_sha256: Some(uploaded.file_enc_sha256.to_vec()),
        file_length: Some(uploaded.file_length),
        ..Default::default()
    };
    let message =
        wa::Message { document_message: MessageField::some(document), ..Default::default() };
    client.send_message(&Jid::pn(ANN), message).await.map_err(|error| error.to_string())?;
    Ok(())
}

#[tokio::test]
async fn a_bot_opens_files_of_every_kind() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    let kinds = [
        (MediaKind::Image, "image"),
        (MediaKind::Video, "video"),
        (MediaKind::Audio, "audio"),
        (MediaKind::Document, "document"),
    ];
    for (kind, name) in kinds {
        let media = Media { caption: Some("look".to_owned()), ..Media::new(kind, file(5_000)) };
        let id = sim.send_media(ANN, ACCOUNT, &media).unwrap();
        let expected = Seen::File { kind: name, bytes: Ok(file(5_000)) };
        bot.diary.wait(1, |seen| *seen == expected).await;
        sim.wait_confirmed(ANN, &id, PATIENCE).await.unwrap();
    }
    let sent = sim.messages(ANN).unwrap().sent;
    assert_eq!((sent[0].media, sent[0].text.as_str()), (Some(MediaKind::Image), "look"));
    bot.stop().await;
}

#[tokio::test]
async fn a_bot_sees_what_is_wrong_with_a_file() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    let flaws = [MediaFlaw::WrongKey, MediaFlaw::Damaged, MediaFlaw::Missing];
    for (earlier, flaw) in flaws.into_iter().enumerate() {
        let media = Media { flaw: Some(flaw), ..Media::new(MediaKind::Image, file(100)) };
        sim.send_media(ANN, ACCOUNT, &media).unwrap();
        let failed = |seen: &Seen| matches!(seen, Seen::File { bytes: Err(_), .. });
        bot.diary.wait(earlier + 1, failed).await;
    }
    bot.stop().await;
}

#[tokio::test]
async fn a_contact_opens_what_a_bot_uploads() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    send_document(&bot, file(70_000)).await.unwrap();
    let received = sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    assert_eq!(received.text, "as asked");
    let media = received.media.unwrap();
    assert_eq!(media.fault, None);
    assert_eq!((media.kind, media.size), (MediaKind::Document, 70_000));
    assert_eq!(media.file_name.as_deref(), Some("invoice.pdf"));
    assert_eq!(sim.received_media(ANN, 0).unwrap(), file(70_000));
    sim.forget_media();
    assert!(matches!(sim.received_media(ANN, 0), Err(SimError::Media(_))));
    bot.stop().await;
}

#[tokio::test]
async fn too_large_a_file_is_refused() {
    let (sim, bot, _folder) = linked(Config { media_limit: 10_000, ..Config::default() }).await;
    let refused = send_document(&bot, file(20_000)).await.unwrap_err();
    assert!(refused.contains("413"), "{refused}");
    send_document(&bot, file(5_000)).await.unwrap();
    sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    bot.stop().await;
}

#[tokio::test]
async fn uploads_need_the_right_and_the_hash() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    let connection = bot.client().refresh_media_conn(true).await.unwrap();
    let host = sim.state().media_host;
    assert_eq!(connection.hosts[0].hostname, host);
    let post = |auth: &str| {
        let url = format!("http://{host}/mms/image/AAAA?auth={auth}&token=AAAA");
        reqwest::Client::new().post(url).body("x").send()
    };
    assert_eq!(post("wrong").await.unwrap().status(), 401);
    assert_eq!(post(&connection.auth).await.unwrap().status(), 400);
    let missing = reqwest::get(format!("http://{host}/o1/AAAA")).await.unwrap();
    assert_eq!(missing.status(), 404);
    bot.stop().await;
}

#[tokio::test]
async fn reactions_and_unknown_messages_arrive() {
    let (sim, bot, _folder) = linked(Config::default()).await;
    let id = bot.write(ANN, "hello").await;
    let reaction = sim.react(ANN, ACCOUNT, &id, "\u{1f44d}").unwrap();
    sim.wait_confirmed(ANN, &reaction, PATIENCE).await.unwrap();
    // Field 9999 of a message, of which nobody has heard.
    let unknown = sim.send_raw(ANN, ACCOUNT, vec![0xfa, 0xf0, 0x04, 0x01, 0x00]).unwrap();
    sim.wait_confirmed(ANN, &unknown, PATIENCE).await.unwrap();
    sim.send_text(ANN, ACCOUNT, "after").unwrap();
    sim.wait_for_reply(ANN, 1, PATIENCE).await.unwrap();
    bot.stop().await;
}
