//! Texts that must not show.

use std::fmt;

/// What stands in the place of a secret.
const MASK: &str = "********";

/// A text that neither `Debug` nor a log shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text in.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself. Do not log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// The address of the store's database. `Debug` and `Display` mask the password and the parameters
/// in it.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    pub(crate) const fn new(text: String) -> Self {
        Self(text)
    }

    /// The whole address, with its password. Do not log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.as_str();
        // The file of an SQLite database is no secret, whatever characters it is made of.
        let Some((scheme, rest)) = text.split_once("://").filter(|_| !text.starts_with("sqlite:"))
        else {
            return f.write_str(text);
        };
        // The last @, so that a password with an unescaped one does not show in part. Where it is unclear what
        // belongs to the password, nothing is shown.
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, _)) if login.contains('?') => return write!(f, "{scheme}://{MASK}"),
            Some((login, place)) => (Some(login), place),
            None => (None, rest),
        };
        let (place, parameters) = match place.split_once('?') {
            Some((place, _)) => (place, true),
            None => (place, false),
        };
        write!(f, "{scheme}://")?;
        match login.map(|login| login.split_once(':').ok_or(login)) {
            Some(Ok((user, _))) => write!(f, "{user}:{MASK}@")?,
            Some(Err(user)) => write!(f, "{user}@")?,
            None => {}
        }
        f.write_str(place)?;
        if parameters { write!(f, "?{MASK}") } else { Ok(()) }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{DatabaseUrl, Secret};

    #[test]
    fn a_secret_shows_nowhere() {
        let secret = Secret::new("open sesame".to_owned());
        assert!(!format!("{secret:?} {secret}").contains("sesame"));
        assert_eq!(secret.expose(), "open sesame");
    }

    #[test]
    fn a_database_url_shows_all_but_its_password() {
        let cases = [
            ("postgres://me:p@ss:w@db:5432/t", "postgres://me:********@db:5432/t"),
            ("postgres://db/t?password=x", "postgres://db/t?********"),
            ("postgres://db/t?password=x@y", "postgres://********"),
            ("postgres://me:p?w@db/t", "postgres://********"),
            ("postgres://me:p@db/t?sslmode=require", "postgres://me:********@db/t?********"),
            ("postgres://me@db/t", "postgres://me@db/t"),
            ("sqlite:/srv/a@b:c/t.db", "sqlite:/srv/a@b:c/t.db"),
        ];
        for (url, shown) in cases {
            let url = DatabaseUrl::new(url.to_owned());
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), shown);
        }
    }
}
