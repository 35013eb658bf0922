//! The event log: written in whole transactions, read by number.

use std::collections::HashSet;

use api::events::EventView;
use api::records::Page;
use api::tenant::TenantId;
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select,
};

use super::audit::kinds;
use super::records::page;
use crate::db::Transaction;
use crate::entity::event::{ActiveModel, Column, Entity, Model};
use crate::entity::{event_head, tenant};
use crate::{EventSelection, NewEvent, Store, StoreError};

/// Rows in one statement. A few sizes alone, so that their statements stay prepared.
const ROWS: [usize; 4] = [512, 64, 8, 1];
/// Rows that one step of the retention deletes: what waits for the database meanwhile waits a few milliseconds.
const PRUNED: u64 = 500;

impl Store {
    /// Writes events in one transaction, in their order, and gives them with their numbers. Those of tenants that
    /// are no more are left out: they went with their tenant.
    ///
    /// # Errors
    /// [`StoreError::Database`]; none of them was written then, unless it was the answer to the commit that was
    /// lost.
    pub async fn append_events(&self, events: &[NewEvent]) -> Result<Vec<EventView>, StoreError> {
        let transaction = self.db.begin().await?;
        let head = hold(&transaction).await?;
        let named: HashSet<_> = events.iter().filter_map(NewEvent::tenant).map(|id| id.0).collect();
        let known: Vec<uuid::Uuid> = tenant::Entity::find()
            .select_only()
            .column(tenant::Column::Id)
            .filter(tenant::Column::Id.is_in(named))
            .into_tuple()
            .all(&transaction)
            .await?;
        let known: HashSet<_> = known.into_iter().map(TenantId).collect();
        let is_known = |event: &&NewEvent| event.tenant().is_none_or(|id| known.contains(&id));
        let written = write(&transaction, head, events.iter().filter(is_known)).await?;
        transaction.commit().await?;
        Ok(written)
    }

    /// The number of the newest event; 0 before the first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn event_head(&self) -> Result<i64, StoreError> {
        Ok(head(&self.db).await?)
    }

    /// The events after number `after`, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn events(
        &self,
        selection: &EventSelection,
        after: i64,
        limit: u64,
    ) -> Result<Page<EventView>, StoreError> {
        let rows = selected(selection)
            .filter(Column::Seq.gt(after))
            .order_by_asc(Column::Seq)
            .limit(limit.saturating_add(1))
            .all(&self.db)
            .await?;
        page(rows, limit, |row| row.seq, |row| Ok(view(row)))
    }

    /// The newest events, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn newest_events(
        &self,
        selection: &EventSelection,
        limit: u64,
    ) -> Result<Vec<EventView>, StoreError> {
        let rows =
            selected(selection).order_by_desc(Column::Seq).limit(limit).all(&self.db).await?;
        Ok(rows.into_iter().rev().map(view).collect())
    }

    /// Deletes some of the oldest events that happened before `before`; gives how many. Less than
    /// asked for does not mean that there are none left: go on until it gives 0.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn prune_events_before(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        // By number, not by an index of times: those that were written first are the oldest, but for what workers
        // told late, and that goes when its turn comes.
        let oldest: Vec<(i64, DateTime<Utc>)> = Entity::find()
            .select_only()
            .columns([Column::Seq, Column::At])
            .order_by_asc(Column::Seq)
            .limit(PRUNED)
            .into_tuple()
            .all(&self.db)
            .await?;
        let over = oldest.into_iter().filter(|(_, at)| *at < before).map(|(seq, _)| seq);
        self.delete_events(over.collect()).await
    }

    /// Deletes some of a tenant's oldest events (or of those of no tenant) where it has more than `most`; gives how
    /// many. Go on until it gives 0.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn prune_events_of(
        &self,
        tenant: Option<TenantId>,
        most: u64,
    ) -> Result<u64, StoreError> {
        let of_tenant = || match tenant {
            Some(id) => Entity::find().filter(Column::TenantId.eq(id.0)),
            None => Entity::find().filter(Column::TenantId.is_null()),
        };
        let newest_over: Option<i64> = of_tenant()
            .select_only()
            .column(Column::Seq)
            .order_by_desc(Column::Seq)
            .offset(most)
            .limit(1)
            .into_tuple()
            .one(&self.db)
            .await?;
        let Some(newest_over) = newest_over else { return Ok(0) };
        let over: Vec<i64> = of_tenant()
            .select_only()
            .column(Column::Seq)
            .filter(Column::Seq.lte(newest_over))
            .order_by_asc(Column::Seq)
            .limit(PRUNED)
            .into_tuple()
            .all(&self.db)
            .await?;
        self.delete_events(over).await
    }

    async fn delete_events(&self, numbers: Vec<i64>) -> Result<u64, StoreError> {
        if numbers.is_empty() {
            return Ok(0);
        }
        let gone = Entity::delete_many().filter(Column::Seq.is_in(numbers)).exec(&self.db).await?;
        Ok(gone.rows_affected)
    }
}

