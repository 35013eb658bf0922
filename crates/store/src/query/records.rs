//! Messages, events and the audit log.

use api::link::{LinkEvent, LinkEventKind};
use api::records::{AuditView, Direction, EventView, MessageState, MessageView, Page};
use api::tenant::TenantId;
use chrono::Utc;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, DbErr, EntityTrait as _, ExprTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use super::progress::{self, Told};
use crate::db::Transaction;
use crate::entity::{audit_log, event, message_log, whatsapp_session};
use crate::lock;
use crate::words::{value, word};
use crate::{NewAudit, Store, StoreError, TakenIn};

impl Store {
    /// Takes in what a worker hands over: each event once, all of the batch or nothing of it.
    ///
    /// # Errors
    /// [`StoreError::UnknownTenant`], [`StoreError::Database`].
    pub async fn accept_link_events(
        &self,
        tenant: TenantId,
        store_id: Uuid,
        events: &[LinkEvent],
    ) -> Result<TakenIn, StoreError> {
        use whatsapp_session::Column;
        let transaction = self.db.begin().await?;
        lock::tenant_stays(&transaction, tenant).await?;
        // A write comes first, so that SQLite lets no second writer in between.
        let renewed = whatsapp_session::Entity::update_many()
            .col_expr(Column::LinkStoreId, Expr::value(Some(store_id)))
            .col_expr(Column::LinkSeq, Expr::value(0_i64))
            .filter(Column::TenantId.eq(tenant.0))
            .filter(Column::LinkStoreId.is_null().or(Column::LinkStoreId.ne(store_id)))
            .exec(&transaction)
            .await?;
        let mut progress =
            renewed.rows_affected > 0 && progress::lost(&transaction, tenant).await?;
        // Locked: a worker that got no answer in time says the same again while we are at it.
        let session = whatsapp_session::Entity::find_by_id(tenant.0)
            .lock_exclusive()
            .one(&transaction)
            .await?;
        let stored = session.ok_or(StoreError::UnknownTenant(tenant))?.link_seq.cast_unsigned();
        let mut last = stored;
        for event in events.iter().filter(|event| event.seq > stored) {
            progress |= insert(&transaction, tenant, event).await?;
            last = event.seq;
        }
        if last > stored {
            whatsapp_session::Entity::update_many()
                .col_expr(Column::LinkSeq, Expr::value(last.cast_signed()))
                .filter(Column::TenantId.eq(tenant.0))
                .exec(&transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(TakenIn { through: last, progress })
    }

    /// A tenant's messages older than number `before`, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn messages(
        &self,
        tenant: TenantId,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Page<MessageView>, StoreError> {
        use message_log::Column;
        let rows = message_log::Entity::find()
            .filter(Column::TenantId.eq(tenant.0))
            .filter(Column::Seq.lt(before.unwrap_or(i64::MAX)))
            .order_by_desc(Column::Seq)
            .limit(limit.saturating_add(1))
            .all(&self.db)
            .await?;
        page(
            rows,
            limit,
            |row| row.seq,
            |row| {
                Ok(MessageView {
                    seq: row.seq,
                    direction: value(&row.direction)?,
                    message_id: row.message_id,
                    chat: row.chat,
                    text: row.text,
                    at: row.at,
                    state: row.state.as_deref().map(value).transpose()?,
                })
            },
        )
    }

    /// Writes an event of a tenant.
    ///
    /// # Errors
    /// [`StoreError::Database`], also when the tenant is no more.
    pub async fn append_event(
        &self,
        tenant: TenantId,
        kind: &str,
        detail: &str,
    ) -> Result<(), StoreError> {
        event_row(tenant, kind, detail, Utc::now()).insert(&self.db).await?;
        Ok(())
    }

    /// The events after number `after`, oldest first; of one tenant or of all.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn events(
        &self,
        tenant: Option<TenantId>,
        after: i64,
        limit: u64,
    ) -> Result<Page<EventView>, StoreError> {
        use event::Column;
        let mut query = event::Entity::find().filter(Column::Seq.gt(after));
        if let Some(tenant) = tenant {
            query = query.filter(Column::TenantId.eq(tenant.0));
        }
        let rows =
            query.order_by_asc(Column::Seq).limit(limit.saturating_add(1)).all(&self.db).await?;
        page(
            rows,
            limit,
            |row| row.seq,
            |row| {
                Ok(EventView {
                    seq: row.seq,
                    tenant_id: TenantId(row.tenant_id),
                    kind: row.kind,
                    detail: row.detail,
                    at: row.at,
                })
            },
        )
    }

    /// Writes an entry of the audit log.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn append_audit(&self, new: NewAudit) -> Result<(), StoreError> {
        audit_row(new).insert(&self.db).await?;
        Ok(())
    }

