//! The client library's store, which takes nothing more once it has failed to take a message.
//!
//! A message is decrypted once: with that the client's keys go on. It stores the message before it is acknowledged,
//! and the keys a little later. When the disk takes the keys but did not take the message, the message cannot be
//! decrypted when WhatsApp sends it again, and is lost. So after such a failure the keys stay as they were, and the
//! client is thrown away; the next one begins with them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use whatsapp_rust::async_trait;
use whatsapp_rust::bytes::Bytes;
use whatsapp_rust::store::SqliteStore;
use whatsapp_rust::store::error::StoreError;
use whatsapp_rust::store::traits::{
    AppStateSyncKey, AppSyncStore, DeviceListRecord, DeviceStore, LidPnMappingEntry, MessageSecret,
    MsgSecretEntry, MsgSecretStore, PendingInboundKey, PendingInboundRow, ProtocolStore,
    SignalStore, TcTokenEntry,
};
use whatsapp_rust::wacore::appstate::hash::HashState;
use whatsapp_rust::wacore::appstate::processor::AppStateMutationMAC;
use whatsapp_rust::wacore::stats::StorageResourceReport;
use whatsapp_rust::wacore::store::Device;

use crate::inbound::Alarm;

type Done<T> = Result<T, StoreError>;

/// A store that keeps its word.
pub(super) struct Guarded {
    inner: SqliteStore,
    has_failed: AtomicBool,
    alarm: Alarm,
}

impl Guarded {
    /// Passes everything on to `inner` until a message cannot be stored; then `alarm` is rung.
    pub(super) fn new(inner: SqliteStore, alarm: Alarm) -> Self {
        Self { inner, has_failed: AtomicBool::new(false), alarm }
    }

    fn may_write(&self) -> Done<()> {
        if self.has_failed.load(Ordering::Acquire) {
            let why = "a message could not be stored; nothing is, until there is a new client";
            return Err(StoreError::Io(io::Error::other(why)));
        }
        Ok(())
    }

    fn watched(&self, stored: Done<()>) -> Done<()> {
        if let Err(error) = &stored
            && !self.has_failed.swap(true, Ordering::AcqRel)
        {
            let mut why = error.to_string();
            let mut layer = std::error::Error::source(error);
            while let Some(source) = layer {
                why = format!("{why}: {source}");
                layer = source.source();
            }
            (self.alarm)(&why);
        }
        stored
    }
}

macro_rules! pass_on {
    (@read $self:ident, $call:expr) => { $call };
    (@write $self:ident, $call:expr) => {{ $self.may_write()?; $call }};
    (@message $self:ident, $call:expr) => {{ $self.may_write()?; $self.watched($call) }};
    ($store:ident: $($kind:ident $name:ident($($argument:ident: $type:ty),*) -> $out:ty;)*) => {
        #[async_trait]
        impl $store for Guarded {
            $(async fn $name(&self, $($argument: $type),*) -> Done<$out> {
                pass_on!(@$kind self, self.inner.$name($($argument),*).await)
            })*
        }
    };
}

pass_on! { SignalStore:
    write put_identity(address: &str, key: [u8; 32]) -> ();
    write put_identities_batch(identities: &[(Arc<str>, [u8; 32])]) -> ();
    read load_identity(address: &str) -> Option<[u8; 32]>;
    write delete_identity(address: &str) -> ();
    read get_session(address: &str) -> Option<Bytes>;
    write put_session(address: &str, session: &[u8]) -> ();
    write put_sessions_batch(sessions: &[(Arc<str>, Bytes)]) -> ();
    write delete_session(address: &str) -> ();
    read has_session(address: &str) -> bool;
    read has_signal_state_for_user(user: &str) -> bool;
    write store_prekey(id: u32, record: &[u8], uploaded: bool) -> ();
    write store_prekeys_batch(keys: &[(u32, Bytes)], uploaded: bool) -> ();
    read load_prekey(id: u32) -> Option<Bytes>;
    read load_prekeys_batch(ids: &[u32]) -> Vec<(u32, Bytes)>;
    write mark_prekeys_uploaded(ids: &[u32]) -> ();
    write remove_prekey(id: u32) -> ();
    read get_max_prekey_id() -> u32;
    write store_signed_prekey(id: u32, record: &[u8]) -> ();
    read load_signed_prekey(id: u32) -> Option<Vec<u8>>;
    read load_all_signed_prekeys() -> Vec<(u32, Vec<u8>)>;
    write remove_signed_prekey(id: u32) -> ();
    write put_sender_key(address: &str, record: &[u8]) -> ();
    write put_sender_keys_batch(sender_keys: &[(Arc<str>, Bytes)]) -> ();
    read get_sender_key(address: &str) -> Option<Vec<u8>>;
    write delete_sender_key(address: &str) -> ();
}

pass_on! { AppSyncStore:
    read get_sync_key(key_id: &[u8]) -> Option<AppStateSyncKey>;
    write set_sync_key(key_id: &[u8], key: AppStateSyncKey) -> ();
    read get_version(name: &str) -> HashState;
    write set_version(name: &str, state: HashState) -> ();
    write put_mutation_macs(name: &str, version: u64, mutations: &[AppStateMutationMAC]) -> ();
    read get_mutation_mac(name: &str, index_mac: &[u8]) -> Option<Vec<u8>>;
    read get_mutation_macs(name: &str, index_macs: &[[u8; 32]]) -> std::collections::HashMap<[u8; 32], Vec<u8>>;
    write delete_mutation_macs(name: &str, index_macs: &[Vec<u8>]) -> ();
    write clear_mutation_macs(name: &str) -> ();
    read get_latest_sync_key_id() -> Option<Vec<u8>>;
}

