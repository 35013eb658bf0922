//! The audit log: entries are added to a chain, listed, and verified.

use api::audit::{AuditVerification, AuditView, BrokenEntry};
use api::events::{KindFilter, KindPattern};
use api::records::Page;
use api::tenant::TenantId;
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, LikeExpr};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, DbErr, EntityTrait as _, ExprTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
};

use super::records::page;
use crate::chain::{Link, START};
use crate::db::Transaction;
use crate::entity::audit_head;
use crate::entity::audit_log::{ActiveModel, Column, Entity, Model};
use crate::event::{micros, plain};
use crate::{NewAudit, Store, StoreError};

/// Entries that are read at once.
const PAGE: u64 = 1000;
/// The longest text in an entry, in bytes.
const MAX_TEXT: usize = 16 * 1024;

/// Which entries are asked for; what is `None` matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditSelection {
    /// About this tenant.
    pub tenant: Option<TenantId>,
    /// By this actor.
    pub actor: Option<String>,
    /// Of these actions.
    pub actions: KindFilter,
    /// With this result.
    pub result: Option<String>,
    /// Not before.
    pub since: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
}

impl Store {
    /// Writes an entry of the audit log.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn append_audit(&self, new: NewAudit) -> Result<(), StoreError> {
        let transaction = self.db.begin().await?;
        append(&transaction, new).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The entries before number `before`, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn audit(
        &self,
        selection: &AuditSelection,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Page<AuditView>, StoreError> {
        let rows = selected(selection)
            .filter(Column::Seq.lt(before.unwrap_or(i64::MAX)))
            .order_by_desc(Column::Seq)
            .limit(limit.saturating_add(1))
            .all(&self.db)
            .await?;
        page(rows, limit, |row| row.seq, |row| Ok(view(row)))
    }

    /// The entries after number `after`, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn audit_after(
        &self,
        selection: &AuditSelection,
        after: i64,
        limit: u64,
    ) -> Result<Page<AuditView>, StoreError> {
        let rows = selected(selection)
            .filter(Column::Seq.gt(after))
            .order_by_asc(Column::Seq)
            .limit(limit.saturating_add(1))
            .all(&self.db)
            .await?;
        page(rows, limit, |row| row.seq, |row| Ok(view(row)))
    }

    /// Computes the chain anew from the first entry to the newest, and looks for the entry with the hash `known`.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn verify_audit(&self, known: Option<&str>) -> Result<AuditVerification, StoreError> {
        let head = || audit_head::Entity::find_by_id(audit_head::ROW).one(&self.db);
        let mut walk = Walk::new(known, head().await?.ok_or_else(gone)?);
        while walk.broken.is_none() {
            let rows = Entity::find()
                .filter(Column::Seq.gt(walk.seq))
                .order_by_asc(Column::Seq)
                .limit(PAGE)
                .all(&self.db)
                .await?;
            if rows.is_empty() {
                break;
            }
            rows.iter().for_each(|row| walk.step(row));
        }
        // Others may have added entries meanwhile, and the head goes with them.
        Ok(walk.end(&head().await?.ok_or_else(gone)?))
    }
}

/// A walk along the chain.
struct Walk<'k> {
    known: Option<&'k str>,
    known_seq: Option<i64>,
    /// The newest entry before the walk.
    head: audit_head::Model,
    entries: u64,
    seq: i64,
    hash: String,
    broken: Option<BrokenEntry>,
}

impl<'k> Walk<'k> {
    fn new(known: Option<&'k str>, head: audit_head::Model) -> Self {
        let hash = START.to_owned();
        // No entry of ours has a number below 1: one that has was put in.
        let seq = i64::MIN;
        Self { known, known_seq: None, head, entries: 0, seq, hash, broken: None }
    }

    fn step(&mut self, row: &Model) {
        if self.broken.is_some() {
            return;
        }
        let link = Link {
            seq: row.seq,
            at: row.at,
            actor: &row.actor,
            action: &row.action,
            tenant: row.tenant_id,
            result: &row.result,
            detail: &row.detail,
            prev: &row.prev_hash,
        };
        let reason = if row.prev_hash != self.hash {
            Some(match (self.entries, self.seq) {
                (0, _) => "it is not the first: what was before it is missing".to_owned(),
                (_, last) => format!(
                    "it does not follow entry {last}: one between them is missing, or was changed"
                ),
            })
        } else if link.hash() != row.hash {
            Some("it was changed after it was written".to_owned())
        } else if row.seq == self.head.seq && row.hash != self.head.hash {
            Some("it is not the one that was written last".to_owned())
        } else {
            None
        };
        if let Some(reason) = reason {
            self.broken = Some(BrokenEntry { seq: row.seq, reason });
            return;
        }
        self.entries += 1;
        (self.seq, self.hash) = (row.seq, row.hash.clone());
        if self.known.is_some_and(|known| known.eq_ignore_ascii_case(&row.hash)) {
            self.known_seq = Some(row.seq);
        }
    }

