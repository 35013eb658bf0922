//! What workers tell, and how it gets into the message log.

use api::link::{LinkEvent, LinkEventKind};
use api::records::{Direction, MessageState, Page};
use api::tenant::TenantId;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait as _, DbErr, EntityTrait as _, ExprTrait as _, QueryFilter as _, QuerySelect as _,
};
use serde_json::json;
use uuid::Uuid;

use super::events;
use super::progress::{self, Told};
use crate::db::Transaction;
use crate::entity::{message_log, whatsapp_session};
use crate::event::whole;
use crate::lock;
use crate::words::word;
use crate::{NewEvent, Store, StoreError, TakenIn};

impl Store {
    /// Takes in what a worker hands over: each event once, all of the batch or nothing of it.
    ///
    /// # Errors
    /// [`StoreError::UnknownTenant`], [`StoreError::Database`].
    pub async fn accept_link_events(
        &self,
        tenant: TenantId,
        store_id: Uuid,
        batch: &[LinkEvent],
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
        let (mut last, mut told) = (stored, Vec::new());
        for event in batch.iter().filter(|event| event.seq > stored) {
            let news = insert(&transaction, tenant, event).await?;
            progress |= news.outside;
            told.extend(news.event);
            last = event.seq;
        }
        if last > stored {
            whatsapp_session::Entity::update_many()
                .col_expr(Column::LinkSeq, Expr::value(last.cast_signed()))
                .filter(Column::TenantId.eq(tenant.0))
                .exec(&transaction)
                .await?;
        }
        let written = if told.is_empty() {
            Vec::new()
        } else {
            let head = events::hold(&transaction).await?;
            events::write(&transaction, head, told.iter()).await?
        };
        transaction.commit().await?;
        Ok(TakenIn { through: last, progress, events: written })
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

/// What came of an event that was taken in.
#[derive(Default)]
struct News {
    /// Whether a message from outside has come further by it.
    outside: bool,
    /// What of it belongs into the event log.
    event: Option<NewEvent>,
}

/// Takes in one event. PostgreSQL refuses texts with NUL: what a contact wrote must not hold up all that comes after it.
async fn insert(
    transaction: &Transaction,
    tenant: TenantId,
    event: &LinkEvent,
) -> Result<News, DbErr> {
    let tell =
        |kind: &str, detail: &str| NewEvent::new(Some(tenant), kind, detail).happened(event.at);
    let told = |event| Ok(News { event: Some(event), outside: false });
    match &event.kind {
        LinkEventKind::Note { name, detail } => told(tell(name, detail)),
        LinkEventKind::State { message_id, state, reason } => {
            let message_id = &whole(message_id);
            let reason = reason.as_deref().map(whole);
            let said = Told { state: *state, reason: reason.as_deref(), at: event.at };
            let news = progress::advance(transaction, tenant, message_id, &said).await?;
            let kind = match state {
                // Told together with the message, as `message.out`.
                MessageState::Queued | MessageState::Sent => None,
                MessageState::Delivered | MessageState::Read => Some("message.ack"),
                MessageState::Failed => Some("message.failed"),
            };
            let event = kind.filter(|_| news.any).map(|kind| {
                let data = json!({"message_id": message_id, "state": state.as_str()});
                tell(kind, reason.as_deref().unwrap_or(state.as_str())).with(data)
            });
            Ok(News { outside: news.outside, event })
        }
        LinkEventKind::Accepted { send_id, message_id } => {
            progress::accepted(transaction, tenant, *send_id, &whole(message_id)).await?;
            Ok(News::default())
        }
        LinkEventKind::Message { message_id, chat, direction, text } => {
            let (message_id, chat, text) = (whole(message_id), whole(chat), whole(text));
            // It is told when WhatsApp has it.
            let state = (*direction == Direction::Out).then_some(MessageState::Sent);
            let row = message_log::ActiveModel {
                tenant_id: Set(tenant.0),
                chat: Set(chat.to_string()),
                direction: Set(word(direction)?),
                message_id: Set(message_id.to_string()),
                text: Set(text.into_owned()),
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
            let written = message_log::Entity::insert(row)
                .on_conflict(once)
                .exec_without_returning(transaction)
                .await?;
            if written == 0 {
                return Ok(News::default());
            }
            let (kind, way) = match direction {
                Direction::In => ("message.in", "from"),
                Direction::Out => ("message.out", "to"),
            };
            // Without the text: whoever may see that a bot works need not see what its customers write.
            let data = json!({"message_id": message_id, "chat": chat});
            told(tell(kind, &format!("{way} {chat}")).with(data))
        }
    }
}
