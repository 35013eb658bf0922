use super::*;
use crate::app::App;

#[test]
fn the_schema_has_every_name_of_every_field() {
    let schema = json_schema();
    let properties = &schema["$defs"]["app"]["properties"];
    for field in FIELDS {
        for name in field.names() {
            assert!(properties.get(&name).is_some(), "{name}");
        }
    }
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["$defs"]["app"]["additionalProperties"], json!(false));
}

/// Reads a value as a validator would, as far as the schemas of the fields go.
fn accepts(schema: &Value, value: &Value) -> bool {
    if let Some(any) = schema["anyOf"].as_array()
        && !any.iter().any(|one| accepts(one, value))
    {
        return false;
    }
    if let Some(all) = schema["enum"].as_array()
        && !all.contains(value)
    {
        return false;
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = |wanted: &Value| wanted == kind || (wanted == "number" && kind == "integer");
    match &schema["type"] {
        Value::Null => true,
        Value::Array(kinds) => kinds.iter().any(fits),
        one => fits(one),
    }
}

#[test]
fn what_a_schema_refuses_by_its_kind_is_refused_by_the_reader_too() {
    let samples =
        [json!(null), json!(true), json!(7), json!(7.5), json!("7"), json!([]), json!({})];
    for field in FIELDS {
        let schema = (field.schema)();
        for sample in samples.iter().filter(|sample| !sample.is_null()) {
            let read = (field.set)(&mut App::default(), sample).is_ok();
            assert!(!read || accepts(&schema, sample), "{}: {sample} is read", field.name);
        }
    }
}

#[test]
fn the_reference_has_a_row_for_each_field() {
    let table = fields_markdown();
    assert_eq!(table.lines().count(), FIELDS.len() + 3);
    assert!(table.contains("| `script`, `exec`, `cmd`, `command` | text |"));
    assert!(table.lines().all(|row| row.matches(" | ").count() == 3 || row.contains("\\|")));
}

/// A page of the project's documentation.
fn page(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_published_schema_is_the_present_one() {
    let published: Value = serde_json::from_str(&page("ecosystem.schema.json")).unwrap();
    assert!(
        published == json_schema(),
        "docs/ecosystem.schema.json is out of date; write it anew with \
         `tenantry schema > docs/ecosystem.schema.json`"
    );
}

#[test]
fn the_guide_for_users_of_pm2_tells_of_each_field() {
    const VERDICTS: [&str; 5] = ["same", "better", "other", "new", "not supported"];
    let guide = page("from-pm2.md");
    for row in fields_markdown().lines().skip(2) {
        // The guide's table has one column more: how the field compares.
        let verdict = guide.lines().find_map(|line| line.strip_prefix(row));
        let verdict = verdict.and_then(|rest| rest.trim().strip_suffix('|')).map(str::trim);
        assert!(
            verdict.is_some_and(|text| VERDICTS.iter().any(|known| text.starts_with(known))),
            "docs/from-pm2.md has no line that begins with this and goes on with one of {VERDICTS:?}:\n{row}"
        );
    }
}
