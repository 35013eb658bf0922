//! How far outgoing messages have come: what the worker tells of them, and the deadline.
//!
//! ```text
//! queued ──► sent ──► delivered ──► read        only ever forward; a step may be skipped
//!   └──────────┴────► failed                    final, but for one case:
//! ```
//!
//! A deadline is seen by the worker, and, for a worker that is off, here. A worker that was off may
//! have sent the message before and not come to tell it: its word corrects ours.

use api::records::{Direction, MessageState};
use api::tenant::TenantId;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ColumnTrait as _, Condition, DbErr, DeleteMany, EntityTrait as _, ExprTrait as _,
    QueryFilter as _, UpdateMany,
};
use serde_json::Value;
use uuid::Uuid;

use crate::db::Transaction;
use crate::entity::outgoing::{Column, Entity};
use crate::entity::{message_log, upload};
use crate::words::word;
use crate::{Store, StoreError};

/// The reason of a message whose deadline is over.
const EXPIRED: &str = "expired";

/// How long a worker that has a message may take after the deadline to tell what became of it.
const TELLING: chrono::Duration = chrono::Duration::hours(1);

/// What is said of a message that the worker, as far as it told, never had.
const UNSENT: &str = "it was not sent before its deadline (expires_at); the tenant's worker was not running or not connected to WhatsApp";

/// What is said of one that it had.
const UNTOLD: &str = "the tenant's worker had it and did not tell, until an hour after its deadline (expires_at), what became of it; it may have been sent, and when the worker tells so, this is corrected";

/// The reason where the worker gives none in one word.
const NOT_SENT: &str = "not_sent";

/// What a worker tells of a message.
pub(super) struct Told<'t> {
    /// How far it has come.
    pub(super) state: MessageState,
    /// Why it failed: a stable word, `: ` and more words, or only words.
    pub(super) reason: Option<&'t str>,
    /// When.
    pub(super) at: DateTime<Utc>,
}

impl Store {
    /// Fails what waits although its deadline was before `before`; gives how many there were. The caller leaves the
    /// worker a little time to tell it itself; one that has the message already, [`TELLING`]: it may have sent it.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn expire_outgoing(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let failed = expiry(before)?.exec(&self.db).await?;
        Ok(failed.rows_affected)
    }

    /// Forgets messages that were settled and whose deadline was before `before`, with the keys of
    /// their requests, and uploads whose files were deleted then.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_outgoing(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        forgetting(before)?.exec(&self.db).await?;
        upload::Entity::delete_many()
            .filter(upload::Column::DeletedAt.lt(before))
            .exec(&self.db)
            .await?;
        Ok(())
    }
}

fn expiry(before: DateTime<Utc>) -> Result<UpdateMany<Entity>, DbErr> {
    let detail = Expr::case(Column::MessageId.is_null(), Expr::value(UNSENT)).finally(UNTOLD);
    Ok(Entity::update_many()
        .col_expr(Column::State, Expr::value(word(MessageState::Failed)?))
        .col_expr(Column::Reason, Expr::value(Some(EXPIRED)))
        .col_expr(Column::Detail, detail.into())
        .col_expr(Column::FailedAt, Expr::value(Some(Utc::now())))
        .col_expr(Column::Content, Expr::value(None::<Value>))
        .col_expr(Column::ReplyTo, Expr::value(None::<Value>))
        .filter(Column::State.eq(word(MessageState::Queued)?))
        // By itself, so that the index is used: of those that wait, few are over.
        .filter(Column::ExpiresAt.lt(before))
        .filter(
            Condition::any()
                .add(Column::MessageId.is_null())
                .add(Column::ExpiresAt.lt(before - TELLING)),
        ))
}

fn forgetting(before: DateTime<Utc>) -> Result<DeleteMany<Entity>, DbErr> {
    // Named one by one, so that the index is used.
    let settled =
        MessageState::ALL.into_iter().filter(|state| *state != MessageState::Queued).map(word);
    Ok(Entity::delete_many()
        .filter(Column::State.is_in(settled.collect::<Result<Vec<_>, _>>()?))
        .filter(Column::ExpiresAt.lt(before)))
}

/// The worker has the message. It is the one who says what becomes of it, also when its deadline was
/// thought to be over here.
pub(super) async fn accepted(
    transaction: &Transaction,
    tenant: TenantId,
    send_id: Uuid,
    message_id: &str,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::MessageId, Expr::value(Some(message_id)))
        .filter(Column::TenantId.eq(tenant.0))
        .filter(Column::Id.eq(send_id))
        .filter(Column::MessageId.is_null())
        .exec(transaction)
        .await?;
    Ok(())
}

/// The worker began anew, without what it had: nobody will tell what became of the messages that were
/// in it. They are not handed over once more, for they may have been sent. Gives whether there were any.
pub(super) async fn lost(transaction: &Transaction, tenant: TenantId) -> Result<bool, DbErr> {
    let detail = "the worker's database (bot.db) was lost with the message in it; it may or may not have been sent";
    let failed = Entity::update_many()
        .col_expr(Column::State, Expr::value(word(MessageState::Failed)?))
        .col_expr(Column::Reason, Expr::value(Some("worker_lost_it")))
        .col_expr(Column::Detail, Expr::value(Some(detail)))
        .col_expr(Column::FailedAt, Expr::value(Some(Utc::now())))
        .col_expr(Column::Content, Expr::value(None::<Value>))
        .col_expr(Column::ReplyTo, Expr::value(None::<Value>))
        .filter(Column::TenantId.eq(tenant.0))
        .filter(Column::State.eq(word(MessageState::Queued)?))
        .filter(Column::MessageId.is_not_null())
        .exec(transaction)
        .await?;
    Ok(failed.rows_affected > 0)
}

