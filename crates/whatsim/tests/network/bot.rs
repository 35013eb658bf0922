//! A small bot on the genuine client library: it answers every text with an echo.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use whatsapp_rust::TokioRuntime;
use whatsapp_rust::bot::{Bot, BotHandle, MessageContext};
use whatsapp_rust::download::Downloadable;
use whatsapp_rust::pair_code::PairCodeOptions;
use whatsapp_rust::store::SqliteStore;
use whatsapp_rust::transport::TokioWebSocketTransportFactory;
use whatsapp_rust::types::events::Event;
use whatsapp_rust::types::presence::ReceiptType;
use whatsapp_rust::waproto::whatsapp as wa;
use whatsim::{Config, SESSION_FILE, Sim, prepare_session};

use crate::plain_http::PlainHttp;

/// Longest wait for anything in these tests; a busy machine is slow, not wrong.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The account bots are linked to.
pub const ACCOUNT: &str = "4915550001";
/// A person who writes to bots.
pub const ANN: &str = "4915559999";
/// Any version does, as long as the client does not fetch the current one.
const VERSION: (u32, u32, u32) = (2, 3000, 1_042_742_319);

/// What a bot went through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Qr(String),
    Connected,
    Disconnected,
    Text {
        id: String,
        text: String,
    },
    /// A text that the account's owner wrote on the phone.
    Own {
        id: String,
        chat: String,
        text: String,
    },
    /// A file that came in, or why it cannot be had.
    File {
        kind: &'static str,
        bytes: Result<Vec<u8>, String>,
    },
    LoggedOut {
        on_connect: bool,
    },
    Replaced,
    StreamError(String),
    CodeRefresh,
    Passkey,
    GroupChanged,
    /// A contact types.
    Typing,
    /// A contact came or went.
    Available(bool),
    Refused(i32),
    Banned,
    Outdated,
    /// The server's word on a message of the bot's: an error code, or none.
    Ack {
        id: String,
        error: Option<String>,
    },
    /// A contact's word on messages of the bot's.
    Receipt {
        ids: Vec<String>,
        read: bool,
    },
}

/// Everything a bot went through, and a way to wait for more.
#[derive(Clone)]
pub struct Diary {
    entries: Arc<Mutex<Vec<Seen>>>,
    length: watch::Sender<usize>,
}

impl Diary {
    fn new() -> Self {
        Self { entries: Arc::default(), length: watch::Sender::new(0) }
    }

    fn note(&self, seen: Seen) {
        let mut entries = self.entries.lock().unwrap();
        entries.push(seen);
        self.length.send_replace(entries.len());
    }

    /// How many entries fit.
    pub fn count(&self, fits: impl Fn(&Seen) -> bool) -> usize {
        self.entries.lock().unwrap().iter().filter(|seen| fits(seen)).count()
    }

    /// Waits until `count` entries fit and gives the last of these.
    pub async fn wait(&self, count: usize, fits: impl Fn(&Seen) -> bool) -> Seen {
        let mut length = self.length.subscribe();
        let found = async {
            loop {
                length.borrow_and_update();
                let found = {
                    let entries = self.entries.lock().unwrap();
                    entries.iter().filter(|seen| fits(seen)).nth(count - 1).cloned()
                };
                if let Some(found) = found {
                    return found;
                }
                length.changed().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| {
            panic!("did not see it {count} times: {:?}", self.entries.lock().unwrap())
        })
    }

    /// The texts that arrived, in order.
    pub fn texts(&self) -> Vec<String> {
        let entries = self.entries.lock().unwrap();
        let texts = entries.iter().filter_map(|seen| match seen {
            Seen::Text { text, .. } => Some(text.clone()),
            _ => None,
        });
        texts.collect()
    }

    pub async fn qr(&self) -> String {
        match self.wait(1, |seen| matches!(seen, Seen::Qr(_))).await {
            Seen::Qr(code) => code,
            other => panic!("{other:?} is no code"),
        }
    }

    pub async fn connected(&self, times: usize) {
        self.wait(times, |seen| *seen == Seen::Connected).await;
    }
}

/// A running bot.
pub struct EchoBot {
    pub diary: Diary,
    handle: BotHandle,
}

impl EchoBot {
    /// Starts a bot on the session in `dir`.
    pub async fn start(dir: &Path, ws_url: &str) -> Self {
        let database = dir.join(SESSION_FILE);
        let store = SqliteStore::new(database.to_str().unwrap()).await.unwrap();
        let diary = Diary::new();
        let (events, texts) = (diary.clone(), diary.clone());
        let bot = Bot::builder()
            .with_backend(store)
            .with_runtime(TokioRuntime)
            .with_transport_factory(TokioWebSocketTransportFactory::new().with_url(ws_url))
            .with_version(VERSION)
            .with_http_client(PlainHttp::default())
            .with_wanted_pre_key_count(30)
            .skip_history_sync()
            .on_event(move |event, _client| {
                let events = events.clone();
                async move { note(&events, &event) }
            })
            .on_message(move |context| echo(texts.clone(), context))
            .build()
            .await
            .unwrap();
        Self { diary, handle: bot.spawn() }
    }