    /// The audit log before number `before`, newest first; of one tenant or all of it.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn audit(
        &self,
        tenant: Option<TenantId>,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Page<AuditView>, StoreError> {
        use audit_log::Column;
        let mut query =
            audit_log::Entity::find().filter(Column::Seq.lt(before.unwrap_or(i64::MAX)));
        if let Some(tenant) = tenant {
            query = query.filter(Column::TenantId.eq(tenant.0));
        }
        let rows =
            query.order_by_desc(Column::Seq).limit(limit.saturating_add(1)).all(&self.db).await?;
        page(
            rows,
            limit,
            |row| row.seq,
            |row| {
                Ok(AuditView {
                    seq: row.seq,
                    actor: row.actor,
                    action: row.action,
                    tenant_id: row.tenant_id.map(TenantId),
                    result: row.result,
                    detail: row.detail,
                    at: row.at,
                })
            },
        )
    }
}

/// A page of rows, of which one more than `limit` were asked for: when it came there is a next page,
/// and that starts at this page's last number.
pub(super) fn page<R, V>(
    mut rows: Vec<R>,
    limit: u64,
    seq: impl Fn(&R) -> i64,
    view: impl Fn(R) -> Result<V, DbErr>,
) -> Result<Page<V>, StoreError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(seq);
    let items = rows.into_iter().map(view).collect::<Result<_, _>>()?;
    Ok(Page { items, next })
}

/// Takes in one event. Gives whether a message from outside has come further by it.
async fn insert(
    transaction: &Transaction,
    tenant: TenantId,
    event: &LinkEvent,
) -> Result<bool, DbErr> {
    match &event.kind {
        LinkEventKind::Note { name, detail } => {
            event_row(tenant, name, detail, event.at).insert(transaction).await?;
        }
        LinkEventKind::State { message_id, state, reason } => {
            let told = Told { state: *state, reason: reason.as_deref(), at: event.at };
            return progress::advance(transaction, tenant, message_id, &told).await;
        }
        LinkEventKind::Accepted { send_id, message_id } => {
            progress::accepted(transaction, tenant, *send_id, message_id).await?;
        }
        LinkEventKind::Message { message_id, chat, direction, text } => {
            // It is told when WhatsApp has it.
            let state = (*direction == Direction::Out).then_some(MessageState::Sent);
            let row = message_log::ActiveModel {
                tenant_id: Set(tenant.0),
                chat: Set(chat.clone()),
                direction: Set(word(direction)?),
                message_id: Set(message_id.clone()),
                text: Set(text.clone()),
                at: Set(event.at),
                state: Set(state.map(word).transpose()?),
                ..Default::default()
            };
            // A worker whose event store was lost may say again what it has said before.
            let once = OnConflict::columns([
                message_log::Column::TenantId,
                message_log::Column::Chat,
                message_log::Column::Direction,
                message_log::Column::MessageId,
            ])
            .do_nothing()
            .to_owned();
            message_log::Entity::insert(row)
                .on_conflict(once)
                .exec_without_returning(transaction)
                .await?;
        }
    }
    Ok(false)
}

pub(super) fn audit_row(new: NewAudit) -> audit_log::ActiveModel {
    audit_log::ActiveModel {
        actor: Set(new.actor),
        action: Set(new.action),
        tenant_id: Set(new.tenant.map(|tenant| tenant.0)),
        result: Set(new.result),
        detail: Set(new.detail),
        at: Set(Utc::now()),
        ..Default::default()
    }
}

fn event_row(
    tenant: TenantId,
    kind: &str,
    detail: &str,
    at: chrono::DateTime<Utc>,
) -> event::ActiveModel {
    event::ActiveModel {
        tenant_id: Set(tenant.0),
        kind: Set(kind.to_owned()),
        detail: Set(detail.to_owned()),
        at: Set(at),
        ..Default::default()
    }
}
