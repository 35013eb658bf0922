//! Settings of this machine: finds the home, reads the settings file, looks at what the settings
//! name.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::keys::KEYS;
use super::mistake::{Mistake, Mistakes, Source, Warning};
use super::value::{self, Raw};
use super::{Home, Loaded, Sources, check, outside, resolve, variable};

/// The settings file is a few lines; what is longer was not meant.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Loads the settings: `flags` by the setting's name, `env` as [`Sources::env`].
///
/// # Errors
/// All [`Mistakes`] at once.
pub fn load(
    flags: BTreeMap<&str, String>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded, Mistakes> {
    let mut sources = Sources { flags, env, file: None, cwd: cwd()? };
    // Without a home there is no file to read; `resolve` tells why there is none.
    let path = find_home(&sources).ok().map(|(home, _)| Home::new(home).config_file());
    if let Some(path) = path {
        sources.file = read(&path)?.map(|text| (path, text));
    }
    let mut loaded = resolve(&sources)?;
    loaded.warnings.extend(check::machine_warnings(&loaded.settings));
    if let Some((path, _)) = &sources.file {
        loaded.warnings.extend(open_secrets(path, &loaded));
    }
    Ok(loaded)
}

/// Finds the home alone, for programs that need nothing else of the settings.
///
/// # Errors
/// When the home is not set and cannot be told from `HOME`, or is too long for sockets.
pub fn locate_home(
    flag: Option<String>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Home, Mistakes> {
    let flags = flag.map(|home| ("home", home)).into_iter().collect();
    let sources = Sources { flags, env, file: None, cwd: cwd()? };
    let (home, source) = find_home(&sources).map_err(|mistake| Mistakes(vec![mistake]))?;
    let home = Home::new(home);
    match check::long_socket(&home, &source) {
        Some(mistake) => Err(Mistakes(vec![mistake])),
        None => Ok(home),
    }
}

/// The home's absolute path and where it came from.
pub(super) fn find_home(sources: &Sources<'_>) -> Result<(PathBuf, Source), Mistake> {
    let found = KEYS.iter().find(|key| key.name == "home").and_then(|key| {
        outside(sources, key)
            .or_else(|| key.default.map(|default| (default.to_owned(), Source::Default)))
    });
    let (text, source) = found.unwrap_or_else(|| (String::new(), Source::Default));
    let user_home = variable(sources, "HOME").map(PathBuf::from);
    let raw = Raw { text: text.trim(), base: &sources.cwd, user_home: user_home.as_deref() };
    match value::path(&raw) {
        Ok(path) => Ok((path, source)),
        Err(refusal) => Err(Mistake {
            key: "home".to_owned(),
            source,
            problem: refusal.problem,
            remedy: "set TENANTRY_HOME to an absolute path".to_owned(),
        }),
    }
}

fn cwd() -> Result<PathBuf, Mistakes> {
    std::env::current_dir().map_err(|error| {
        Mistakes(vec![Mistake {
            key: "home".to_owned(),
            source: Source::Default,
            problem: format!("the current folder cannot be told: {error}"),
            remedy: "change to a folder that exists".to_owned(),
        }])
    })
}

/// The file's text; `None` when there is no file.
fn read(path: &Path) -> Result<Option<String>, Mistakes> {
    let read = || -> io::Result<String> {
        if std::fs::metadata(path)?.len() > MAX_FILE_BYTES {
            return Err(io::Error::other("it is longer than 1 MiB"));
        }
        std::fs::read_to_string(path)
    };
    match read() {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Mistakes(vec![Mistake {
            key: "settings file".to_owned(),
            source: Source::File { path: path.to_owned(), line: None },
            problem: format!("cannot be read: {error}"),
            remedy: "make it a text file that this user can read, or remove it".to_owned(),
        }])),
    }
}

/// A warning when secrets stand in a file that others can read.
fn open_secrets(path: &Path, loaded: &Loaded) -> Option<Warning> {
    let secret = KEYS.iter().find(|key| {
        (key.secret || key.name == "database_url")
            && matches!(loaded.sources.get(key.name), Some(Source::File { .. }))
    })?;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| Warning {
        key: secret.name.to_owned(),
        message: format!(
            "stands in {}, which other users can read; run chmod 600 {}",
            path.display(),
            path.display()
        ),
    })
}