fn selected(selection: &EventSelection) -> Select<Entity> {
    let mut query = Entity::find();
    if let Some(tenant) = selection.tenant {
        query = query.filter(Column::TenantId.eq(tenant.0));
    }
    match kinds(Column::Kind, &selection.kinds) {
        Some(any) => query.filter(any),
        None => query,
    }
}

/// Keeps everybody else from writing events until the transaction ends, and gives the newest number. In a
/// transaction that writes other things too this comes after them, so that others wait as little as possible and
/// never for one another.
pub(super) async fn hold(transaction: &Transaction) -> Result<i64, DbErr> {
    event_head::Entity::update_many()
        .col_expr(event_head::Column::Seq, Expr::col(event_head::Column::Seq).add(0))
        .filter(event_head::Column::Id.eq(event_head::ROW))
        .exec(transaction)
        .await?;
    head(transaction).await
}

async fn head(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let row = event_head::Entity::find_by_id(event_head::ROW).one(db).await?;
    row.map(|row| row.seq).ok_or_else(|| DbErr::RecordNotFound("the row of event_head".to_owned()))
}

/// Writes events behind number `head`, which [`hold`] gave. Their tenants are known.
pub(super) async fn write(
    transaction: &Transaction,
    head: i64,
    events: impl Iterator<Item = &NewEvent>,
) -> Result<Vec<EventView>, DbErr> {
    let written: Vec<_> =
        (head + 1..).zip(events).map(|(seq, event)| numbered(seq, event)).collect();
    let Some(last) = written.last().map(|event| event.seq) else { return Ok(written) };
    let mut rest = written.as_slice();
    for size in ROWS {
        while let Some((rows, after)) = rest.split_at_checked(size) {
            let rows = rows.iter().map(row);
            Entity::insert_many(rows).exec_without_returning(transaction).await?;
            rest = after;
        }
    }
    event_head::Entity::update_many()
        .col_expr(event_head::Column::Seq, Expr::value(last))
        .filter(event_head::Column::Id.eq(event_head::ROW))
        .exec(transaction)
        .await?;
    Ok(written)
}

fn numbered(seq: i64, event: &NewEvent) -> EventView {
    EventView {
        seq,
        tenant_id: event.tenant(),
        kind: event.kind().to_owned(),
        detail: event.detail().to_owned(),
        data: event.data().cloned(),
        at: event.at(),
    }
}

fn row(event: &EventView) -> ActiveModel {
    ActiveModel {
        seq: Set(event.seq),
        tenant_id: Set(event.tenant_id.map(|id| id.0)),
        kind: Set(event.kind.clone()),
        detail: Set(event.detail.clone()),
        data: Set(event.data.clone()),
        at: Set(event.at),
    }
}

fn view(row: Model) -> EventView {
    EventView {
        seq: row.seq,
        tenant_id: row.tenant_id.map(TenantId),
        kind: row.kind,
        detail: row.detail,
        data: row.data,
        at: row.at,
    }
}
