//! `tenantry doctor`: what this machine can enforce, and whether the installation is sound.
//!
//! [`gather`] looks, [`judge`] says what the [`facts`] mean; only the former touches the machine.

mod facts;
mod finding;
mod gather;
mod judge;

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use self::finding::{Finding, Level};
use crate::connection::Environment;
use crate::reactor;
use crate::screen::{Screen, Tone};

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Report {
    problems: usize,
    warnings: usize,
    findings: Vec<Finding>,
}

/// Prints the findings. The exit code is 1 when there is a problem.
///
/// # Errors
/// When the output cannot be written.
pub fn run(
    args: &DoctorArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let facts = reactor::block_on(async { Ok(gather::facts(environment).await) })?;
    let report = Report::of(judge::judge(&facts));
    if args.json {
        screen.json(&report)?;
    } else {
        let rows: Vec<_> = report.findings.iter().flat_map(rows).collect();
        screen.table(&[], &rows)?;
        screen.line(&format!("\n{}", report.summary()))?;
    }
    Ok(if report.problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Report {
    fn of(findings: Vec<Finding>) -> Self {
        let count = |level| findings.iter().filter(|finding| finding.level == level).count();
        Self { problems: count(Level::Problem), warnings: count(Level::Warning), findings }
    }

    fn summary(&self) -> String {
        let counted = |number: usize, what: &str| match number {
            0 => format!("no {what}s"),
            1 => format!("1 {what}"),
            number => format!("{number} {what}s"),
        };
        format!("{}, {}", counted(self.problems, "problem"), counted(self.warnings, "warning"))
    }
}

/// A finding in lines: what was found, what it means, what to do.
fn rows(finding: &Finding) -> Vec<Vec<(String, Tone)>> {
    let (word, tone) = match finding.level {
        Level::Ok => ("ok", Tone::Good),
        Level::Warning => ("warning", Tone::Doubtful),
        Level::Problem => ("problem", Tone::Bad),
    };
    let line = |text: String, tone| {
        vec![(String::new(), Tone::Plain), (String::new(), Tone::Plain), (text, tone)]
    };
    let mut rows = vec![
        vec![
            (word.to_owned(), tone),
            (finding.check.to_owned(), Tone::Plain),
            (finding.found.clone(), Tone::Plain),
        ],
        line(finding.meaning.clone(), Tone::Faint),
    ];
    rows.extend(finding.remedy.iter().map(|remedy| line(format!("→ {remedy}"), tone)));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_what_is_not_well() {
        let report = Report::of(vec![
            Finding::ok("a", "x", "y"),
            Finding::warning("b", "x", "y", "z"),
            Finding::warning("c", "x", "y", "z"),
        ]);
        assert_eq!(report.summary(), "no problems, 2 warnings");
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["findings"][1]["level"], "warning");
        assert_eq!(json["findings"][1]["remedy"], "z");
        assert_eq!(json["findings"][0].get("remedy"), None);
        // The control plane hands it on as what the API says that it is.
        let told: api::system::DoctorReport = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&told).unwrap(), json);
    }

    #[test]
    fn a_finding_says_what_to_do_last() {
        let rows = rows(&Finding::problem("disk", "full", "nothing is kept", "free some room"));
        let text = |row: &Vec<(String, Tone)>| row.last().unwrap().0.clone();
        let lines: Vec<_> = rows.iter().map(text).collect();
        assert_eq!(lines, ["full", "nothing is kept", "→ free some room"]);
        assert_eq!(rows[0][0], ("problem".to_owned(), Tone::Bad));
    }
}
