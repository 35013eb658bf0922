//! Tenants.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use api::rules::WebhookSecret;
use api::session::SessionState;
use api::tenant::{TenantConfig, TenantId, TenantStatus};
use api::worker::{DesiredState, RuntimeKind, WorkerStatus};
use chrono::Utc;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _,
    ExprTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
};
use uuid::Uuid;

use super::rules::touch;
use crate::db::Transaction;
use crate::entity::{event, tenant, tenant_config, whatsapp_session, worker_process};
use crate::lock;
use crate::words::{json, value, word};
use crate::{
    NewTenant, SessionRecord, Store, StoreError, TenantChange, TenantRecord, WorkerRecord,
};

impl Store {
    /// Makes a tenant: all its rows, or none.
    ///
    /// # Errors
    /// [`StoreError::PhoneTaken`], [`StoreError::Database`].
    pub async fn create(&self, new: NewTenant) -> Result<TenantRecord, StoreError> {
        let transaction = self.db.begin().await?;
        lock::names(&transaction).await?;
        let now = Utc::now();
        // The first statement writes, so that SQLite lets no second writer in between what we look
        // up and what we insert. The slug is a placeholder until then.
        let mut row = tenant::ActiveModel {
            id: Set(new.id.0),
            name: Set(new.name),
            slug: Set(new.id.to_string()),
            phone: Set(None),
            status: Set(word(TenantStatus::New)?),
            pair_epoch: Set(0),
            created_at: Set(now),
            updated_at: Set(now),
        }
        .insert(&transaction)
        .await?
        .into_active_model();
        if let Some(phone) = new.phone {
            phone_is_free(&transaction, new.id, &phone).await?;
            row.phone = Set(Some(phone.into()));
        }
        row.slug = Set(free_slug(&transaction, &new.slug_base).await?);
        row.update(&transaction).await?;
        config_row(new.id, &new.config, 1)?.insert(&transaction).await?;
        session_row(new.id)?.insert(&transaction).await?;
        worker_row(new.id, new.worker_name, new.runtime)?.insert(&transaction).await?;
        let record = one(&transaction, new.id).await?;
        transaction.commit().await?;
        Ok(record)
    }

    /// The tenant with this id.
    ///
    /// # Errors
    /// [`StoreError::UnknownTenant`], [`StoreError::Database`].
    pub async fn tenant(&self, id: TenantId) -> Result<TenantRecord, StoreError> {
        one(&self.db.view().await?, id).await
    }

