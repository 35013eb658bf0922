//! One row of any table: read from either database, as a line of JSON, and summed up in the same way wherever
//! it is.

use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::{DbErr, QueryResult, TryGetable, Value};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::tables::{Kind, Table};

/// A row: a value for each column of its [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub struct Row(pub(crate) Vec<Value>);

/// A line that is no row of its table.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RowError(String);

impl Row {
    /// Reads a row that was selected with all columns of `table`, in their order.
    pub(crate) fn read(result: &QueryResult, table: &Table) -> Result<Self, DbErr> {
        let values = table.columns.iter().enumerate().map(|(at, column)| {
            Ok(match column.kind {
                Kind::Uuid => Value::Uuid(get(result, at)?),
                Kind::Text => Value::String(get(result, at)?),
                Kind::Small => Value::SmallInt(get(result, at)?),
                Kind::Integer => Value::Int(get(result, at)?),
                Kind::Big => Value::BigInt(get(result, at)?),
                Kind::Double => Value::Double(get(result, at)?),
                Kind::Boolean => Value::Bool(get(result, at)?),
                Kind::Time => Value::ChronoDateTimeUtc(get(result, at)?),
                Kind::Json => Value::Json(get::<Json>(result, at)?.map(Box::new)),
                Kind::Bytes => Value::Bytes(get(result, at)?),
            })
        });
        values.collect::<Result<_, DbErr>>().map(Self)
    }

    /// The row as one line of JSON, without the line break.
    #[must_use]
    pub fn to_json(&self) -> String {
        Json::Array(self.0.iter().map(|value| json(value, SecondsFormat::AutoSi)).collect())
            .to_string()
    }

    /// Reads such a line.
    ///
    /// # Errors
    /// [`RowError`] when it is none of this table.
    pub fn from_json(line: &str, table: &Table) -> Result<Self, RowError> {
        let values: Vec<Json> =
            serde_json::from_str(line).map_err(|error| RowError(error.to_string()))?;
        if values.len() != table.columns.len() {
            let (found, expected) = (values.len(), table.columns.len());
            return Err(RowError(format!("it has {found} values in the place of {expected}")));
        }
        let values = values.into_iter().zip(&table.columns).map(|(value, column)| {
            let wrong = || RowError(format!("column {} holds something else", column.name));
            parse(value, column.kind).ok_or_else(wrong)
        });
        values.collect::<Result<_, _>>().map(Self)
    }

    /// The first 128 bits of the SHA-256 of the row in the form that both databases give it: moments to the
    /// microsecond, objects with their fields in order, no NUL in texts.
    pub(crate) fn sum(&self) -> u128 {
        let values =
            self.0.iter().map(|value| canonical(json(value, SecondsFormat::Micros))).collect();
        let digest = Sha256::digest(Json::Array(values).to_string().as_bytes());
        digest.iter().take(16).fold(0, |sum, byte| (sum << 8) | u128::from(*byte))
    }
}

fn get<T: TryGetable>(result: &QueryResult, at: usize) -> Result<Option<T>, DbErr> {
    result.try_get_by_index(at)
}

fn json(value: &Value, moments: SecondsFormat) -> Json {
    match value {
        Value::Uuid(Some(id)) => id.to_string().into(),
        Value::String(Some(text)) => text.clone().into(),
        Value::SmallInt(Some(number)) => (*number).into(),
        Value::Int(Some(number)) => (*number).into(),
        Value::BigInt(Some(number)) => (*number).into(),
        Value::Double(Some(number)) => (*number).into(),
        Value::Bool(Some(yes)) => (*yes).into(),
        Value::ChronoDateTimeUtc(Some(at)) => at.to_rfc3339_opts(moments, true).into(),
        // Within a list, so that the document `null` is not taken for none.
        Value::Json(Some(document)) => Json::Array(vec![(**document).clone()]),
        Value::Bytes(Some(bytes)) => hex::encode(bytes).into(),
        _ => Json::Null,
    }
}

fn parse(value: Json, kind: Kind) -> Option<Value> {
    if value.is_null() {
        return Some(none(kind));
    }
    Some(match kind {
        Kind::Uuid => Value::Uuid(Some(value.as_str()?.parse::<Uuid>().ok()?)),
        Kind::Text => match value {
            Json::String(text) => Value::String(Some(text)),
            _ => return None,
        },
        Kind::Small => Value::SmallInt(Some(value.as_i64()?.try_into().ok()?)),
        Kind::Integer => Value::Int(Some(value.as_i64()?.try_into().ok()?)),
        Kind::Big => Value::BigInt(Some(value.as_i64()?)),
        Kind::Double => Value::Double(Some(value.as_f64()?)),
        Kind::Boolean => Value::Bool(Some(value.as_bool()?)),
        Kind::Time => {
            Value::ChronoDateTimeUtc(Some(value.as_str()?.parse::<DateTime<Utc>>().ok()?))
        }
        Kind::Json => match value {
            Json::Array(mut one) if one.len() == 1 => Value::Json(one.pop().map(Box::new)),
            _ => return None,
        },
        Kind::Bytes => Value::Bytes(Some(hex::decode(value.as_str()?).ok()?)),
    })
}

