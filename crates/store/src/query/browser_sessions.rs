//! Browsers that are signed in.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use crate::entity::{browser_session, one_time_link};
use crate::people::BrowserSession;
use crate::{Store, StoreError};

impl Store {
    /// All sessions of browsers.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn browser_sessions(&self) -> Result<Vec<BrowserSession>, StoreError> {
        let rows = browser_session::Entity::find().all(&self.db).await?;
        Ok(rows.into_iter().map(record).collect())
    }

    /// Keeps a new session.
    ///
    /// # Errors
    /// [`StoreError::Database`], also when the account is no more.
    pub async fn add_browser_session(&self, new: &BrowserSession) -> Result<(), StoreError> {
        let row = browser_session::ActiveModel {
            id: Set(new.id),
            user_id: Set(new.user),
            hash: Set(new.hash.clone()),
            address: Set(new.address.clone()),
            agent: Set(new.agent.clone()),
            created_at: Set(new.created_at),
            seen_at: Set(new.seen_at),
            expires_at: Set(new.expires_at),
        };
        browser_session::Entity::insert(row).exec_without_returning(&self.db).await?;
        Ok(())
    }

    /// Ends sessions.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn end_browser_sessions(&self, ids: &[Uuid]) -> Result<(), StoreError> {
        browser_session::Entity::delete_many()
            .filter(browser_session::Column::Id.is_in(ids.iter().copied()))
            .exec(&self.db)
            .await?;
        Ok(())
    }

    /// Notes when sessions were last used, and forgets links that are no longer good.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn note_browser_sessions(
        &self,
        seen: &[(Uuid, DateTime<Utc>)],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let transaction = self.db.begin().await?;
        for (id, at) in seen {
            browser_session::Entity::update_many()
                .col_expr(browser_session::Column::SeenAt, Expr::value(*at))
                .filter(browser_session::Column::Id.eq(*id))
                .exec(&transaction)
                .await?;
        }
        one_time_link::Entity::delete_many()
            .filter(one_time_link::Column::ExpiresAt.lte(now))
            .exec(&transaction)
            .await?;
        Ok(transaction.commit().await?)
    }
}

fn record(row: browser_session::Model) -> BrowserSession {
    BrowserSession {
        id: row.id,
        user: row.user_id,
        hash: row.hash,
        address: row.address,
        agent: row.agent,
        created_at: row.created_at,
        seen_at: row.seen_at,
        expires_at: row.expires_at,
    }
}
