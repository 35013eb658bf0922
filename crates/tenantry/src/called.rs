//! The name by which this program was called. Through a link or a copy named `pm2` it is PM2.

use std::ffi::OsStr;
use std::path::Path;

/// By which name this program was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    /// Its own name, or any that means nothing.
    Tenantry,
    /// `pm2`: PM2's commands on PM2's home.
    Pm2,
    /// `pm2-runtime` or `pm2-docker`: one application file in the foreground.
    Pm2Runtime,
}

impl Called {
    /// What the first argument of the process says.
    pub fn by(argument: Option<&OsStr>) -> Self {
        let name = argument.and_then(|path| Path::new(path).file_name()).and_then(OsStr::to_str);
        match name {
            Some("pm2") => Self::Pm2,
            Some("pm2-runtime" | "pm2-docker") => Self::Pm2Runtime,
            Some(_) | None => Self::Tenantry,
        }
    }

    /// The name to put into sentences.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenantry => "tenantry",
            Self::Pm2 => "pm2",
            Self::Pm2Runtime => "pm2-runtime",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::Called;

    #[test]
    fn the_file_name_counts_and_not_the_folder() {
        let called = |text: &str| Called::by(Some(OsStr::new(text)));
        assert_eq!(called("pm2"), Called::Pm2);
        assert_eq!(called("/usr/local/bin/pm2"), Called::Pm2);
        assert_eq!(called("./pm2-docker"), Called::Pm2Runtime);
        assert_eq!(called("/opt/pm2/tenantry"), Called::Tenantry);
        assert_eq!(called("pm2x"), Called::Tenantry);
        assert_eq!(Called::by(None), Called::Tenantry);
    }
}
