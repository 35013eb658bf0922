//! How the value of each kind of field is read and written, and what its JSON Schema is.

mod confine;
mod lists;
mod plain;
mod probe;
mod rlimit;
mod units;
mod variables;

use serde_json::Value;

pub use confine::Confine;
pub use lists::{Codes, FilterEnv, Instances, LogFile, Watch, Words};
pub use plain::{Anything, ExecMode, Percent};
pub use probe::{Alive, Ready};
pub use rlimit::Rlimits;
pub use units::{Bytes, Millis};
pub use variables::{Variables, text_of};

/// A kind of value that a field can have.
pub(crate) trait FieldValue: Sized {
    /// What is acceptable, to follow "must be".
    const EXPECTS: &'static str;
    /// The same in a word or two, for the reference.
    const KIND: &'static str;

    /// Reads it.
    ///
    /// # Errors
    /// What is wrong, to follow the field's name: `must be …`.
    fn read(value: &Value) -> Result<Self, String>;

    /// Writes it so that [`FieldValue::read`] gives the same again.
    fn write(&self) -> Value;

    /// The JSON Schema of what [`FieldValue::read`] accepts.
    fn schema() -> Value;
}

/// What to say of a value that is of the wrong kind.
fn unexpected<T: FieldValue>(value: &Value) -> String {
    format!("must be {}, not {}", T::EXPECTS, brief(value))
}

/// A value as an error shows it: never a page full.
fn brief(value: &Value) -> String {
    const MOST: usize = 60;
    let text = value.to_string();
    if text.chars().count() <= MOST {
        return text;
    }
    let start: String = text.chars().take(MOST).collect();
    format!("{start}…")
}

/// A whole number that is not negative: `5`, `5.0` or `"5"`.
fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let float = number.as_f64()?;
            // Above this a float has lost what makes it whole.
            let fits = (0.0..=9_007_199_254_740_992.0).contains(&float) && float.fract() == 0.0;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            fits.then_some(float as u64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests;
