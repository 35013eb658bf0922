//! Telephone numbers in E.164 form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A telephone number in E.164 form: `+`, then 8 to 15 digits of which the first is not 0.
///
/// Spaces, hyphens, dots and parentheses are accepted when parsing and dropped; letters are not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

/// Why a text is no telephone number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// The text does not start with `+`.
    #[error("must start with + and the country code, as in +254700000001")]
    NoCountryCode,
    /// The text holds something that is neither a digit nor a separator.
    #[error("may hold digits and spaces only after the +")]
    NotDigits,
    /// The number has fewer than 8 or more than 15 digits (the bound of E.164), or starts with 0.
    #[error("must have 8 to 15 digits, the first of which is not 0")]
    Length,
}

impl Phone {
    /// The digits without the `+`, as WhatsApp writes them in its addresses.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0[1..]
    }

    /// The whole number with its `+`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Phone {
    type Err = PhoneError;

    fn from_str(text: &str) -> Result<Self, PhoneError> {
        let rest = text.trim().strip_prefix('+').ok_or(PhoneError::NoCountryCode)?;
        let mut number = String::from("+");
        for character in rest.chars() {
            match character {
                '0'..='9' => number.push(character),
                ' ' | '-' | '.' | '(' | ')' => {}
                _ => return Err(PhoneError::NotDigits),
            }
        }
        let digits = number.len() - 1;
        if !(8..=15).contains(&digits) || number.as_bytes()[1] == b'0' {
            return Err(PhoneError::Length);
        }
        Ok(Self(number))
    }
}

impl TryFrom<String> for Phone {
    type Error = PhoneError;

    fn try_from(text: String) -> Result<Self, PhoneError> {
        text.parse()
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> Self {
        phone.0
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Phone, PhoneError};

    #[test]
    fn separators_are_dropped() {
        let phone: Phone = "+254 (700) 000-001".parse().unwrap();
        assert_eq!(phone.as_str(), "+254700000001");
        assert_eq!(phone.digits(), "254700000001");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        assert_eq!("0700000001".parse::<Phone>(), Err(PhoneError::NoCountryCode));
        assert_eq!("+25470x000001".parse::<Phone>(), Err(PhoneError::NotDigits));
        assert_eq!("+1234567".parse::<Phone>(), Err(PhoneError::Length));
        assert_eq!("+1234567890123456".parse::<Phone>(), Err(PhoneError::Length));
        assert_eq!("+0123456789".parse::<Phone>(), Err(PhoneError::Length));
        assert_eq!("+٣٣٣٣٣٣٣٣٣٣".parse::<Phone>(), Err(PhoneError::NotDigits));
        assert_eq!("".parse::<Phone>(), Err(PhoneError::NoCountryCode));
    }
}
