//! One JSON object per log line.

use std::fmt;
use std::io::Write;

use chrono::{SecondsFormat, Utc};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// The keys that every line has; a field of such a name gets an underscore behind it.
const RESERVED: [&str; 3] = ["ts", "level", "target"];

/// Writes every event as one line: `{"ts":…,"level":…,"target":…,"message":…,<fields>}`. The fields
/// of the spans around it come before its own, so that the innermost value of a name wins.
pub(crate) struct JsonLines<W> {
    writer: W,
}

/// A span's fields, kept with the span.
struct SpanFields(Map<String, Value>);

impl<W> JsonLines<W> {
    pub(crate) const fn new(writer: W) -> Self {
        Self { writer }
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields(Map::new());
            attributes.record(&mut fields);
            // Two layers of this type keep the same fields; the second finds the first one's.
            span.extensions_mut().replace(SpanFields(fields.0));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(SpanFields(map)) = span.extensions_mut().get_mut::<SpanFields>()
        {
            let mut fields = Fields(std::mem::take(map));
            values.record(&mut fields);
            *map = fields.0;
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
        let mut fields = Fields(Map::new());
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(SpanFields(map)) = span.extensions().get::<SpanFields>() {
                fields.0.extend(map.clone());
            }
        }
        fields.0.remove("message");
        event.record(&mut fields);
        let line = line(metadata.level().as_str(), metadata.target(), fields.0);
        // Nobody could be told that the log cannot be written; `rotate` counts what it loses.
        let _ = self.writer.make_writer_for(metadata).write_all(line.as_bytes());
    }
}

/// Renders one line with its line break. Written by hand so that the keys stand in reading order.
fn line(level: &str, target: &str, mut fields: Map<String, Value>) -> String {
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let message = fields.remove("message").unwrap_or_else(|| Value::from(""));
    let target = Value::from(target);
    let mut line =
        format!(r#"{{"ts":"{now}","level":"{level}","target":{target},"message":{message}"#);
    for (name, value) in fields {
        line.push(',');
        line.push_str(&Value::from(name).to_string());
        line.push(':');
        line.push_str(&value.to_string());
    }
    line.push_str("}\n");
    line
}

/// Collects fields.
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        let name = field.name();
        // What `log` records carry about their place repeats the line's own keys.
        if name.starts_with("log.") {
            return;
        }
        let mut name = name.strip_prefix("r#").unwrap_or(name).to_owned();
        if RESERVED.contains(&name.as_str()) {
            name.push('_');
        }
        self.0.insert(name, value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        self.put(field, text);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing_subscriber::layer::SubscriberExt;

    use super::JsonLines;

    /// Runs `body` under the layer and returns the lines that it wrote.
    fn lines(body: impl FnOnce()) -> Vec<Value> {
        let sink = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&sink);
        let make = move || Sink(Arc::clone(&writer));
        let subscriber = tracing_subscriber::registry().with(JsonLines::new(make));
        tracing::subscriber::with_default(subscriber, body);
        let bytes = sink.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_object_with_its_fields_and_those_of_its_spans() {
        let lines = lines(|| {
            let outer = tracing::info_span!("tenant", tenant = "acme", try_number = 1);
            let _outer = outer.enter();
            let inner = tracing::info_span!("call", try_number = 2, code = tracing::field::Empty);
            inner.record("code", "late");
            let _inner = inner.enter();
            tracing::warn!(target: "control::http", ok = true, delay = 1.5, "a \"quote\"\nand more");
        });
        assert_eq!(lines.len(), 1);
        let line = &lines[0];
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["target"], "control::http");
        assert_eq!(line["message"], "a \"quote\"\nand more");
        assert_eq!(line["tenant"], "acme");
        assert_eq!(line["try_number"], 2);
        assert_eq!(line["code"], "late");
        assert_eq!(line["ok"], true);
        assert_eq!(line["delay"], 1.5);
        let ts = line["ts"].as_str().unwrap();
        assert!(chrono::DateTime::parse_from_rfc3339(ts).is_ok(), "{ts}");
    }

    #[test]
    fn a_field_cannot_pose_as_a_key_of_the_line() {
        let lines = lines(|| tracing::info!(level = "ERROR", ts = 0, "calm"));
        assert_eq!(lines[0]["level"], "INFO");
        assert_eq!(lines[0]["level_"], "ERROR");
        assert_eq!(lines[0]["ts_"], 0);
    }

    #[test]
    fn an_error_is_told_with_its_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot open the store")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("disk is full"));
        let lines = lines(|| {
            tracing::error!(error = &error as &(dyn std::error::Error + 'static), "start failed");
        });
        assert_eq!(lines[0]["error"], "cannot open the store: disk is full");
    }
}
