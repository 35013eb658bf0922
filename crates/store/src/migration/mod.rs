//! The history of the schema. A migration that was released is never changed; a new one follows it.

mod m0001_first;
mod m0002_runtime;
mod m0003_rules;
mod m0004_outgoing;
mod m0005_pacing;
mod m0006_deletions;
mod m0007_people;
mod m0008_events;
mod m0009_audit_chain;
mod m0010_chats;
mod m0011_brand_and_pair_links;

use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait};

/// All migrations, oldest first.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_first::Migration),
            Box::new(m0002_runtime::Migration),
            Box::new(m0003_rules::Migration),
            Box::new(m0004_outgoing::Migration),
            Box::new(m0005_pacing::Migration),
            Box::new(m0006_deletions::Migration),
            Box::new(m0007_people::Migration),
            Box::new(m0008_events::Migration),
            Box::new(m0009_audit_chain::Migration),
            Box::new(m0010_chats::Migration),
            Box::new(m0011_brand_and_pair_links::Migration),
        ]
    }
}
