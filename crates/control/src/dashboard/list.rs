//! The list of all rows as it is answered: made once for all who ask until a row changes.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Instant;

use api::fleet::FleetRows;
use axum::body::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Cursor, Dashboard};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

/// The list, [`FleetRows`] as JSON.
#[derive(Debug)]
pub struct List {
    cursor: Cursor,
    /// As it is.
    pub plain: Bytes,
    /// Compressed with gzip.
    pub gzip: Bytes,
}

impl List {
    fn make(rows: &FleetRows, cursor: Cursor) -> io::Result<Self> {
        let plain = serde_json::to_vec(rows)?;
        // Quickly rather than well: ten thousand rows are some megabytes, and alike.
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&plain)?;
        Ok(Self { cursor, plain: plain.into(), gzip: gzip.finish()?.into() })
    }
}

impl Dashboard {
    /// All rows, as of at most a second ago. They are written on a thread of their own, by one at a time.
    ///
    /// # Errors
    /// [`Kind::Internal`].
    pub async fn list(plane: &Arc<ControlPlane>) -> Result<Arc<List>, ApiError> {
        *plane.dashboard.asked.lock() = Some(Instant::now());
        let mut kept = plane.dashboard.list.lock().await;
        let (work, before) = (Arc::clone(plane), kept.clone());
        let made = tokio::task::spawn_blocking(move || work.dashboard.renewed(&work, before));
        let made = made.await.map_err(io::Error::from).flatten();
        let made = made.map_err(|error| ApiError::new(Kind::Internal, error.to_string()))?;
        *kept = Some(Arc::clone(&made));
        Ok(made)
    }

    fn renewed(&self, plane: &ControlPlane, before: Option<Arc<List>>) -> io::Result<Arc<List>> {
        let rows = self.up_to_date(plane);
        let cursor = rows.table.cursor();
        if let Some(same) = before.filter(|list| list.cursor == cursor) {
            return Ok(same);
        }
        let all =
            FleetRows { items: rows.table.rows().cloned().collect(), cursor: cursor.to_string() };
        // Those who follow need not wait for what takes long.
        drop(rows);
        List::make(&all, cursor).map(Arc::new)
    }

    /// Forgets the list, unless somebody asks for it right now.
    pub(crate) fn forget_list(&self) {
        if let Ok(mut kept) = self.list.try_lock() {
            *kept = None;
        }
    }
}
