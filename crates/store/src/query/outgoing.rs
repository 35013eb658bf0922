//! Messages from outside: accepted once, handed to the worker until it says that it has them.

use api::link::OutsideMessage;
use api::messages::SentMessage;
use api::records::{MessageState, Page};
use api::tenant::TenantId;
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, DbErr, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use super::audit;
use super::records::page;
use super::uploads;
use crate::db::Transaction;
use crate::entity::outgoing::{Column, Entity, Model};
use crate::entity::{message_log, outgoing};
use crate::lock;
use crate::words::{json, value, word};
use crate::{Enqueued, LoggedMessage, NewAudit, NewOutgoing, Store, StoreError};

impl Store {
    /// Accepts a message from outside, unless `most` of the tenant's wait already, and writes `audit` into the
    /// audit log together with it. A request whose key was used before makes no second message and no second entry.
    ///
    /// # Errors
    /// [`StoreError::Database`], also when the tenant is no more; then nothing was accepted.
    pub async fn enqueue(
        &self,
        new: &NewOutgoing,
        audit: NewAudit,
        most: u64,
    ) -> Result<Enqueued, StoreError> {
        let transaction = self.db.begin().await?;
        let once =
            OnConflict::columns([Column::TenantId, Column::IdempotencyKey]).do_nothing().to_owned();
        // How many wait must not change before this one is among them, and their numbers must become visible in
        // their order. On SQLite a write comes first, so that it lets no second writer in between.
        lock::tenant(&transaction, new.tenant).await?;
        let written = Entity::insert(row(new)?)
            .on_conflict(once)
            .exec_without_returning(&transaction)
            .await?;
        if written == 0 {
            return earlier(&transaction, new).await;
        }
        if waiting(&transaction, new.tenant).await? > most {
            return Ok(Enqueued::Full);
        }
        if let Some(upload) = new.upload
            && !uploads::claim(&transaction, new.tenant, upload, new.message.send_id).await?
        {
            return Ok(Enqueued::NoUpload);
        }
        let made = Entity::find().filter(Column::Id.eq(new.message.send_id));
        let made = view(made.one(&transaction).await?.ok_or_else(vanished)?)?;
        audit::append(&transaction, audit).await?;
        transaction.commit().await?;
        Ok(Enqueued::New(made))
    }

    /// The messages after number `after` that the tenant's worker has not yet said to have, oldest
    /// first, with their numbers.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn not_handed_over(
        &self,
        tenant: TenantId,
        after: i64,
        limit: u64,
    ) -> Result<Vec<(i64, OutsideMessage)>, StoreError> {
        let rows = Entity::find()
            .filter(Column::TenantId.eq(tenant.0))
            .filter(Column::State.eq(word(MessageState::Queued)?))
            .filter(Column::Seq.gt(after))
            .filter(Column::MessageId.is_null())
            .order_by_asc(Column::Seq)
            .limit(limit)
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(message).collect::<Result<_, DbErr>>()?)
    }

    /// How many messages from outside wait to be sent, of all tenants.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn waiting_messages(&self) -> Result<u64, StoreError> {
        let queued = Entity::find().filter(Column::State.eq(word(MessageState::Queued)?));
        Ok(queued.count(&self.db).await?)
    }

    /// A message from outside.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn sent_message(&self, id: Uuid) -> Result<Option<SentMessage>, StoreError> {
        let row = Entity::find().filter(Column::Id.eq(id)).one(&self.db).await?;
        Ok(row.map(view).transpose()?)
    }

    /// A tenant's messages from outside older than number `before`, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn sent_messages(
        &self,
        tenant: TenantId,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Page<SentMessage>, StoreError> {
        let rows = Entity::find()
            .filter(Column::TenantId.eq(tenant.0))
            .filter(Column::Seq.lt(before.unwrap_or(i64::MAX)))
            .order_by_desc(Column::Seq)
            .limit(limit.saturating_add(1))
            .all(&self.db)
            .await?;
        page(rows, limit, |row| row.seq, view)
    }

    /// What the message log has under one of WhatsApp's ids, the newest first where there are several.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn logged_message(
        &self,
        tenant: TenantId,
        message_id: &str,
    ) -> Result<Option<LoggedMessage>, StoreError> {
        let row = message_log::Entity::find()
            .filter(message_log::Column::TenantId.eq(tenant.0))
            .filter(message_log::Column::MessageId.eq(message_id))
            .order_by_desc(message_log::Column::Seq)
            .one(&self.db)
            .await?;
        let found = |row: message_log::Model| {
            Ok::<_, DbErr>(LoggedMessage { direction: value(&row.direction)?, text: row.text })
        };
        Ok(row.map(found).transpose()?)
    }
}

fn row(new: &NewOutgoing) -> Result<outgoing::ActiveModel, DbErr> {
    let message = &new.message;
    let written = |value: serde_json::Result<serde_json::Value>| {
        value.map_err(|error| DbErr::Type(error.to_string()))
    };
    let reply_to = message.reply_to.as_ref().map(serde_json::to_value).map(written).transpose()?;
    Ok(outgoing::ActiveModel {
        id: Set(message.send_id),
        tenant_id: Set(new.tenant.0),
        idempotency_key: Set(new.key.clone()),
        request_hash: Set(new.request_hash.clone()),
        recipient: Set(message.to.clone()),
        content: Set(Some(written(serde_json::to_value(&message.content))?)),
        reply_to: Set(reply_to),
        state: Set(word(MessageState::Queued)?),
        created_at: Set(Utc::now()),
        expires_at: Set(message.expires_at),
        ..Default::default()
    })
}

/// What the key was used for before.
async fn earlier(transaction: &Transaction, new: &NewOutgoing) -> Result<Enqueued, StoreError> {
    let earlier = Entity::find()
        .filter(Column::TenantId.eq(new.tenant.0))
        .filter(Column::IdempotencyKey.eq(&new.key))
        .one(transaction)
        .await?
        .ok_or_else(vanished)?;
    let is_same = earlier.request_hash == new.request_hash;
    let earlier = view(earlier)?;
    Ok(if is_same { Enqueued::Same(earlier) } else { Enqueued::KeyTaken(earlier) })
}

fn vanished() -> DbErr {
    DbErr::RecordNotFound("a message from outside that was just there".to_owned())
}

async fn waiting(transaction: &Transaction, tenant: TenantId) -> Result<u64, DbErr> {
    Entity::find()
        .filter(Column::TenantId.eq(tenant.0))
        .filter(Column::State.eq(word(MessageState::Queued)?))
        .count(transaction)
        .await
}

fn message(row: Model) -> Result<(i64, OutsideMessage), DbErr> {
    let content = row.content.ok_or_else(|| DbErr::Type("a queued message is empty".to_owned()))?;
    let message = OutsideMessage {
        send_id: row.id,
        to: row.recipient,
        content: json(content)?,
        reply_to: row.reply_to.map(json).transpose()?,
        expires_at: row.expires_at,
    };
    Ok((row.seq, message))
}

fn view(row: Model) -> Result<SentMessage, DbErr> {
    let failed_at: Option<DateTime<Utc>> = row.failed_at;
    Ok(SentMessage {
        id: row.id,
        tenant_id: TenantId(row.tenant_id),
        to: row.recipient,
        state: value(&row.state)?,
        reason: row.reason,
        detail: row.detail,
        message_id: row.message_id,
        created_at: row.created_at,
        expires_at: row.expires_at,
        sent_at: row.sent_at,
        delivered_at: row.delivered_at,
        read_at: row.read_at,
        failed_at,
    })
}