pass_on! { ProtocolStore:
    read get_sender_key_devices(group_jid: &str) -> Vec<(String, bool)>;
    write set_sender_key_status(group_jid: &str, entries: &[(&str, bool)]) -> ();
    write clear_sender_key_devices(group_jid: &str) -> ();
    write delete_sender_key_device_rows(device_jids: &[&str]) -> ();
    write clear_all_sender_key_devices() -> ();
    read get_lid_mapping(lid: &str) -> Option<LidPnMappingEntry>;
    read get_pn_mapping(phone: &str) -> Option<LidPnMappingEntry>;
    write put_lid_mapping(entry: &LidPnMappingEntry) -> ();
    write put_lid_mappings(entries: &[LidPnMappingEntry]) -> ();
    read get_all_lid_mappings() -> Vec<LidPnMappingEntry>;
    write save_base_key(address: &str, message_id: &str, base_key: &[u8]) -> ();
    read has_same_base_key(address: &str, message_id: &str, current_base_key: &[u8]) -> bool;
    write delete_base_key(address: &str, message_id: &str) -> ();
    write update_device_list(record: DeviceListRecord) -> ();
    write update_device_lists(records: Vec<DeviceListRecord>) -> ();
    read get_devices(user: &str) -> Option<DeviceListRecord>;
    write delete_devices(user: &str) -> ();
    read get_group_metadata(group_jid: &str) -> Option<Vec<u8>>;
    write put_group_metadata(group_jid: &str, blob: &[u8]) -> ();
    write delete_group_metadata(group_jid: &str) -> ();
    read get_tc_token(jid: &str) -> Option<TcTokenEntry>;
    write put_tc_token(jid: &str, entry: &TcTokenEntry) -> ();
    write delete_tc_token(jid: &str) -> ();
    read get_all_tc_token_jids() -> Vec<String>;
    write delete_expired_tc_tokens(token_cutoff: i64, sender_cutoff: i64) -> u32;
    write touch_tc_token_sender_timestamp(jid: &str, sender_timestamp: i64) -> ();
    write store_received_tc_token(jid: &str, token: &[u8], token_timestamp: i64) -> ();
    write store_sent_message(chat_jid: &str, message_id: &str, payload: &[u8]) -> ();
    write take_sent_message(chat_jid: &str, message_id: &str) -> Option<Vec<u8>>;
    write delete_expired_sent_messages(cutoff_timestamp: i64) -> u32;
    message store_pending_inbound(chat: &str, sender: &str, id: &str, message: &[u8]) -> ();
    read get_pending_inbound(chat: &str, sender: &str, id: &str) -> Option<Vec<u8>>;
    write delete_pending_inbound(chat: &str, sender: &str, id: &str) -> ();
    write delete_expired_pending_inbound(cutoff_timestamp: i64) -> u32;
    message store_pending_inbound_batch(rows: &[PendingInboundRow<'_>]) -> ();
    write delete_pending_inbound_batch(keys: &[PendingInboundKey<'_>]) -> ();
}

pass_on! { MsgSecretStore:
    write put_msg_secret(chat: &str, sender: &str, msg_id: &str, secret: &MessageSecret) -> ();
    write put_msg_secrets(entries: Vec<MsgSecretEntry>) -> usize;
    read get_msg_secret(chat: &str, sender: &str, msg_id: &str) -> Option<Vec<u8>>;
    read get_msg_secret_with_ts(chat: &str, sender: &str, msg_id: &str) -> Option<(Vec<u8>, i64)>;
    write delete_expired_msg_secrets(cutoff_timestamp: i64) -> u32;
}

#[async_trait]
impl DeviceStore for Guarded {
    async fn save(&self, device: &Device) -> Done<()> {
        self.may_write()?;
        self.inner.save(device).await
    }

    async fn load(&self) -> Done<Option<Device>> {
        self.inner.load().await
    }

    async fn exists(&self) -> Done<bool> {
        self.inner.exists().await
    }

    async fn create(&self) -> Done<i32> {
        self.may_write()?;
        self.inner.create().await
    }

    async fn snapshot_db(&self, name: &str, extra_content: Option<&[u8]>) -> Done<()> {
        self.may_write()?;
        self.inner.snapshot_db(name, extra_content).await
    }

    async fn resource_report(&self) -> StorageResourceReport {
        self.inner.resource_report().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[tokio::test]
    async fn keys_do_not_go_on_without_a_message_that_could_not_be_stored() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("whatsapp.db");
        let inner = SqliteStore::new(&path.to_string_lossy()).await.unwrap();
        let rung = Arc::new(AtomicUsize::new(0));
        let rings = Arc::clone(&rung);
        let alarm: Alarm = Box::new(move |why| {
            assert!(why.contains("no such table"), "{why}");
            rings.fetch_add(1, Ordering::Relaxed);
        });
        let store = Guarded::new(inner, alarm);
        store.put_session("a", b"before").await.unwrap();
        store.store_pending_inbound("chat", "sender", "1", b"one").await.unwrap();
        let disk = rusqlite::Connection::open(&path).unwrap();
        disk.execute_batch("ALTER TABLE pending_inbound_messages RENAME TO elsewhere").unwrap();
        let row = PendingInboundRow { chat: "chat", sender: "sender", id: "2", message: b"two" };
        assert!(store.store_pending_inbound_batch(&[row]).await.is_err());
        disk.execute_batch("ALTER TABLE elsewhere RENAME TO pending_inbound_messages").unwrap();
        assert!(store.store_pending_inbound_batch(&[row]).await.is_err());
        assert!(store.put_session("a", b"after").await.is_err());
        assert_eq!(store.get_session("a").await.unwrap().unwrap(), b"before".as_slice());
        assert_eq!(rung.load(Ordering::Relaxed), 1);
    }
}
