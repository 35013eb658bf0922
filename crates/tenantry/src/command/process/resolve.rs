//! What a word on the command line means: processes, a file of declarations, standard input, or a script.

use std::path::{Path, PathBuf};

use pm2::label;
use supervisor::client::Client;
use supervisor::wire::ListRow;

use super::target::select;

/// What a word means.
#[derive(Debug, PartialEq, Eq)]
pub enum Meaning {
    /// These processes, by id.
    Processes(Vec<u32>),
    /// The declarations of a file.
    File(PathBuf),
    /// The declarations on standard input.
    Input,
    /// No process is known by it.
    Other,
}

/// Finds out what a word means.
///
/// # Errors
/// When a pattern cannot be read, or the supervisor answers nonsense.
pub async fn meaning(word: &str, rows: &[ListRow], client: &Client) -> anyhow::Result<Meaning> {
    if word == "-" {
        return Ok(Meaning::Input);
    }
    let ids = select(word, rows)?;
    if !ids.is_empty() {
        return Ok(Meaning::Processes(ids));
    }
    let path = Path::new(word);
    if pm2::file::Format::of(path).is_some() {
        return Ok(Meaning::File(path.to_owned()));
    }
    let ids = of_script(path, rows, client).await?;
    Ok(if ids.is_empty() { Meaning::Other } else { Meaning::Processes(ids) })
}

/// The processes that run a script.
async fn of_script(path: &Path, rows: &[ListRow], client: &Client) -> anyhow::Result<Vec<u32>> {
    if rows.is_empty() || !path.is_file() {
        return Ok(Vec::new());
    }
    let path = std::path::absolute(path)?;
    let path = path.to_string_lossy();
    let views = client.list(&[]).await?;
    let runs_it = |labels: &std::collections::BTreeMap<String, String>| {
        labels.get(label::SCRIPT).is_some_and(|script| *script == path)
    };
    Ok(views.iter().filter(|view| runs_it(&view.labels)).map(|view| view.id).collect())
}