    /// All tenants, oldest first, in four queries.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn tenants(&self) -> Result<Vec<TenantRecord>, StoreError> {
        fn by_tenant<M>(rows: Vec<M>, id: impl Fn(&M) -> Uuid) -> HashMap<Uuid, M> {
            rows.into_iter().map(|row| (id(&row), row)).collect()
        }
        // One view of all tables: a tenant that is deleted meanwhile is there wholly or not at all.
        let db = &self.db.view().await?;
        let tenants = tenant::Entity::find().order_by_asc(tenant::Column::Id).all(db).await?;
        let mut configs = by_tenant(tenant_config::Entity::find().all(db).await?, |c| c.tenant_id);
        let mut sessions =
            by_tenant(whatsapp_session::Entity::find().all(db).await?, |s| s.tenant_id);
        let mut workers = by_tenant(worker_process::Entity::find().all(db).await?, |w| w.tenant_id);
        let mut records = Vec::with_capacity(tenants.len());
        for tenant in tenants {
            let id = tenant.id;
            records.push(record(
                tenant,
                configs.remove(&id),
                sessions.remove(&id),
                workers.remove(&id),
            )?);
        }
        Ok(records)
    }

    /// Changes a tenant: all of the change, or nothing.
    ///
    /// # Errors
    /// [`StoreError::UnknownTenant`], [`StoreError::PhoneTaken`], [`StoreError::Database`].
    pub async fn update(
        &self,
        id: TenantId,
        change: TenantChange,
    ) -> Result<TenantRecord, StoreError> {
        let transaction = self.db.begin().await?;
        lock::names(&transaction).await?;
        touch(&transaction, id).await?;
        let before = one(&transaction, id).await?;
        let renamed = change.name.as_ref().is_some_and(|name| *name != before.name);
        if let Some(Some(phone)) = &change.phone {
            phone_is_free(&transaction, id, phone).await?;
        }
        let mut row = tenant::ActiveModel { id: Set(id.0), ..Default::default() };
        if let Some(name) = change.name {
            row.name = Set(name);
        }
        if let Some(phone) = change.phone {
            row.phone = Set(phone.map(String::from));
        }
        if row.is_changed() {
            row.update(&transaction).await?;
        }
        // The worker knows the name too, so a new one is a new version of what it is told.
        let config = change.config.unwrap_or_else(|| before.config.clone());
        if renamed || config != before.config {
            config_row(id, &config, before.config_version + 1)?.update(&transaction).await?;
        }
        let record = one(&transaction, id).await?;
        transaction.commit().await?;
        Ok(record)
    }

    /// Deletes a tenant and everything of it but its entries in the audit log.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn delete(&self, id: TenantId) -> Result<(), StoreError> {
        // All its messages go with it.
        let transaction = self.db.begin_long().await?;
        tenant::Entity::delete_by_id(id.0).exec(&transaction).await?;
        event::Entity::delete_many()
            .filter(event::Column::TenantId.eq(id.0))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Writes where tenants stand, some thousands at most, all in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn record_statuses(
        &self,
        statuses: &[(TenantId, TenantStatus)],
    ) -> Result<(), StoreError> {
        let mut by_status: BTreeMap<String, Vec<Uuid>> = BTreeMap::new();
        for (tenant, status) in statuses {
            by_status.entry(word(*status)?).or_default().push(tenant.0);
        }
        let transaction = self.db.begin().await?;
        for (status, tenants) in by_status {
            tenant::Entity::update_many()
                .col_expr(tenant::Column::Status, Expr::value(status))
                .filter(tenant::Column::Id.is_in(tenants))
                .exec(&transaction)
                .await?;
        }
        Ok(transaction.commit().await?)
    }
}

async fn phone_is_free(
    db: &Transaction,
    id: TenantId,
    phone: &api::Phone,
) -> Result<(), StoreError> {
    let others = tenant::Entity::find()
        .filter(tenant::Column::Phone.eq(phone.as_str()).and(tenant::Column::Id.ne(id.0)))
        .count(db)
        .await?;
    if others == 0 { Ok(()) } else { Err(StoreError::PhoneTaken(phone.clone())) }
}

/// `base`, or the first of `base-2`, `base-3`, … that nobody has.
async fn free_slug(db: &Transaction, base: &str) -> Result<String, DbErr> {
    let mut slug = base.to_owned();
    let mut number = 1;
    while tenant::Entity::find().filter(tenant::Column::Slug.eq(&slug)).count(db).await? > 0 {
        number += 1;
        slug = format!("{base}-{number}");
    }
    Ok(slug)
}

pub(super) async fn one(
    db: &impl ConnectionTrait,
    id: TenantId,
) -> Result<TenantRecord, StoreError> {
    let tenant = tenant::Entity::find_by_id(id.0).one(db).await?;
    let tenant = tenant.ok_or(StoreError::UnknownTenant(id))?;
    let config = tenant_config::Entity::find_by_id(id.0).one(db).await?;
    let session = whatsapp_session::Entity::find_by_id(id.0).one(db).await?;
    let worker = worker_process::Entity::find_by_id(id.0).one(db).await?;
    Ok(record(tenant, config, session, worker)?)
}

