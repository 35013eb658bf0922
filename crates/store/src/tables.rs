//! Every table of the schema, in an order in which rows can be inserted: what is referred to comes first.
//!
//! What copies a whole database goes by this list; a test holds it against the schema.

use sea_orm::sea_query::ColumnType;
use sea_orm::{
    ColumnTrait as _, EntityTrait, IdenStatic as _, Iterable as _, PrimaryKeyToColumn as _,
    PrimaryKeyTrait as _,
};
use serde::{Deserialize, Serialize};

use crate::entity;

/// A table, as it is said to whoever copies its rows without knowing what they mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in the order in which a [`Row`](crate::Row) has their values.
    pub columns: Vec<Column>,
    /// The columns of its primary key.
    pub key: Vec<String>,
    /// The column that the database numbers by itself, if one is.
    pub numbered: Option<String>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A UUID.
    Uuid,
    /// A text.
    Text,
    /// A number of 16 bits.
    Small,
    /// A number of 32 bits.
    Integer,
    /// A number of 64 bits.
    Big,
    /// A number with a fraction.
    Double,
    /// Yes or no.
    Boolean,
    /// A moment.
    Time,
    /// A JSON document.
    Json,
    /// Bytes.
    Bytes,
}

/// All tables.
#[must_use]
pub fn tables() -> Vec<Table> {
    vec![
        describe::<entity::installation_key::Entity>(),
        describe::<entity::brand::Entity>(),
        describe::<entity::tenant::Entity>(),
        describe::<entity::user::Entity>(),
        describe::<entity::tenant_config::Entity>(),
        describe::<entity::worker_process::Entity>(),
        describe::<entity::whatsapp_session::Entity>(),
        describe::<entity::membership::Entity>(),
        describe::<entity::browser_session::Entity>(),
        describe::<entity::one_time_link::Entity>(),
        describe::<entity::api_key::Entity>(),
        describe::<entity::outgoing::Entity>(),
        describe::<entity::upload::Entity>(),
        describe::<entity::message_log::Entity>(),
        describe::<entity::event::Entity>(),
        describe::<entity::event_head::Entity>(),
        describe::<entity::audit_log::Entity>(),
        describe::<entity::audit_head::Entity>(),
        describe::<entity::deletion::Entity>(),
    ]
}

fn describe<E: EntityTrait>() -> Table {
    let columns = E::Column::iter().map(|column| {
        let definition = column.def();
        let kind = kind(definition.get_column_type()).unwrap_or(Kind::Text);
        Column { name: column.as_str().to_owned(), kind }
    });
    let key: Vec<String> =
        E::PrimaryKey::iter().map(|key| key.into_column().as_str().to_owned()).collect();
    let numbered = E::PrimaryKey::auto_increment().then(|| key.first().cloned()).flatten();
    Table { name: E::default().table_name().to_owned(), columns: columns.collect(), key, numbered }
}

fn kind(column: &ColumnType) -> Option<Kind> {
    Some(match column {
        ColumnType::Uuid => Kind::Uuid,
        ColumnType::Char(_) | ColumnType::String(_) | ColumnType::Text => Kind::Text,
        ColumnType::SmallInteger => Kind::Small,
        ColumnType::Integer => Kind::Integer,
        ColumnType::BigInteger => Kind::Big,
        ColumnType::Float | ColumnType::Double => Kind::Double,
        ColumnType::Boolean => Kind::Boolean,
        ColumnType::DateTime | ColumnType::Timestamp | ColumnType::TimestampWithTimeZone => {
            Kind::Time
        }
        ColumnType::Json | ColumnType::JsonBinary => Kind::Json,
        ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => Kind::Bytes,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kind that is not known would be taken for text, and the copy of such a table fail.
    fn every_kind_is_known<E: EntityTrait>() {
        for column in E::Column::iter() {
            let definition = column.def();
            assert!(kind(definition.get_column_type()).is_some(), "{}", column.as_str());
        }
    }

    #[test]
    fn all_kinds_of_columns_are_known() {
        every_kind_is_known::<entity::brand::Entity>();
        every_kind_is_known::<entity::tenant::Entity>();
        every_kind_is_known::<entity::tenant_config::Entity>();
        every_kind_is_known::<entity::worker_process::Entity>();
        every_kind_is_known::<entity::user::Entity>();
        every_kind_is_known::<entity::event::Entity>();
        every_kind_is_known::<entity::audit_log::Entity>();
        every_kind_is_known::<entity::outgoing::Entity>();
        every_kind_is_known::<entity::message_log::Entity>();
        every_kind_is_known::<entity::upload::Entity>();
        every_kind_is_known::<entity::api_key::Entity>();
        every_kind_is_known::<entity::browser_session::Entity>();
    }
}
