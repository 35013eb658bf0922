//! What runs a script.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::Wrong;
use super::program::{in_path, is_executable};

/// The interpreter of what is executed directly.
pub(crate) const NONE: &str = "none";

const NODE: &str = "node";

/// By extension; the first that exists is taken.
const BY_EXTENSION: [(&str, &[&str]); 12] = [
    ("sh", &["bash"]),
    ("py", &["python", "python3"]),
    ("rb", &["ruby"]),
    ("php", &["php"]),
    ("pl", &["perl"]),
    ("js", &[NODE]),
    ("cjs", &[NODE]),
    ("mjs", &[NODE]),
    ("coffee", &["coffee"]),
    ("ls", &["lsc"]),
    ("ts", &["bun"]),
    ("tsx", &["bun"]),
];

/// The interpreter that an author names.
pub(super) fn named(name: &str, path: &str, nvm: Option<&str>) -> Result<String, Wrong> {
    if name == NONE {
        return Ok(NONE.to_owned());
    }
    if let Some(version) = name.strip_prefix("node@") {
        return of_nvm(version, nvm);
    }
    if name.contains('/') || in_path(name, path).is_some() {
        return Ok(name.to_owned());
    }
    Err(missing(name))
}

/// The interpreter that a script shows by its name or its first bytes.
pub(super) fn of(script: &Path, path: &str) -> Result<String, Wrong> {
    let extension = script.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let candidates = match BY_EXTENSION.iter().find(|(known, _)| *known == extension) {
        Some((_, candidates)) => *candidates,
        None if runs_by_itself(script) => return Ok(NONE.to_owned()),
        None => &[NODE],
    };
    let found = candidates.iter().find(|name| in_path(name, path).is_some());
    found.map(|name| (*name).to_owned()).ok_or_else(|| missing(candidates.first().unwrap_or(&NODE)))
}

fn missing(name: &str) -> Wrong {
    (
        "interpreter",
        format!(
            "{name} is not in PATH; install it, or name another (`none` executes the script itself)"
        ),
    )
}

/// A version of Node that nvm has installed.
fn of_nvm(version: &str, nvm: Option<&str>) -> Result<String, Wrong> {
    let wrong = |why: String| ("interpreter", why);
    let nvm = nvm.ok_or_else(|| {
        wrong(format!("node@{version} needs nvm, but NVM_DIR is not in the environment"))
    })?;
    let bare = version.trim_start_matches('v');
    let node = Path::new(nvm).join(format!("versions/node/v{bare}/bin/node"));
    if is_executable(&node) {
        return Ok(node.to_string_lossy().into_owned());
    }
    let at = node.display();
    Err(wrong(format!("node@{version}: {at} does not exist; run `nvm install {bare}`")))
}

/// Whether the kernel can execute it: a binary, or an executable text that names its interpreter.
fn runs_by_itself(script: &Path) -> bool {
    let mut start = Vec::with_capacity(512);
    let read = File::open(script).and_then(|file| file.take(512).read_to_end(&mut start));
    if read.is_err() {
        // What may be executed need not be readable.
        return is_executable(script);
    }
    start.contains(&0) || (start.starts_with(b"#!") && is_executable(script))
}