fn config_row(
    id: TenantId,
    config: &TenantConfig,
    version: u64,
) -> Result<tenant_config::ActiveModel, DbErr> {
    let json = |value: serde_json::Result<serde_json::Value>| {
        value.map_err(|error| DbErr::Type(error.to_string()))
    };
    let rate_limit = i32::try_from(config.rate_limit_max_per_minute).unwrap_or(i32::MAX);
    Ok(tenant_config::ActiveModel {
        tenant_id: Set(id.0),
        version: Set(version.cast_signed()),
        greeting: Set(config.greeting.clone()),
        rate_limit_max_per_minute: Set(rate_limit),
        command: Set(config
            .command
            .as_ref()
            .map(|command| json(serde_json::to_value(command)))
            .transpose()?),
        cwd: Set(config.cwd.clone()),
        env: Set(json(serde_json::to_value(&config.env))?),
        heartbeat: Set(word(config.heartbeat)?),
        // Rules and pacing have their own way, and stay.
        ..Default::default()
    })
}

fn session_row(id: TenantId) -> Result<whatsapp_session::ActiveModel, DbErr> {
    Ok(whatsapp_session::ActiveModel {
        tenant_id: Set(id.0),
        state: Set(word(SessionState::Disconnected)?),
        paired: Set(false),
        jid: Set(None),
        connected_at: Set(None),
        link_store_id: Set(None),
        link_seq: Set(0),
    })
}

fn worker_row(
    id: TenantId,
    name: String,
    runtime: RuntimeKind,
) -> Result<worker_process::ActiveModel, DbErr> {
    Ok(worker_process::ActiveModel {
        tenant_id: Set(id.0),
        name: Set(name),
        runtime: Set(word(runtime)?),
        desired: Set(word(DesiredState::Stopped)?),
        generation: Set(0),
        failed_generation: Set(None),
        status: Set(word(WorkerStatus::Stopped)?),
        pid: Set(None),
        started_at: Set(None),
        restarts: Set(0),
        last_seen_at: Set(None),
        last_error: Set(None),
    })
}

fn record(
    tenant: tenant::Model,
    config: Option<tenant_config::Model>,
    session: Option<whatsapp_session::Model>,
    worker: Option<worker_process::Model>,
) -> Result<TenantRecord, DbErr> {
    let missing =
        |table: &str| DbErr::RecordNotFound(format!("tenant {} has no row in {table}", tenant.id));
    let config = config.ok_or_else(|| missing("tenant_config"))?;
    let session = session.ok_or_else(|| missing("whatsapp_session"))?;
    let worker = worker.ok_or_else(|| missing("worker_process"))?;
    let phone = tenant.phone.map(|phone| json(serde_json::Value::String(phone))).transpose()?;
    Ok(TenantRecord {
        id: TenantId(tenant.id),
        name: tenant.name,
        slug: tenant.slug,
        phone,
        status: value(&tenant.status)?,
        config: TenantConfig {
            greeting: config.greeting,
            rate_limit_max_per_minute: config.rate_limit_max_per_minute.cast_unsigned(),
            command: config.command.map(json).transpose()?,
            cwd: config.cwd,
            env: json(config.env)?,
            heartbeat: value(&config.heartbeat)?,
        },
        config_version: config.version.cast_unsigned(),
        rules: config.rules.map(Arc::new),
        webhook_secret: config.webhook_secret.map(WebhookSecret),
        pacing: config.pacing.map(json).transpose()?.unwrap_or_default(),
        worker: WorkerRecord {
            name: worker.name,
            runtime: value(&worker.runtime)?,
            desired: value(&worker.desired)?,
            generation: worker.generation.cast_unsigned(),
            failed_generation: worker.failed_generation.map(i64::cast_unsigned),
            status: value(&worker.status)?,
            pid: worker.pid.and_then(|pid| pid.try_into().ok()),
            started_at: worker.started_at,
            restarts: worker.restarts.cast_unsigned(),
            last_seen_at: worker.last_seen_at,
            last_error: worker.last_error,
        },
        session: SessionRecord {
            state: value(&session.state)?,
            paired: session.paired,
            jid: session.jid,
            connected_at: session.connected_at,
        },
        pair_epoch: tenant.pair_epoch.cast_unsigned(),
        created_at: tenant.created_at,
        updated_at: tenant.updated_at,
    })
}
