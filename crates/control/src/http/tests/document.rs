//! The OpenAPI document.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::http::openapi;

/// Where the checked-in copy lies, which other programs are made from.
const COPY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

#[test]
fn the_checked_in_copy_is_the_document() {
    // The order of fields depends on what else is built with it.
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let copy = std::fs::read_to_string(COPY).unwrap();
    assert!(
        read(&copy) == read(&crate::openapi().unwrap()),
        "docs/openapi.json is old; run `cargo xtask openapi`"
    );
}

#[test]
fn every_operation_is_described_and_every_reference_leads_somewhere() {
    let document = serde_json::to_value(openapi::document()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let of = format!("{method} {path}");
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{of}");
            assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{of}");
            assert!(operation["responses"].as_object().unwrap().len() > 1, "{of}");
        }
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 100);
    for reference in references {
        let name = reference.strip_prefix("#/components/schemas/").unwrap();
        assert!(schemas.contains_key(name), "{reference}");
    }
}

fn collect<'d>(value: &'d Value, references: &mut Vec<&'d str>) {
    match value {
        Value::Object(fields) => {
            references.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| collect(value, references));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}
