//! The message log as it is read: its messages, and its chats.

use std::collections::HashMap;

use api::live::ConversationView;
use api::records::{MessageView, Page};
use api::tenant::TenantId;
use sea_orm::sea_query::{Expr, Func, LikeExpr};
use sea_orm::{
    ColumnTrait as _, DbErr, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Select,
};

use super::records::page;
use crate::entity::message_log::{Column, Entity, Model};
use crate::words::value;
use crate::{Store, StoreError};

/// Which messages of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageSelection {
    /// Of this chat alone.
    pub chat: Option<String>,
    /// With this text in them, in capitals or not. SQLite knows of capitals from A to Z alone.
    pub containing: Option<String>,
}

/// A search looks at so many messages and no more, however many there are: a tenant's whole log is not read for a text
/// that is nowhere in it.
pub(crate) const WINDOW: u64 = 20_000;

impl Store {
    /// The chosen messages of a tenant that are older than number `before`, newest first. A search for a text looks at
    /// the newest 20,000 of these; where there are older ones yet its page has a `next`, and may be short or empty.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn messages(
        &self,
        tenant: TenantId,
        selection: &MessageSelection,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Page<MessageView>, StoreError> {
        self.messages_within(WINDOW, tenant, selection, before, limit).await
    }

    /// The same with a search that looks at so many.
    pub(crate) async fn messages_within(
        &self,
        window: u64,
        tenant: TenantId,
        selection: &MessageSelection,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Page<MessageView>, StoreError> {
        let (is_postgres, chat) = (self.db.is_postgres(), selection.chat.as_deref());
        let mut query = of(is_postgres, tenant, chat, before);
        let mut outside = None;
        if let Some(text) = &selection.containing {
            outside = outside_window(is_postgres, tenant, chat, before, window)
                .into_tuple::<i64>()
                .one(&self.db)
                .await?;
            query = query
                .filter(Column::Seq.gt(outside.unwrap_or(i64::MIN)))
                .filter(has(text, is_postgres));
        }
        let rows =
            query.order_by_desc(Column::Seq).limit(limit.saturating_add(1)).all(&self.db).await?;
        let mut page = page(rows, limit, |row| row.seq, view)?;
        // The next window begins with the first message that this one left out.
        page.next = page.next.or(outside.map(|seq| seq.saturating_add(1)));
        Ok(page)
    }

    /// A tenant's chats, each with its newest message, the newest of them first: those whose newest is older than
    /// number `before`.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn conversations(
        &self,
        tenant: TenantId,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Page<ConversationView>, StoreError> {
        let chats: Vec<(i64, i64)> = newest_of_chats(tenant, before)
            .limit(limit.saturating_add(1))
            .into_tuple()
            .all(&self.db)
            .await?;
        // Numbers are never given twice; a message that was deleted in between takes its chat with it.
        let numbers = chats.iter().map(|(newest, _)| *newest);
        let rows = Entity::find().filter(Column::Seq.is_in(numbers)).all(&self.db).await?;
        let mut rows: HashMap<_, _> = rows.into_iter().map(|row| (row.seq, row)).collect();
        let chats = chats
            .into_iter()
            .filter_map(|(newest, count)| Some((rows.remove(&newest)?, count)))
            .collect();
        let conversation = |(row, count): (Model, i64)| {
            let chat = row.chat.clone();
            Ok(ConversationView { chat, last: view(row)?, messages: count.cast_unsigned() })
        };
        page(chats, limit, |(row, _)| row.seq, conversation)
    }
}

/// A tenant's messages, or a chat's, before a number.
fn of(
    is_postgres: bool,
    tenant: TenantId,
    chat: Option<&str>,
    before: Option<i64>,
) -> Select<Entity> {
    let query = Entity::find()
        .filter(Column::TenantId.eq(tenant.0))
        .filter(Column::Seq.lt(before.unwrap_or(i64::MAX)));
    let Some(chat) = chat else { return query };
    let in_chat = Column::Chat.eq(chat);
    // Numbers that are bounded on both sides seem so few to SQLite that the chat's index is no better to it than the
    // tenant's, in which all chats lie; that a chat is one of many has to be said.
    query.filter(if is_postgres { in_chat } else { Func::cust("unlikely").arg(in_chat).into() })
}

/// The number of the newest message that a search does not look at any more; answered from an index alone.
fn outside_window(
    is_postgres: bool,
    tenant: TenantId,
    chat: Option<&str>,
    before: Option<i64>,
    window: u64,
) -> Select<Entity> {
    of(is_postgres, tenant, chat, before)
        .select_only()
        .column(Column::Seq)
        .order_by_desc(Column::Seq)
        .offset(window)
        .limit(1)
}

/// Whether a message has a text in it.
fn has(text: &str, is_postgres: bool) -> Expr {
    use sea_orm::sea_query::extension::postgres::PgExpr as _;
    let (column, like) = (Expr::col(Column::Text), LikeExpr::new(containing(text)));
    if is_postgres {
        // A backslash escapes there by itself; what the query builder writes to say so is no ILIKE.
        column.ilike(like)
    } else {
        // LIKE looks past capitals there by itself.
        column.like(like.escape('\\'))
    }
}

/// The number of the newest message of each chat, and how many the chat has; answered from the index of the chats
/// alone.
fn newest_of_chats(tenant: TenantId, before: Option<i64>) -> Select<Entity> {
    Entity::find()
        .select_only()
        .expr(Expr::col(Column::Seq).max())
        .expr(Expr::col(Column::Seq).count())
        .filter(Column::TenantId.eq(tenant.0))
        .group_by(Column::Chat)
        .having(Expr::col(Column::Seq).max().lt(before.unwrap_or(i64::MAX)))
        .order_by_desc(Expr::col(Column::Seq).max())
}

fn view(row: Model) -> Result<MessageView, DbErr> {
    Ok(MessageView {
        seq: row.seq,
        direction: value(&row.direction)?,
        message_id: row.message_id,
        chat: row.chat,
        text: row.text,
        at: row.at,
        state: row.state.as_deref().map(value).transpose()?,
    })
}

/// The pattern of what has a text anywhere inside; what means something in a pattern stands for itself.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use sea_orm::{DbBackend, QueryTrait as _};

    use super::*;

    #[tokio::test]
    async fn the_window_of_a_search_is_found_in_an_index_alone() {
        let tenant = TenantId::generate();
        for (chat, index) in [(None, "message_log_of_tenant"), (Some("c"), "message_log_of_chat")] {
            let statement = outside_window(false, tenant, chat, Some(7), WINDOW);
            let plan = super::super::plan(statement.build(DbBackend::Sqlite)).await;
            assert!(plan.contains(&format!("USING COVERING INDEX {index}")), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
            let search = of(false, tenant, chat, Some(7))
                .filter(Column::Seq.gt(1))
                .filter(has("x", false))
                .order_by_desc(Column::Seq);
            let plan = super::super::plan(search.build(DbBackend::Sqlite)).await;
            assert!(plan.contains(index) && plan.contains("seq>? AND seq<?"), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
    }

    #[tokio::test]
    async fn chats_are_found_in_an_index_alone() {
        let statement = newest_of_chats(TenantId::generate(), Some(7)).build(DbBackend::Sqlite);
        let plan = super::super::plan(statement).await;
        assert!(plan.contains("USING COVERING INDEX message_log_of_chat"), "{plan}");
        let of_chat =
            of(false, TenantId::generate(), Some("c"), Some(7)).order_by_desc(Column::Seq);
        let plan = super::super::plan(of_chat.build(DbBackend::Sqlite)).await;
        assert!(plan.contains("message_log_of_chat") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}
