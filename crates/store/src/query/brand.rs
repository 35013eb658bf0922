//! How the operator appears to tenants.

use chrono::Utc;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait as _;
use sea_orm::sea_query::OnConflict;

use crate::entity::brand::{ActiveModel, Column, Entity, ROW};
use crate::{BrandRecord, Logo, Store, StoreError};

impl Store {
    /// What was set; none as long as nothing was.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn brand(&self) -> Result<Option<BrandRecord>, StoreError> {
        let row = Entity::find_by_id(ROW).one(&self.db).await?;
        Ok(row.map(|row| {
            let logo = row.logo_kind.zip(row.logo);
            let logo = logo.map(|(kind, bytes)| Logo { kind, bytes });
            BrandRecord { name: row.name, colour: row.colour, logo }
        }))
    }

    /// Keeps what is set from now on, all of it.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_brand(&self, brand: &BrandRecord) -> Result<(), StoreError> {
        let row = ActiveModel {
            id: Set(ROW),
            name: Set(brand.name.clone()),
            colour: Set(brand.colour.clone()),
            logo_kind: Set(brand.logo.as_ref().map(|logo| logo.kind.clone())),
            logo: Set(brand.logo.as_ref().map(|logo| logo.bytes.clone())),
            changed_at: Set(Utc::now()),
        };
        let columns =
            [Column::Name, Column::Colour, Column::LogoKind, Column::Logo, Column::ChangedAt];
        let replace = OnConflict::column(Column::Id).update_columns(columns).to_owned();
        Entity::insert(row).on_conflict(replace).exec_without_returning(&self.db).await?;
        Ok(())
    }
}
