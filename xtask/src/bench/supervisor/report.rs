//! The figures of the supervisor benchmark, for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::statistics::milliseconds;
use super::log::{Compared, LogFigures};
use super::measure::Figures;
use super::members::Part;
use crate::bench::table::markdown;

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
    pub figures: Compared,
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
            "C loop (s)",
            "× C loop",
            "memory (MB)",
            "idle CPU (%)",
            "list (ms)",
            "respawn (ms)",
            "stop all (s)",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for Size { count, rows: contenders } in &self.sizes {
            for Row { name, figures } in contenders {
                rows.push(vec![
                    name.clone(),
                    count.to_string(),
                    format!("{:.2}", figures.start.as_secs_f64()),
                    format!("{:.2}", figures.bare.as_secs_f64()),
                    format!("{:.1}", figures.start.as_secs_f64() / figures.bare.as_secs_f64()),
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
        for Size { count, rows: contenders } in &self.sizes {
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
        let head = [
            "tool",
            "idle processes beside",
            "log (MB/s)",
            "cat (MB/s)",
            "× cat",
            "CPU-s per 100 MB",
            "cat's",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for LogRow { name, figures: Compared { contender, cat } } in &self.logs {
            rows.push(vec![
                name.clone(),
                contender.beside.to_string(),
                format!("{:.0}", contender.rate),
                format!("{:.0}", cat.rate),
                format!("{:.2}", contender.rate / cat.rate),
                format!("{:.3}", contender.cpu),
                format!("{:.3}", cat.cpu),
            ]);
        }
        rows
    }

    /// The figures as JSON; the units stand in the names.
    pub fn json(&self) -> Value {
        let sizes: Vec<Value> = self
            .sizes
            .iter()
            .map(|Size { count, rows }| {
                json!({
                    "processes": count,
                    "contenders": rows.iter().map(row).collect::<Vec<_>>(),
                })
            })
            .collect();
        let log = |LogRow { name, figures: Compared { contender, cat } }: &LogRow| json!({"name": name, "log": logging(contender), "cat": logging(cat)});
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

fn logging(LogFigures { beside, megabytes, rate, cpu }: &LogFigures) -> Value {
    json!({
        "idle_processes_beside": beside,
        "written_mb": megabytes,
        "mb_per_s": rate,
        "cpu_s_per_100_mb": cpu,
    })
}

fn row(Row { name, figures }: &Row) -> Value {
    let part =
        |part: &Part| json!({"role": part.role, "count": part.count, "pss_kib": part.pss_kib});
    json!({
        "name": name,
        "start_ms": rounded(figures.start),
        "c_loop_start_ms": rounded(figures.bare),
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

    use super::{Compared, LogFigures, LogRow, Part, Report, Row, Size};
    use crate::bench::supervisor::measure::Figures;

    fn report() -> Report {
        let figures = Figures {
            start: Duration::from_millis(1500),
            bare: Duration::from_secs(1),
            memory: vec![Part { role: "daemon".to_owned(), count: 2, pss_kib: 2000 }],
            idle: Some(0.0125),
            list: Some(Duration::from_micros(7250)),
            respawn: Some(Duration::from_millis(2)),
            stop: None,
        };
        let row = Row { name: "tool".to_owned(), figures };
        let log = |rate, beside| LogFigures { beside, megabytes: 100, rate, cpu: 0.125 };
        let compared = Compared { contender: log(400.0, 7), cat: log(800.0, 0) };
        Report {
            cores: 2,
            versions: vec![("tool".to_owned(), "1.2".to_owned())],
            sizes: vec![Size { count: 100, rows: vec![row] }],
            logs: vec![LogRow { name: "tool".to_owned(), figures: compared }],
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
        let row = ["", "tool", "100", "1.50", "1.00", "1.5", "2.0", "1.2", "7.2", "2.0", "–", ""];
        assert!(tool.contains(&row.map(str::to_owned).to_vec()), "{text}");
        let part = ["", "tool", "100", "daemon", "2", "2.0", ""];
        assert!(tool.contains(&part.map(str::to_owned).to_vec()), "{text}");
        let log = ["", "tool", "7", "400", "800", "0.50", "0.125", "0.125", ""];
        assert!(tool.contains(&log.map(str::to_owned).to_vec()), "{text}");
        assert!(text.ends_with("\ns6 is left out: no s6"));
    }

    #[test]
    fn json_says_the_same_with_units_in_the_names() {
        let json = report().json();
        let row = &json["sizes"][0]["contenders"][0];
        assert_eq!((&row["start_ms"], &row["list_ms"]), (&1500.0.into(), &7.25.into()));
        assert_eq!(row["idle_cpu_percent"], 1.25);
        assert_eq!(row["c_loop_start_ms"], 1000.0);
        assert!(row["stop_ms"].is_null());
        assert_eq!(row["memory"][0]["pss_kib"], 2000);
        assert_eq!(json["logs"][0]["log"]["mb_per_s"], 400.0);
    }
}
