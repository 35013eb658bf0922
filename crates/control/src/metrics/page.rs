//! A page of metrics in Prometheus' text format (version 0.0.4).

use std::fmt::Write as _;

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// It only grows, until the process ends.
    Counter,
    /// It is what it is at this moment.
    Gauge,
    /// How values are spread.
    Histogram,
}

/// The page as far as it is written. Each family is written once, with all its samples.
#[derive(Default)]
pub struct Page {
    text: String,
}

impl Page {
    /// Begins a family of samples.
    pub fn family<'p>(&'p mut self, name: &'p str, shape: Shape, help: &str) -> Family<'p> {
        let word = match shape {
            Shape::Counter => "counter",
            Shape::Gauge => "gauge",
            Shape::Histogram => "histogram",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {word}");
        Family { text: &mut self.text, name }
    }

    /// A family of one sample without labels.
    pub fn single(&mut self, name: &str, shape: Shape, help: &str, value: f64) {
        self.family(name, shape, help).sample(&[], value);
    }

    /// All of it.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }
}

/// A family that is being written.
pub struct Family<'p> {
    text: &'p mut String,
    name: &'p str,
}

impl Family<'_> {
    /// One sample.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        self.line("", labels, None, value);
    }

    /// A histogram: for each bound how many values were up to it (each value once, in its first bound), how many were
    /// beyond all, and the sum of all values.
    pub fn histogram(
        &mut self,
        labels: &[(&str, &str)],
        bounds: &[f64],
        counts: &[u64],
        beyond: u64,
        sum: f64,
    ) {
        let mut total = 0;
        for (bound, count) in bounds.iter().zip(counts) {
            total += count;
            self.line("_bucket", labels, Some(&bound.to_string()), number(total));
        }
        total += beyond;
        self.line("_bucket", labels, Some("+Inf"), number(total));
        self.line("_sum", labels, None, sum);
        self.line("_count", labels, None, number(total));
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], le: Option<&str>, value: f64) {
        self.text.push_str(self.name);
        self.text.push_str(suffix);
        let all = labels.iter().copied().chain(le.map(|le| ("le", le)));
        for (index, (name, value)) in all.enumerate() {
            self.text.push(if index == 0 { '{' } else { ',' });
            let _ = write!(self.text, "{name}=\"");
            for letter in value.chars() {
                match letter {
                    '\\' => self.text.push_str("\\\\"),
                    '"' => self.text.push_str("\\\""),
                    '\n' => self.text.push_str("\\n"),
                    other => self.text.push(other),
                }
            }
            self.text.push('"');
        }
        if !labels.is_empty() || le.is_some() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }
}

/// A count as the format has it. Beyond 2^53 it loses its last digits, which no counter here reaches.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "said above")]
pub const fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::{Page, Shape};

    #[test]
    fn the_format_is_prometheus_own() {
        let mut page = Page::default();
        page.single("a_total", Shape::Counter, "All.", 3.0);
        let mut family = page.family("b_seconds", Shape::Histogram, "How long.");
        family.histogram(&[("route", "/x\"\\\n")], &[0.5, 1.0], &[2, 0], 1, 4.25);
        let wanted = "# HELP a_total All.\n# TYPE a_total counter\na_total 3\n\
            # HELP b_seconds How long.\n# TYPE b_seconds histogram\n\
            b_seconds_bucket{route=\"/x\\\"\\\\\\n\",le=\"0.5\"} 2\n\
            b_seconds_bucket{route=\"/x\\\"\\\\\\n\",le=\"1\"} 2\n\
            b_seconds_bucket{route=\"/x\\\"\\\\\\n\",le=\"+Inf\"} 3\n\
            b_seconds_sum{route=\"/x\\\"\\\\\\n\"} 4.25\n\
            b_seconds_count{route=\"/x\\\"\\\\\\n\"} 3\n";
        assert_eq!(page.finish(), wanted);
    }
}
