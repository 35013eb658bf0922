//! The stored login: `whatsapp.db` in the session's directory, the client library's own store.

use std::sync::Arc;

use whatsapp_rust::Client;
use whatsapp_rust::store::{SqliteStore, SqliteStoreConfig};

use crate::safekeeping::LOGIN;
use crate::session_dir::SessionDir;

/// The store's page cache in KiB: a bot's working set is a handful of small tables.
const CACHE_KIB: u32 = 64;

/// Opens the store, made when it is missing.
pub(super) async fn open(dir: &SessionDir) -> Result<SqliteStore, String> {
    let path = dir.private_file(LOGIN).map_err(|error| error.to_string())?;
    let config = SqliteStoreConfig { cache_size_kib: CACHE_KIB, ..SqliteStoreConfig::default() };
    SqliteStore::with_config(&path.to_string_lossy(), config)
        .await
        .map_err(|error| format!("cannot open {}: {error}", path.display()))
}

/// The address of the client's login, if it has one. A store may carry an address before any pairing
/// (one that was prepared for a service with its own keys has `0@…`), so the signed identity decides
/// that the phone gave it.
pub(super) fn login(client: &Arc<Client>) -> Option<String> {
    let device = client.persistence_manager().get_device_snapshot();
    let jid = device.pn.as_ref().filter(|jid| !jid.user.is_empty() && jid.user != "0")?;
    device.account.as_ref()?;
    Some(jid.to_string())
}
