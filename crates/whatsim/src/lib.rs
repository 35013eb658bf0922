//! A simulated WhatsApp network: server, phones and contacts on loopback.
//!
//! It is made for tests, demonstrations and load: a genuine client connects to it,
//! shows a QR code or a pairing code, is paired, receives texts and files from
//! simulated contacts, alone or in groups, and answers them, all without leaving the
//! machine. Whatever goes wrong on a network goes wrong on command ([`Fault`]): lost
//! connections, silence, lost, repeated and senseless stanzas, refusals, unlinked devices.
//!
//! ```no_run
//! # async fn example() -> Result<(), whatsim::SimError> {
//! use std::time::Duration;
//! use whatsim::{Config, Sim, prepare_session};
//!
//! let sim = Sim::start(Config::default()).await?;
//! sim.add_account("4915550001")?;
//! sim.add_contact("Ann", "4915559999")?;
//! prepare_session("/tmp/bot".as_ref(), sim.server_key()).await?;
//! // Start a bot on /tmp/bot/whatsapp.db with sim.ws_url(); it shows a QR code.
//! # let qr = "";
//! sim.scan(qr, "4915550001").await?;
//! sim.wait_online("4915550001", Duration::from_secs(10)).await?;
//! sim.send_text("4915559999", "4915550001", "hello")?;
//! let reply = sim.wait_for_reply("4915559999", 0, Duration::from_secs(10)).await?;
//! assert_eq!(reply.from, "4915550001");
//! # Ok(()) }
//! ```
//!
//! # How it works
//!
//! One task per connection owns the socket (module `connection`); the state of
//! the network is one value behind a lock that is never held while waiting
//! (`world`). A stanza and that state go into a function without input or output
//! (`stanza`), which changes the state and gives the replies. Phones of accounts
//! and contacts have real Signal keys and sessions (`party`). Files go over a media
//! host of their own (`media`).
//!
//! Nothing here proves how the real service behaves.

mod account;
mod app_state;
mod bundle;
mod clock;
mod config;
mod connection;
mod contact;
mod content;
mod delivery;
mod error;
mod event;
mod fault;
mod group;
mod http;
mod listener;
mod media;
mod network;
mod noise;
mod own_message;
mod pairing;
mod party;
mod presence;
mod seed;
mod server_key;
mod signal_store;
mod sim;
mod stanza;
mod world;

pub use account::{AccountState, LinkState};
pub use config::{Addressing, Config};
pub use contact::{Conversation, Delivery, ReceivedText, SentText};
pub use error::SimError;
pub use event::SimEvent;
pub use fault::{ArmedFault, Fault, FaultKind, Malformed};
pub use group::GroupState;
pub use media::{Media, MediaFlaw, MediaKind, ReceivedMedia};
pub use pairing::LinkedDevice;
pub use presence::{BotSign, ReceiptKind, Sign};
pub use seed::{SESSION_FILE, prepare_session};
pub use server_key::{KEY_BYTES, from_hex, to_hex};
pub use sim::{ContactState, Sim, SimState};
