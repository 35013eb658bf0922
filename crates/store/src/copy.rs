//! Copying all tables from one database into another, empty one.

use crate::dump::{Snapshot, Sum};
use crate::load::Loader;
use crate::tables::{Table, tables};
use crate::{Store, StoreError};

/// How far a copy has come.
#[derive(Clone, Debug)]
pub enum Step {
    /// So many rows are to be copied.
    Begun(u64),
    /// So many more of a table were copied.
    Copied(String, u64),
    /// A table is as it was.
    Verified(String),
}

/// A table that was copied.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Copied {
    /// Its name.
    pub table: String,
    /// How many rows, and their sum, on both sides.
    #[serde(flatten)]
    pub sum: Sum,
}

/// Copies all tables, as they are at one moment, into an empty database: all of them, verified by reading
/// them back, or nothing.
///
/// # Errors
/// [`StoreError::NotEmpty`], [`StoreError::Differs`], [`StoreError::Database`].
pub async fn copy(
    from: &Store,
    to: &Store,
    told: &mut dyn FnMut(Step),
) -> Result<Vec<Copied>, StoreError> {
    let tables = tables();
    let loader = to.loader(&tables).await?;
    let snapshot = from.snapshot().await?;
    let mut all = 0;
    for table in &tables {
        all += snapshot.count(table).await?;
    }
    told(Step::Begun(all));
    let mut copied = Vec::new();
    for table in &tables {
        copied.push((table, copy_table(&snapshot, &loader, table, told).await?));
    }
    for (table, sum) in &copied {
        let found = loader.sum(table).await?;
        if found != *sum {
            let table = table.name.clone();
            return Err(StoreError::Differs { table, rows: sum.rows, found: found.rows });
        }
        told(Step::Verified(table.name.clone()));
    }
    loader.commit().await?;
    Ok(copied.into_iter().map(|(table, sum)| Copied { table: table.name.clone(), sum }).collect())
}

async fn copy_table(
    snapshot: &Snapshot,
    loader: &Loader,
    table: &Table,
    told: &mut dyn FnMut(Step),
) -> Result<Sum, StoreError> {
    let mut sum = Sum::default();
    let mut last = None;
    loop {
        let rows = snapshot.page(table, last.as_ref()).await?;
        rows.iter().for_each(|row| sum.add(row));
        loader.insert(table, &rows).await?;
        told(Step::Copied(table.name.clone(), rows.len() as u64));
        last = rows.into_iter().next_back();
        if last.is_none() {
            break;
        }
    }
    if let Some(number) = snapshot.last_number(table).await? {
        loader.go_on_after(table, number).await?;
    }
    Ok(sum)
}