fn none(kind: Kind) -> Value {
    match kind {
        Kind::Uuid => Value::Uuid(None),
        Kind::Text => Value::String(None),
        Kind::Small => Value::SmallInt(None),
        Kind::Integer => Value::Int(None),
        Kind::Big => Value::BigInt(None),
        Kind::Double => Value::Double(None),
        Kind::Boolean => Value::Bool(None),
        Kind::Time => Value::ChronoDateTimeUtc(None),
        Kind::Json => Value::Json(None),
        Kind::Bytes => Value::Bytes(None),
    }
}

/// The same for all that PostgreSQL takes for the same.
fn canonical(value: Json) -> Json {
    match value {
        Json::String(text) => Json::String(without_nul(text)),
        Json::Array(items) => Json::Array(items.into_iter().map(canonical).collect()),
        Json::Object(fields) => {
            let mut fields: Vec<_> = fields
                .into_iter()
                .map(|(name, value)| (without_nul(name), canonical(value)))
                .collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(fields.into_iter().collect())
        }
        value => value,
    }
}

/// What cannot stand in a text of PostgreSQL is stored as this on both databases.
fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Column;

    fn table(kinds: &[Kind]) -> Table {
        let columns = kinds.iter().map(|kind| Column { name: "a".into(), kind: *kind }).collect();
        Table { name: "t".into(), columns, key: vec!["a".into()], numbered: None }
    }

    const ALL: [Kind; 10] = [
        Kind::Uuid,
        Kind::Text,
        Kind::Small,
        Kind::Integer,
        Kind::Big,
        Kind::Double,
        Kind::Boolean,
        Kind::Time,
        Kind::Json,
        Kind::Bytes,
    ];

    #[test]
    fn every_kind_survives_its_line() {
        let table = table(&ALL);
        let full = Row(vec![
            Value::Uuid(Some(Uuid::now_v7())),
            Value::String(Some("a\0\"\n\u{1f600}".into())),
            Value::SmallInt(Some(i16::MIN)),
            Value::Int(Some(i32::MIN)),
            Value::BigInt(Some(i64::MAX)),
            Value::Double(Some(0.1)),
            Value::Bool(Some(true)),
            Value::ChronoDateTimeUtc(Some("2026-01-02T03:04:05.123456789Z".parse().unwrap())),
            Value::Json(Some(Box::new(Json::Null))),
            Value::Bytes(Some(vec![0, 255])),
        ]);
        let empty = Row(ALL.map(none).to_vec());
        for row in [full, empty] {
            assert_eq!(Row::from_json(&row.to_json(), &table).unwrap(), row);
        }
    }

    #[test]
    fn a_line_of_something_else_is_refused() {
        for (kind, value) in ALL.into_iter().map(|kind| (kind, "{}")) {
            assert!(Row::from_json(&format!("[{value}]"), &table(&[kind])).is_err(), "{kind:?}");
        }
        assert!(Row::from_json("[1, 2]", &table(&[Kind::Big])).is_err());
        assert!(Row::from_json("[40000]", &table(&[Kind::Small])).is_err());
        assert!(Row::from_json("no", &table(&[Kind::Big])).is_err());
    }

    #[test]
    fn the_sum_is_of_what_both_databases_keep() {
        let moment = |text: &str| Row(vec![Value::ChronoDateTimeUtc(text.parse().ok())]).sum();
        assert_eq!(moment("2026-01-02T03:04:05.123456789Z"), moment("2026-01-02T03:04:05.123456Z"));
        assert_ne!(moment("2026-01-02T03:04:05.123456Z"), moment("2026-01-02T03:04:05.123457Z"));
        let text = |text: &str| Row(vec![Value::String(Some(text.into()))]).sum();
        assert_eq!(text("a\0"), text("a\u{fffd}"));
        assert_ne!(text("a"), text("b"));
        let document = |text: &str| Row(vec![Value::Json(serde_json::from_str(text).ok())]).sum();
        assert_eq!(
            document(r#"{"b":1,"a":{"d":2,"c":3}}"#),
            document(r#"{"a":{"c":3,"d":2},"b":1}"#)
        );
    }
}
