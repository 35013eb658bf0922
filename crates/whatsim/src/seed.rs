//! Making a bot's session trust the simulator.
//!
//! The shipped client library accepts a server only if the real service's root
//! signed its key, unless the session already knows the key from an earlier
//! connection. So an unpaired session is given that knowledge beforehand: a
//! number of 0, which makes it look registered, and the simulator's key as the
//! cached certificate. It still shows a QR code and pairs as usual.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wacore::store::DeviceCommand;
use wacore::store::device::{CachedNoiseCert, CachedServerCertChain};
use wacore_binary::Jid;
use whatsapp_rust::store::SqliteStore;
use whatsapp_rust::store::persistence_manager::PersistenceManager;

use crate::error::SimError;
use crate::server_key::KEY_BYTES;

/// Name of the session database inside a session folder.
pub const SESSION_FILE: &str = "whatsapp.db";

/// The number an unpaired, prepared session claims to have.
const UNPAIRED_NUMBER: &str = "0";

/// Prepares `<dir>/whatsapp.db` for a bot that is to be paired with the simulator
/// whose static public key this is. The folder is created with mode 0700 and the
/// database with 0600; preparing an unpaired session again is fine. Nothing else
/// may have the database open. A session that was logged out and wiped has to be
/// prepared again.
///
/// # Errors
/// [`SimError::AlreadyPaired`] when the session is paired; others when the folder or
/// the database cannot be written.
pub async fn prepare_session(dir: &Path, server_key: [u8; KEY_BYTES]) -> Result<PathBuf, SimError> {
    let file = session_file(dir)?;
    let url = file.to_str().ok_or_else(|| SimError::Session("the path is not UTF-8".to_owned()))?;
    let session =
        |error: whatsapp_rust::store::error::StoreError| SimError::Session(error.to_string());
    let store = SqliteStore::new(url).await.map_err(session)?;
    let manager = PersistenceManager::new(Arc::new(store)).await.map_err(session)?;
    let number = manager.get_device_snapshot().pn.as_ref().map(|jid| jid.user.to_string());
    if number.is_some_and(|number| number != UNPAIRED_NUMBER) {
        return Err(SimError::AlreadyPaired(file));
    }
    manager.process_command(DeviceCommand::SetId(Some(Jid::pn(UNPAIRED_NUMBER)))).await;
    let certificate = CachedNoiseCert { key: server_key, not_before: 0, not_after: i64::MAX };
    let chain = CachedServerCertChain { intermediate: certificate.clone(), leaf: certificate };
    manager.process_command(DeviceCommand::SetServerCertChain(chain)).await;
    manager.flush().await.map_err(session)?;
    Ok(file)
}

/// Makes the folder and an empty database file that only the owner can read.
fn session_file(dir: &Path) -> Result<PathBuf, SimError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(SimError::io("creating the session folder"))?;
    let file = dir.join(SESSION_FILE);
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&file)
        .map_err(SimError::io("creating the session database"))?;
    Ok(file)
}