/// Whether what was told of a message was news.
#[derive(Clone, Copy, Default)]
pub(super) struct News {
    /// To anybody: the message log, or the messages from outside.
    pub any: bool,
    /// Of a message from outside: of the bot's own answers only the message log knows.
    pub outside: bool,
}

/// Takes in what became of a message, if it is news.
pub(super) async fn advance(
    transaction: &Transaction,
    tenant: TenantId,
    message_id: &str,
    told: &Told<'_>,
) -> Result<News, DbErr> {
    let earlier = words(before(told.state))?;
    if earlier.is_empty() {
        return Ok(News::default());
    }
    let state = word(told.state)?;
    let logged = message_log::Entity::update_many()
        .col_expr(message_log::Column::State, Expr::value(Some(state.clone())))
        .filter(message_log::Column::TenantId.eq(tenant.0))
        .filter(message_log::Column::MessageId.eq(message_id))
        .filter(message_log::Column::Direction.eq(word(Direction::Out)?))
        .filter(
            Condition::any()
                .add(message_log::Column::State.is_null())
                .add(message_log::Column::State.is_in(earlier.clone())),
        )
        .exec(transaction)
        .await?;
    let mut may = Condition::any().add(Column::State.is_in(earlier));
    if told.state != MessageState::Failed {
        may = may.add(Column::Reason.eq(EXPIRED));
    }
    let (reason, detail) = reason(told);
    let mut update = Entity::update_many()
        .col_expr(Column::State, Expr::value(state))
        .col_expr(Column::Reason, Expr::value(reason))
        .col_expr(Column::Detail, Expr::value(detail))
        .col_expr(Column::Content, Expr::value(None::<Value>))
        .col_expr(Column::ReplyTo, Expr::value(None::<Value>));
    for column in times(told.state) {
        update = update.col_expr(*column, once(*column, told.at));
    }
    if told.state != MessageState::Failed {
        update = update.col_expr(Column::FailedAt, Expr::value(None::<DateTime<Utc>>));
    }
    let updated = update
        .filter(Column::TenantId.eq(tenant.0))
        .filter(Column::MessageId.eq(message_id))
        .filter(may)
        .exec(transaction)
        .await?;
    let outside = updated.rows_affected > 0;
    Ok(News { any: outside || logged.rows_affected > 0, outside })
}

/// A time that stays once it is known.
fn once(column: Column, at: DateTime<Utc>) -> SimpleExpr {
    Expr::col(column).if_null(at)
}

/// The states that a message may have been in before.
const fn before(state: MessageState) -> &'static [MessageState] {
    use MessageState::{Delivered, Failed, Queued, Read, Sent};
    match state {
        Queued => &[],
        Sent => &[Queued],
        Delivered => &[Queued, Sent],
        Read => &[Queued, Sent, Delivered],
        Failed => &[Queued, Sent],
    }
}

/// What the state says was reached at the latest now.
const fn times(state: MessageState) -> &'static [Column] {
    match state {
        MessageState::Queued => &[],
        MessageState::Sent => &[Column::SentAt],
        MessageState::Delivered => &[Column::SentAt, Column::DeliveredAt],
        MessageState::Read => &[Column::SentAt, Column::DeliveredAt, Column::ReadAt],
        MessageState::Failed => &[Column::FailedAt],
    }
}

fn words(states: &[MessageState]) -> Result<Vec<String>, DbErr> {
    states.iter().map(word).collect()
}

/// The stable word and the words of a failure.
fn reason<'t>(told: &Told<'t>) -> (Option<&'t str>, Option<&'t str>) {
    if told.state != MessageState::Failed {
        return (None, None);
    }
    let text = told.reason.unwrap_or_default();
    let (code, detail) = text.split_once(": ").map_or((text, None), |(a, b)| (a, Some(b)));
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !code.is_empty() && code.chars().all(is_word) {
        return (Some(code), detail);
    }
    (Some(NOT_SENT), told.reason)
}

#[cfg(test)]
mod tests {
    use sea_orm::{DbBackend, QueryTrait as _};

    use super::*;
    use crate::query::plan;

    #[tokio::test]
    async fn what_is_over_and_what_is_old_is_searched_by_its_deadline() {
        let statements = [
            expiry(Utc::now()).unwrap().build(DbBackend::Sqlite),
            forgetting(Utc::now()).unwrap().build(DbBackend::Sqlite),
        ];
        for statement in statements {
            let found = plan(statement).await;
            let wanted = "outgoing_by_end (state=? AND expires_at<?)";
            assert!(found.contains(wanted), "{found}");
        }
    }

    fn told(reason: Option<&str>) -> (Option<&str>, Option<&str>) {
        super::reason(&Told { state: MessageState::Failed, reason, at: Utc::now() })
    }

    #[test]
    fn a_reason_is_a_stable_word_and_words() {
        let (code, detail) = told(Some("not_on_whatsapp: +254 has no WhatsApp"));
        assert_eq!((code, detail), (Some("not_on_whatsapp"), Some("+254 has no WhatsApp")));
        assert_eq!(told(Some("opted_out")), (Some("opted_out"), None));
        let words = "WhatsApp answers 463";
        assert_eq!(told(Some(words)), (Some("not_sent"), Some(words)));
        assert_eq!(told(None), (Some("not_sent"), None));
    }

    #[test]
    fn no_state_comes_from_itself_or_a_later_one() {
        use MessageState::{Delivered, Failed, Queued, Read, Sent};
        for state in [Queued, Sent, Delivered, Read, Failed] {
            assert!(before(state).iter().all(|earlier| *earlier < state));
        }
    }
}
