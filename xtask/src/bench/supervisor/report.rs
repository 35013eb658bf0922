//! The figures of the supervisor benchmark, for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::statistics::milliseconds;
use super::log::LogFigures;
use super::measure::Figures;
use super::members::Part;
use super::table::markdown;

/// Everything that was measured.
#[derive(Default)]
pub struct Report {
    /// Processors that this program may use.
    pub cores: usize,
    /// The name and release of each contender.
    pub versions: Vec<(String, String)>,
    pub sizes: Vec<Size>,
    pub logs: Vec<LogRow>,
    /// What is not in the tables, and why.
    pub remarks: Vec<String>,
    /// What went wrong. The figures that it concerns are missing.
    pub failures: Vec<String>,
}

/// All contenders with one number of processes.
pub struct Size {
    pub count: usize,
    /// How long the bare loop takes to start as many; absent where that went wrong.
    pub baseline: Option<Duration>,
    pub rows: Vec<Row>,
}

/// One contender with one number of processes.
pub struct Row {
    pub name: String,
    pub figures: Figures,
}

/// The logging of one contender.
pub struct LogRow {
    pub name: String,
    pub figures: LogFigures,
    /// Whether it is the baseline.
    pub baseline: bool,
}

impl Report {
    /// The figures as tables, which are Markdown.
    pub fn tables(&self) -> String {
        let versions: Vec<String> =
            self.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        let mut text = format!("{}; {} cores\n\n", versions.join(", "), self.cores);
        text.push_str(&markdown(&self.processes()));
        text.push_str("\nThe memory in its parts:\n\n");
        text.push_str(&markdown(&self.parts()));
        text.push('\n');
        text.push_str(&markdown(&self.logging()));
        for remark in &self.remarks {
            let _ = write!(text, "\n{remark}");
        }
        text
    }

    fn processes(&self) -> Vec<Vec<String>> {
        let head = [
            "tool",
            "processes",
            "start all (s)",
            "× C loop",
            "memory (MB)",
            "idle CPU (%)",
            "list (ms)",
            "respawn (ms)",
            "stop all (s)",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for Size { count, baseline, rows: contenders } in &self.sizes {
            if let Some(baseline) = baseline {
                let start = format!("{:.2}", baseline.as_secs_f64());
                rows.push(vec!["(C loop)".to_owned(), count.to_string(), start, "1.0".to_owned()]);
            }
            for Row { name, figures } in contenders {
                let ratio = baseline.map(|baseline| ratio(figures.start, baseline));
                rows.push(vec![
                    name.clone(),
                    count.to_string(),
                    format!("{:.2}", figures.start.as_secs_f64()),
                    cell(ratio, |ratio| format!("{ratio:.1}")),
                    format!("{:.1}", megabytes(&figures.memory)),
                    cell(figures.idle, |part| format!("{:.1}", part * 100.0)),
                    cell(figures.list, |time| format!("{:.1}", milliseconds(time))),
                    cell(figures.respawn, |time| format!("{:.1}", milliseconds(time))),
                    cell(figures.stop, |time| format!("{:.2}", time.as_secs_f64())),
                ]);
            }
        }
        rows
    }

    fn parts(&self) -> Vec<Vec<String>> {
        let head = ["tool", "processes", "part", "how many", "memory (MB)"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for Size { count, rows: contenders, .. } in &self.sizes {
            for Row { name, figures } in contenders {
                rows.extend(figures.memory.iter().map(|part| {
                    let memory = format!("{:.1}", megabytes(std::slice::from_ref(part)));
                    let (role, many) = (part.role.clone(), part.count.to_string());
                    vec![name.clone(), count.to_string(), role, many, memory]
                }));
            }
        }
        rows
    }

    fn logging(&self) -> Vec<Vec<String>> {
        let head = ["tool", "log (MB/s)", "× cat", "CPU-s per 100 MB", "written (MB)"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        let cat = self.cat();
        for LogRow { name, figures, .. } in &self.logs {
            rows.push(vec![
                name.clone(),
                format!("{:.0}", figures.rate),
                cell(cat, |cat| format!("{:.2}", figures.rate / cat)),
                format!("{:.3}", figures.cpu),
                figures.megabytes.to_string(),
            ]);
        }
        rows
    }

    /// The rate of the baseline.
    fn cat(&self) -> Option<f64> {
        self.logs.iter().find(|row| row.baseline).map(|row| row.figures.rate)
    }

    /// The figures as JSON; the units stand in the names.
    pub fn json(&self) -> Value {
        let sizes: Vec<Value> = self
            .sizes
            .iter()
            .map(|Size { count, baseline, rows }| {
                json!({
                    "processes": count,
                    "c_loop_start_ms": baseline.map(rounded),
                    "contenders": rows.iter().map(row).collect::<Vec<_>>(),
                })
            })
            .collect();
        let log = |row: &LogRow| {
            let LogFigures { megabytes, rate, cpu } = row.figures;
            json!({
                "name": row.name,
                "baseline": row.baseline,
                "written_mb": megabytes,
                "mb_per_s": rate,
                "cpu_s_per_100_mb": cpu,
            })
        };
        let version =
            |(name, version): &(String, String)| json!({"name": name, "version": version});
        json!({
            "cores": self.cores,
            "versions": self.versions.iter().map(version).collect::<Vec<_>>(),
            "sizes": sizes,
            "logs": self.logs.iter().map(log).collect::<Vec<_>>(),
            "remarks": self.remarks,
            "failures": self.failures,
        })
    }
}

fn row(Row { name, figures }: &Row) -> Value {
    let part =
        |part: &Part| json!({"role": part.role, "count": part.count, "pss_kib": part.pss_kib});
    json!({
        "name": name,
        "start_ms": rounded(figures.start),
        "memory": figures.memory.iter().map(part).collect::<Vec<_>>(),
        "idle_cpu_percent": figures.idle.map(|part| part * 100.0),
        "list_ms": figures.list.map(rounded),
        "respawn_ms": figures.respawn.map(rounded),
        "stop_ms": figures.stop.map(rounded),
    })
}

/// Milliseconds to a microsecond: more figures would only be noise.
fn rounded(time: Duration) -> f64 {
    (milliseconds(time) * 1000.0).round() / 1000.0
}

fn ratio(time: Duration, of: Duration) -> f64 {
    time.as_secs_f64() / of.as_secs_f64()
}

/// What is absent is not shown as a number.
fn cell<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), show)
}

