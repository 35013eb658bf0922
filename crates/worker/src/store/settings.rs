//! Settings: what must survive a restart and is no message.

use api::link::{LinkEventKind, WorkerConfig};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

use super::{BotStore, StoreError, events, time};
use crate::pacing::Slowdown;

const STORE_ID: &str = "store_id";
const CONFIG: &str = "config";
const LOGIN: &str = "login";
const PAIRED_AT: &str = "paired_at";
const SLOWDOWN: &str = "slowdown";
const DEAF_RESTART: &str = "deaf_restart";

/// The numbering's id, made when it is not there.
pub(super) fn store_id(connection: &Connection) -> Result<Uuid, StoreError> {
    if let Some(text) = get(connection, STORE_ID)? {
        return text.parse().map_err(|_| StoreError::Damaged(format!("the store id {text:?}")));
    }
    let id = Uuid::now_v7();
    put(connection, STORE_ID, &id.to_string())?;
    Ok(id)
}

impl BotStore {
    /// The settings that the control plane sent last.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn config(&self) -> Result<Option<WorkerConfig>, StoreError> {
        let text = get(&self.lock(), CONFIG)?;
        text.map(|text| {
            serde_json::from_str(&text).map_err(|error| StoreError::Damaged(error.to_string()))
        })
        .transpose()
    }

    /// Keeps the settings that the control plane sent.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn set_config(&self, config: &WorkerConfig) -> Result<(), StoreError> {
        let text = serde_json::to_string(config)
            .map_err(|error| StoreError::Damaged(error.to_string()))?;
        put(&self.lock(), CONFIG, &text)
    }

    /// The WhatsApp address of the stored login, if there is one. The login itself is in
    /// `whatsapp.db`; this copy is there so that the first heartbeat need not wait for it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn login(&self) -> Result<Option<String>, StoreError> {
        get(&self.lock(), LOGIN)
    }

    /// When the login was paired.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn paired_at(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let text = get(&self.lock(), PAIRED_AT)?;
        Ok(text.and_then(|text| text.parse().ok()).map(time))
    }

    /// How much slower the worker goes because WhatsApp said so.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn slowdown(&self) -> Result<Slowdown, StoreError> {
        let text = get(&self.lock(), SLOWDOWN)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Keeps how much slower the worker goes, and tells why.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn slow_down(
        &self,
        slowdown: Slowdown,
        detail: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let text = serde_json::to_string(&slowdown)
            .map_err(|error| StoreError::Damaged(error.to_string()))?;
        let (name, detail) = ("pacing.slowed".to_owned(), detail.to_owned());
        self.transact(|transaction| {
            put(transaction, SLOWDOWN, &text)?;
            events::insert(transaction, &LinkEventKind::Note { name, detail }, now)
        })?;
        self.events.notify_one();
        Ok(())
    }

    /// Notes a pairing at `now`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn set_paired(&self, jid: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.transact(|transaction| {
            put(transaction, LOGIN, jid)?;
            put(transaction, PAIRED_AT, &now.timestamp_millis().to_string())
        })
    }

    /// Whether the process was ended because its connections fell silent, and none was healthy since.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn restarted_for_deafness(&self) -> Result<bool, StoreError> {
        Ok(get(&self.lock(), DEAF_RESTART)?.is_some())
    }

    /// Notes that the process ends because its connections fall silent, or that one was healthy.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn set_restarted_for_deafness(&self, restarted: bool) -> Result<(), StoreError> {
        let connection = self.lock();
        if restarted {
            return put(&connection, DEAF_RESTART, "1");
        }
        connection.execute("DELETE FROM setting WHERE name = ?1", [DEAF_RESTART])?;
        Ok(())
    }

    /// Makes the copy of the login's address say what `whatsapp.db` says.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn set_login(&self, jid: Option<&str>) -> Result<(), StoreError> {
        let connection = self.lock();
        match jid {
            Some(jid) => put(&connection, LOGIN, jid),
            None => {
                connection
                    .execute("DELETE FROM setting WHERE name IN (?1, ?2)", [LOGIN, PAIRED_AT])?;
                Ok(())
            }
        }
    }
}

fn get(connection: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT value FROM setting WHERE name = ?1";
    Ok(connection.prepare(sql)?.query_row([name], |row| row.get(0)).optional()?)
}

fn put(connection: &Connection, name: &str, value: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO setting VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
    connection.prepare(sql)?.execute([name, value])?;
    Ok(())
}
