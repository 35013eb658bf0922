//! Resource limits.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use supervisor::wire::{Resource, ResourceLimit};

use super::{Bytes, FieldValue, unexpected};

/// Resource limits by name, as `ulimit` sets them: `{ "nofile": 65536, "core": 0, "as": "2G", "nproc": "100:200" }`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rlimits(pub BTreeMap<Resource, ResourceLimit>);

const NAMES: [(&str, Resource); 9] = [
    ("as", Resource::As),
    ("core", Resource::Core),
    ("cpu", Resource::Cpu),
    ("data", Resource::Data),
    ("fsize", Resource::Fsize),
    ("memlock", Resource::Memlock),
    ("nofile", Resource::Nofile),
    ("nproc", Resource::Nproc),
    ("stack", Resource::Stack),
];

/// A number (a size), or `unlimited` as `None`.
fn bound(value: &Value) -> Option<Option<u64>> {
    match value {
        Value::String(text) if text == "unlimited" => Some(None),
        other => Bytes::read(other).ok().map(|bytes| Some(bytes.0)),
    }
}

/// One bound for both, or `soft:hard`.
fn limit(value: &Value) -> Option<ResourceLimit> {
    if let Some((soft, hard)) = value.as_str().and_then(|text| text.split_once(':')) {
        return Some(ResourceLimit { soft: bound(&json!(soft))?, hard: bound(&json!(hard))? });
    }
    let both = bound(value)?;
    Some(ResourceLimit { soft: both, hard: both })
}

fn text(bound: Option<u64>) -> String {
    bound.map_or_else(|| "unlimited".to_owned(), |number| number.to_string())
}

impl FieldValue for Rlimits {
    const EXPECTS: &'static str = "an object of limits: as, core, cpu, data, fsize, memlock, nofile, nproc, stack, each a number, a size, \"unlimited\" or \"soft:hard\"";
    const KIND: &'static str = "object";

    fn read(value: &Value) -> Result<Self, String> {
        let wrong = || unexpected::<Self>(value);
        let limits = value.as_object().ok_or_else(wrong)?.iter().map(|(name, value)| {
            let (_, resource) = NAMES.iter().find(|(known, _)| known == name)?;
            Some((*resource, limit(value)?))
        });
        limits.collect::<Option<_>>().map(Self).ok_or_else(wrong)
    }

    fn write(&self) -> Value {
        let named = self.0.iter().filter_map(|(resource, limit)| {
            let (name, _) = NAMES.iter().find(|(_, known)| known == resource)?;
            let both = format!("{}:{}", text(limit.soft), text(limit.hard));
            Some(((*name).to_owned(), json!(both)))
        });
        Value::Object(named.collect())
    }

    fn schema() -> Value {
        let bound = "(unlimited|\\d+(G|M|K|B)?)";
        let limit = json!({ "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": format!("^{bound}(:{bound})?$") },
        ] });
        let names = NAMES.iter().map(|(name, _)| ((*name).to_owned(), limit.clone()));
        let properties = Value::Object(names.collect());
        json!({ "type": "object", "properties": properties, "additionalProperties": false })
    }
}
