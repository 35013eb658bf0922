//! Accounts, their places among tenants' people, and one-time links.

use std::collections::HashMap;

use api::access::TenantRole;
use api::tenant::TenantId;
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    SqlErr,
};
use uuid::Uuid;

use crate::entity::{browser_session, membership, one_time_link, user};
use crate::people::{LinkKind, UserRecord};
use crate::words::{value, word};
use crate::{Store, StoreError};

impl Store {
    /// All accounts, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn users(&self) -> Result<Vec<UserRecord>, StoreError> {
        let db = &self.db.view().await?;
        let mut places: HashMap<Uuid, Vec<(TenantId, TenantRole)>> = HashMap::new();
        for row in membership::Entity::find().all(db).await? {
            let place = (TenantId(row.tenant_id), value(&row.role)?);
            places.entry(row.user_id).or_default().push(place);
        }
        let rows = user::Entity::find().order_by_asc(user::Column::Id).all(db).await?;
        let record = |row: user::Model| {
            let memberships = places.remove(&row.id).unwrap_or_default();
            record(row, memberships)
        };
        Ok(rows.into_iter().map(record).collect::<Result<_, _>>()?)
    }

    /// Makes an account.
    ///
    /// # Errors
    /// [`StoreError::EmailTaken`], [`StoreError::Database`].
    pub async fn create_user(&self, new: &UserRecord) -> Result<(), StoreError> {
        let transaction = self.db.begin().await?;
        let inserted = user::Entity::insert(row(new)?).exec_without_returning(&transaction).await;
        inserted.map_err(|error| taken(error, new))?;
        replace_memberships(&transaction, new).await?;
        Ok(transaction.commit().await?)
    }

    /// Writes an account as it is now, with all its places.
    ///
    /// # Errors
    /// [`StoreError::UnknownUser`], [`StoreError::Database`].
    pub async fn save_user(&self, changed: &UserRecord) -> Result<(), StoreError> {
        let transaction = self.db.begin().await?;
        let mut row = row(changed)?;
        row.id = sea_orm::ActiveValue::NotSet;
        let updated = user::Entity::update_many()
            .set(row)
            .filter(user::Column::Id.eq(changed.id))
            .exec(&transaction)
            .await?;
        if updated.rows_affected == 0 {
            return Err(StoreError::UnknownUser(changed.id));
        }
        replace_memberships(&transaction, changed).await?;
        Ok(transaction.commit().await?)
    }

    /// Deletes an account with its sessions and links.
    ///
    /// # Errors
    /// [`StoreError::UnknownUser`], [`StoreError::Database`].
    pub async fn delete_user(&self, id: Uuid) -> Result<(), StoreError> {
        let deleted = user::Entity::delete_by_id(id).exec(&self.db).await?;
        if deleted.rows_affected == 0 { Err(StoreError::UnknownUser(id)) } else { Ok(()) }
    }

    /// Keeps a one-time link, known by the hash of what it holds. Earlier ones of the account are no
    /// longer good.
    ///
    /// # Errors
    /// [`StoreError::Database`], also when the account is no more.
    pub async fn put_link(
        &self,
        user: Uuid,
        kind: LinkKind,
        hash: &str,
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let transaction = self.db.begin().await?;
        one_time_link::Entity::delete_many()
            .filter(one_time_link::Column::UserId.eq(user))
            .exec(&transaction)
            .await?;
        let row = one_time_link::ActiveModel {
            hash: Set(hash.to_owned()),
            user_id: Set(user),
            kind: Set(word(kind)?),
            expires_at: Set(expires_at),
        };
        one_time_link::Entity::insert(row).exec_without_returning(&transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Whose link this is, and what it is good for, if it still is.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn link(
        &self,
        hash: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<(Uuid, LinkKind)>, StoreError> {
        let row = one_time_link::Entity::find_by_id(hash.to_owned()).one(&self.db).await?;
        match row.filter(|row| row.expires_at > now) {
            Some(row) => Ok(Some((row.user_id, value(&row.kind)?))),
            None => Ok(None),
        }
    }

    /// Uses a link up: gives the account a new password hash and name, and ends all its sessions. False
    /// when the link is not good, or not any more; nothing is changed then.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn use_link(
        &self,
        hash: &str,
        now: DateTime<Utc>,
        changed: &UserRecord,
    ) -> Result<bool, StoreError> {
        let transaction = self.db.begin().await?;
        let used = one_time_link::Entity::delete_many()
            .filter(one_time_link::Column::Hash.eq(hash))
            .filter(one_time_link::Column::UserId.eq(changed.id))
            .filter(one_time_link::Column::ExpiresAt.gt(now))
            .exec(&transaction)
            .await?;
        if used.rows_affected == 0 {
            return Ok(false);
        }
        user::Entity::update_many()
            .col_expr(user::Column::PasswordHash, Expr::value(changed.password_hash.clone()))
            .col_expr(user::Column::Name, Expr::value(changed.name.clone()))
            .filter(user::Column::Id.eq(changed.id))
            .exec(&transaction)
            .await?;
        browser_session::Entity::delete_many()
            .filter(browser_session::Column::UserId.eq(changed.id))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }
}

fn taken(error: DbErr, new: &UserRecord) -> StoreError {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => StoreError::EmailTaken(new.email.clone()),
        _ => error.into(),
    }
}

async fn replace_memberships(db: &impl ConnectionTrait, user: &UserRecord) -> Result<(), DbErr> {
    membership::Entity::delete_many()
        .filter(membership::Column::UserId.eq(user.id))
        .exec(db)
        .await?;
    for (tenant, role) in &user.memberships {
        let row = membership::ActiveModel {
            user_id: Set(user.id),
            tenant_id: Set(tenant.0),
            role: Set(word(role)?),
        };
        membership::Entity::insert(row).exec_without_returning(db).await?;
    }
    Ok(())
}

fn row(record: &UserRecord) -> Result<user::ActiveModel, DbErr> {
    Ok(user::ActiveModel {
        id: Set(record.id),
        email: Set(record.email.clone()),
        name: Set(record.name.clone()),
        role: Set(record.role.map(word).transpose()?),
        password_hash: Set(record.password_hash.clone()),
        totp_secret: Set(record.totp_secret.clone()),
        totp_step: Set(record.totp_step.cast_signed()),
        disabled: Set(record.disabled),
        created_at: Set(record.created_at),
        last_sign_in_at: Set(record.last_sign_in_at),
    })
}

fn record(row: user::Model, memberships: Vec<(TenantId, TenantRole)>) -> Result<UserRecord, DbErr> {
    Ok(UserRecord {
        id: row.id,
        email: row.email,
        name: row.name,
        role: row.role.as_deref().map(value).transpose()?,
        memberships,
        password_hash: row.password_hash,
        totp_secret: row.totp_secret,
        totp_step: row.totp_step.cast_unsigned(),
        disabled: row.disabled,
        created_at: row.created_at,
        last_sign_in_at: row.last_sign_in_at,
    })
}
