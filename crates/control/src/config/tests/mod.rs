mod machine;
mod mistakes;
mod sources;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use super::{Loaded, Mistakes, Sources, resolve};

/// Settings from given texts; `HOME` is `/users/op`, the current folder is `/srv`.
fn settings(
    flags: &[(&'static str, &str)],
    env: &[(&str, &str)],
    file: Option<&str>,
) -> Result<Loaded, Mistakes> {
    let mut variables: HashMap<String, String> =
        env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    variables.entry("HOME".to_owned()).or_insert_with(|| "/users/op".to_owned());
    let flags: BTreeMap<_, _> =
        flags.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    resolve(&Sources {
        flags,
        env: &|name| variables.get(name).cloned(),
        file: file.map(|text| (PathBuf::from("/etc/t/tenantry.toml"), text.to_owned())),
        cwd: PathBuf::from("/srv"),
    })
}

/// The messages of all mistakes.
fn refusals(
    flags: &[(&'static str, &str)],
    env: &[(&str, &str)],
    file: Option<&str>,
) -> Vec<String> {
    settings(flags, env, file).unwrap_err().0.iter().map(ToString::to_string).collect()
}