    /// Stops the bot and waits until its session is on disk.
    pub async fn stop(self) {
        self.handle.shutdown().await;
    }

    /// Waits until the bot's run loop has ended by itself.
    pub async fn ended(self) {
        tokio::time::timeout(PATIENCE, self.handle).await.expect("the bot keeps running");
    }

    /// Sends a text on the bot's own account.
    pub async fn write(&self, phone: &str, text: &str) -> String {
        let message = wa::Message { conversation: Some(text.to_owned()), ..Default::default() };
        let chat = whatsapp_rust::Jid::pn(phone);
        let sent = self.handle.client().send_message(&chat, message).await.unwrap();
        sent.message_id
    }

    /// Asks for a code to be typed into the phone with this number.
    pub async fn ask_for_code(&self, phone: &str) -> Result<String, String> {
        let options =
            PairCodeOptions { phone_number: phone.to_owned(), ..PairCodeOptions::default() };
        self.handle.client().pair_with_code(options).await.map_err(|error| error.to_string())
    }

    /// The genuine client.
    pub fn client(&self) -> Arc<whatsapp_rust::Client> {
        self.handle.client()
    }

    /// Logs out from the bot's side.
    pub async fn log_out(&self) {
        self.handle.client().logout().await;
    }
}

fn note(diary: &Diary, event: &Event) {
    match event {
        Event::PairingQrCode(qr) => diary.note(Seen::Qr(qr.code.clone())),
        Event::Connected(_) => diary.note(Seen::Connected),
        Event::Disconnected(_) => diary.note(Seen::Disconnected),
        Event::StreamReplaced(_) => diary.note(Seen::Replaced),
        Event::LoggedOut(out) => diary.note(Seen::LoggedOut { on_connect: out.on_connect }),
        Event::PairingCodeRefresh(_) => diary.note(Seen::CodeRefresh),
        Event::ChatPresence(_) => diary.note(Seen::Typing),
        Event::Presence(presence) => diary.note(Seen::Available(!presence.unavailable)),
        Event::PairPasskeyRequest(_) => diary.note(Seen::Passkey),
        Event::GroupUpdate(_) => diary.note(Seen::GroupChanged),
        Event::StreamError(error) => diary.note(Seen::StreamError(error.code.clone())),
        Event::ConnectFailure(failure) => diary.note(Seen::Refused(failure.reason.code())),
        Event::TemporaryBan(_) => diary.note(Seen::Banned),
        Event::ClientOutdated(_) => diary.note(Seen::Outdated),
        Event::ServerAck(ack) if ack.class.as_deref() == Some("message") => {
            diary.note(Seen::Ack { id: ack.id.clone(), error: ack.error.clone() });
        }
        Event::Receipt(receipt) => {
            let ids = receipt.message_ids.iter().map(ToString::to_string).collect();
            diary.note(Seen::Receipt { ids, read: receipt.r#type == ReceiptType::Read });
        }
        _ => {}
    }
}

/// Downloads a file that a message is about.
async fn note_file(diary: &Diary, context: &MessageContext) {
    let message = &context.message;
    let (kind, file): (_, &dyn Downloadable) =
        if let Some(image) = message.image_message.as_option() {
            ("image", image)
        } else if let Some(video) = message.video_message.as_option() {
            ("video", video)
        } else if let Some(audio) = message.audio_message.as_option() {
            ("audio", audio)
        } else if let Some(document) = message.document_message.as_option() {
            ("document", document)
        } else {
            return;
        };
    let bytes = context.client.download(file).await.map_err(|error| format!("{error:#}"));
    diary.note(Seen::File { kind, bytes });
}

async fn echo(diary: Diary, context: MessageContext) {
    note_file(&diary, &context).await;
    // The phone's key share also comes by here, without a text.
    let Some(text) = context.message.conversation.clone() else {
        return;
    };
    if context.info.source.is_from_me {
        let chat = context.info.source.chat.user.to_string();
        diary.note(Seen::Own { id: context.info.id.to_string(), chat, text });
        return;
    }
    let reply = wa::Message { conversation: Some(format!("echo: {text}")), ..Default::default() };
    // Two bots in a group would otherwise never end.
    let is_echo = text.starts_with("echo: ");
    diary.note(Seen::Text { id: context.info.id.to_string(), text });
    if is_echo {
        return;
    }
    context.send_message(reply).await.unwrap();
}

/// A network with one account and one contact.
pub async fn network(config: Config) -> Sim {
    let sim = Sim::start(config).await.unwrap();
    sim.add_account(ACCOUNT).unwrap();
    sim.add_contact("Ann", ANN).unwrap();
    sim
}

/// A network with a bot that is linked and connected; the folder holds its session.
pub async fn linked(config: Config) -> (Sim, EchoBot, tempfile::TempDir) {
    let sim = network(config).await;
    let folder = tempfile::tempdir().unwrap();
    prepare_session(folder.path(), sim.server_key()).await.unwrap();
    let bot = EchoBot::start(folder.path(), &sim.ws_url()).await;
    let code = bot.diary.qr().await;
    sim.scan(&code, ACCOUNT).await.unwrap();
    bot.diary.connected(1).await;
    (sim, bot, folder)
}
