//! What a worker is recognised by. PM2 has no labels, so they are environment variables of the worker's.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::WorkerLaunch;

const TENANT: &str = "TENANTRY_PM2_TENANT";
const GENERATION: &str = "TENANTRY_PM2_GENERATION";
const FINAL_EXITS: &str = "TENANTRY_PM2_FINAL_EXITS";
const FIRST_INCARNATION: &str = "TENANTRY_PM2_FIRST_INCARNATION";
/// The worker's name, in the environment of its whole process tree.
pub(super) const WORKER: &str = "TENANTRY_PM2_WORKER";
/// The variables that are ours begin with this.
pub(super) const PREFIX: &str = "TENANTRY_PM2_";

/// The labels in an environment of PM2's list; all that is not theirs is left out.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(super) struct Labels {
    #[serde(default, rename = "TENANTRY_PM2_TENANT", deserialize_with = "text")]
    pub(super) tenant: Option<String>,
    #[serde(default, rename = "TENANTRY_PM2_GENERATION", deserialize_with = "text")]
    generation: Option<String>,
    #[serde(default, rename = "TENANTRY_PM2_FINAL_EXITS", deserialize_with = "text")]
    final_exits: Option<String>,
    #[serde(default, rename = "TENANTRY_PM2_FIRST_INCARNATION", deserialize_with = "text")]
    first_incarnation: Option<String>,
}

/// A text; anything else counts as absent.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value.as_str().map(str::to_owned))
}

impl Labels {
    /// The generation, 0 when it is not a number.
    pub(super) fn generation(&self) -> u64 {
        number(self.generation.as_deref()).unwrap_or(0)
    }

    /// The number of the first process of this launch; each restart adds one.
    pub(super) fn first_incarnation(&self) -> u64 {
        number(self.first_incarnation.as_deref()).unwrap_or(1)
    }

    /// What an exit code means, when it is one that must not be restarted.
    pub(super) fn final_exit(&self, code: i32) -> Option<String> {
        let exits: BTreeMap<i32, String> =
            serde_json::from_str(self.final_exits.as_deref()?).ok()?;
        exits.get(&code).cloned()
    }
}

fn number<T: FromStr>(text: Option<&str>) -> Option<T> {
    text.and_then(|text| text.parse().ok())
}

/// The labels of a launch as variables.
pub(super) fn variables(
    launch: &WorkerLaunch,
    first_incarnation: u64,
) -> [(&'static str, String); 5] {
    let exits = serde_json::to_string(&launch.final_exits).unwrap_or_default();
    [
        (WORKER, launch.name.clone()),
        (TENANT, launch.tenant.clone()),
        (GENERATION, launch.generation.to_string()),
        (FINAL_EXITS, exits),
        (FIRST_INCARNATION, first_incarnation.to_string()),
    ]
}