/// Together, in megabytes (10^6 bytes).
fn megabytes(parts: &[Part]) -> f64 {
    parts.iter().map(|part| part.pss_kib as f64 * 1024.0 / 1e6).sum()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LogFigures, LogRow, Part, Report, Row, Size};
    use crate::bench::supervisor::measure::Figures;

    fn report() -> Report {
        let figures = Figures {
            start: Duration::from_millis(1500),
            memory: vec![Part { role: "daemon".to_owned(), count: 2, pss_kib: 2000 }],
            idle: Some(0.0125),
            list: Some(Duration::from_micros(7250)),
            respawn: Some(Duration::from_millis(2)),
            stop: None,
        };
        let row = Row { name: "tool".to_owned(), figures };
        let log = |name: &str, rate, baseline| LogRow {
            name: name.to_owned(),
            figures: LogFigures { megabytes: 100, rate, cpu: 0.125 },
            baseline,
        };
        Report {
            cores: 2,
            versions: vec![("tool".to_owned(), "1.2".to_owned())],
            sizes: vec![Size {
                count: 100,
                baseline: Some(Duration::from_secs(1)),
                rows: vec![row],
            }],
            logs: vec![log("cat", 800.0, true), log("tool", 400.0, false)],
            remarks: vec!["s6 is left out: no s6".to_owned()],
            failures: Vec::new(),
        }
    }

    fn cells(text: &str, begin: &str) -> Vec<Vec<String>> {
        let lines = text.lines().filter(|line| line.starts_with(begin));
        lines.map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
    }

    #[test]
    fn the_tables_have_every_figure() {
        let text = report().tables();
        assert!(text.starts_with("tool 1.2; 2 cores\n"));
        let tool = cells(&text, "| tool ");
        let row = ["", "tool", "100", "1.50", "1.5", "2.0", "1.2", "7.2", "2.0", "–", ""];
        assert!(tool.contains(&row.map(str::to_owned).to_vec()), "{text}");
        let part = ["", "tool", "100", "daemon", "2", "2.0", ""];
        assert!(tool.contains(&part.map(str::to_owned).to_vec()), "{text}");
        let log = ["", "tool", "400", "0.50", "0.125", "100", ""];
        assert!(tool.contains(&log.map(str::to_owned).to_vec()), "{text}");
        assert!(text.ends_with("\ns6 is left out: no s6"));
    }

    #[test]
    fn json_says_the_same_with_units_in_the_names() {
        let json = report().json();
        assert_eq!(json["sizes"][0]["c_loop_start_ms"], 1000.0);
        let row = &json["sizes"][0]["contenders"][0];
        assert_eq!((&row["start_ms"], &row["list_ms"]), (&1500.0.into(), &7.25.into()));
        assert_eq!(row["idle_cpu_percent"], 1.25);
        assert!(row["stop_ms"].is_null());
        assert_eq!(row["memory"][0]["pss_kib"], 2000);
        assert_eq!(json["logs"][1]["mb_per_s"], 400.0);
    }
}
