//! Enumerations as the words that the API says, in both directions.

use sea_orm::DbErr;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The word of a value of a unit-only enumeration.
pub(crate) fn word<T: Serialize>(value: T) -> Result<String, DbErr> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(other) => Err(DbErr::Type(format!("{other} is no word"))),
        Err(error) => Err(DbErr::Type(error.to_string())),
    }
}

/// The value of a word. A word that is not known comes from a damaged or newer database.
pub(crate) fn value<T: DeserializeOwned>(word: &str) -> Result<T, DbErr> {
    json(serde_json::Value::String(word.to_owned()))
}

/// The value of a JSON column.
pub(crate) fn json<T: DeserializeOwned>(column: serde_json::Value) -> Result<T, DbErr> {
    serde_json::from_value(column).map_err(|error| DbErr::Type(error.to_string()))
}