    /// `later` is the newest entry after the walk.
    fn end(mut self, later: &audit_head::Model) -> AuditVerification {
        let seq = if self.entries == 0 { 0 } else { self.seq };
        if self.broken.is_none() && (seq < self.head.seq || seq > later.seq) {
            let wanted = if seq < self.head.seq { self.head.seq } else { later.seq };
            let reason = format!("the newest entry should be {wanted}, and is {seq}");
            self.broken = Some(BrokenEntry { seq: Ord::max(seq, wanted), reason });
        }
        AuditVerification {
            ok: self.broken.is_none() && (self.known.is_none() || self.known_seq.is_some()),
            entries: self.entries,
            head_seq: seq,
            head: self.hash,
            broken: self.broken,
            known_seq: self.known_seq,
        }
    }
}

/// Adds an entry to the chain. The last thing that a transaction does: others wait until it ends.
pub(super) async fn append(transaction: &Transaction, new: NewAudit) -> Result<(), DbErr> {
    use audit_head::Column as Head;
    // The write comes first: it lets nobody else in until the transaction ends.
    audit_head::Entity::update_many()
        .col_expr(Head::Seq, Expr::col(Head::Seq).add(1))
        .filter(Head::Id.eq(audit_head::ROW))
        .exec(transaction)
        .await?;
    let head = audit_head::Entity::find_by_id(audit_head::ROW).one(transaction).await?;
    let head = head.ok_or_else(gone)?;
    let (actor, action) = (plain(&new.actor, MAX_TEXT), plain(&new.action, MAX_TEXT));
    let (result, detail) = (plain(&new.result, MAX_TEXT), plain(&new.detail, MAX_TEXT));
    let at = micros(Utc::now());
    let tenant = new.tenant.map(|tenant| tenant.0);
    let hash = Link {
        seq: head.seq,
        at,
        actor: &actor,
        action: &action,
        tenant,
        result: &result,
        detail: &detail,
        prev: &head.hash,
    }
    .hash();
    let row = ActiveModel {
        seq: Set(head.seq),
        actor: Set(actor),
        action: Set(action),
        tenant_id: Set(tenant),
        result: Set(result),
        detail: Set(detail),
        at: Set(at),
        prev_hash: Set(head.hash),
        hash: Set(hash.clone()),
    };
    row.insert(transaction).await?;
    audit_head::Entity::update_many()
        .col_expr(Head::Hash, Expr::value(hash))
        .filter(Head::Id.eq(audit_head::ROW))
        .exec(transaction)
        .await?;
    Ok(())
}

fn gone() -> DbErr {
    DbErr::RecordNotFound("the row of audit_head".to_owned())
}

fn selected(selection: &AuditSelection) -> Select<Entity> {
    let mut query = Entity::find();
    if let Some(tenant) = selection.tenant {
        query = query.filter(Column::TenantId.eq(tenant.0));
    }
    if let Some(actor) = &selection.actor {
        query = query.filter(Column::Actor.eq(actor.as_str()));
    }
    if let Some(result) = &selection.result {
        query = query.filter(Column::Result.eq(result.as_str()));
    }
    if let Some(since) = selection.since {
        query = query.filter(Column::At.gte(since));
    }
    if let Some(until) = selection.until {
        query = query.filter(Column::At.lt(until));
    }
    match kinds(Column::Action, &selection.actions) {
        Some(any) => query.filter(any),
        None => query,
    }
}

/// The condition that a column is of one of these kinds; `None`: every kind will do.
pub(super) fn kinds<C: sea_orm::ColumnTrait>(column: C, filter: &KindFilter) -> Option<Condition> {
    if filter.patterns().is_empty() {
        return None;
    }
    let mut any = Condition::any();
    for pattern in filter.patterns() {
        any = any.add(match pattern {
            KindPattern::Exactly(kind) => column.eq(kind.as_str()),
            KindPattern::Under(group) => {
                let literal = group.replace('_', "\\_");
                Expr::col(column).like(LikeExpr::new(format!("{literal}%")).escape('\\'))
            }
        });
    }
    Some(any)
}

fn view(row: Model) -> AuditView {
    AuditView {
        seq: row.seq,
        actor: row.actor,
        action: row.action,
        tenant_id: row.tenant_id.map(TenantId),
        result: row.result,
        detail: row.detail,
        at: row.at,
        prev_hash: row.prev_hash,
        hash: row.hash,
    }
}
