//! `report` and `sysinfos`: what somebody who helps needs to know. No environment, no arguments, no log lines: nothing secret.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::call::{Call, Output};
use super::list::columns::phase;
use crate::text::{bytes, span};

#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(flatten)]
    pub output: Output,
}

/// The report.
#[derive(Debug, Serialize)]
struct Report {
    program: String,
    version: &'static str,
    home: String,
    supervisor: Option<Supervisor>,
    machine: Machine,
    processes: Vec<Process>,
}

#[derive(Debug, Serialize)]
struct Supervisor {
    version: String,
    pid: u32,
    started_at: i64,
    cgroups: bool,
    log: String,
}

#[derive(Debug, Serialize)]
struct Machine {
    system: String,
    processors: usize,
    memory: u64,
    free: u64,
    uptime_s: u64,
    load: [f64; 3],
}

#[derive(Debug, Serialize)]
struct Process {
    id: u32,
    name: String,
    status: &'static str,
    restarts: u32,
    memory: u64,
}

/// Prints the report.
///
/// # Errors
/// When the output is gone.
pub async fn run(_: &ReportArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let client = call.client()?;
    let info = call.info(&client).await?;
    let rows = call.rows(&client).await?;
    let report = Report {
        program: std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION"),
        home: call.place.root().display().to_string(),
        supervisor: info.map(|info| Supervisor {
            version: info.version,
            pid: info.pid,
            started_at: info.started_at,
            cgroups: info.cgroups,
            log: call.place.supervisor_log().display().to_string(),
        }),
        machine: machine(),
        processes: rows
            .into_iter()
            .map(|row| Process {
                id: row.id,
                name: row.name,
                status: phase(row.state),
                restarts: row.restarts,
                memory: row.memory_bytes,
            })
            .collect(),
    };
    if call.output.json {
        call.screen.json(&report)?;
    } else {
        call.screen.write(&text(&report))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what is known of the machine.
///
/// # Errors
/// When the output is gone.
pub fn machine_only(_: &ReportArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let machine = machine();
    if call.output.json {
        call.screen.json(&machine)?;
    } else {
        call.screen.write(&machine_text(&machine))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[allow(clippy::cast_precision_loss, reason = "a load has two decimals")]
fn machine() -> Machine {
    let info = rustix::system::sysinfo();
    let name = rustix::system::uname();
    let unit = u64::from(info.mem_unit);
    Machine {
        system: format!(
            "{} {} {}",
            name.sysname().to_string_lossy(),
            name.release().to_string_lossy(),
            name.machine().to_string_lossy()
        ),
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        memory: info.totalram.saturating_mul(unit),
        free: info.freeram.saturating_mul(unit),
        uptime_s: u64::try_from(info.uptime).unwrap_or(0),
        load: info.loads.map(|load| load as f64 / 65_536.0),
    }
}

fn machine_text(machine: &Machine) -> String {
    let [one, five, fifteen] = machine.load;
    format!(
        "system      {}\nprocessors  {}\nmemory      {}, {} free\nup for      {}\nload        \
         {one:.2} {five:.2} {fifteen:.2}\n",
        machine.system,
        machine.processors,
        bytes(machine.memory),
        bytes(machine.free),
        span(std::time::Duration::from_secs(machine.uptime_s)),
    )
}

fn text(report: &Report) -> String {
    let supervisor = match &report.supervisor {
        Some(supervisor) => format!(
            "{} (pid {}), cgroups {}, log {}",
            supervisor.version,
            supervisor.pid,
            if supervisor.cgroups { "used" } else { "not used" },
            supervisor.log
        ),
        None => "does not run".to_owned(),
    };
    let mut text = format!(
        "program     {} {}\nhome        {}\nsupervisor  {supervisor}\n{}processes   {}\n",
        report.program,
        report.version,
        report.home,
        machine_text(&report.machine),
        report.processes.len()
    );
    for process in &report.processes {
        text.push_str(&format!(
            "  {} {}: {}, {} restarts, {}\n",
            process.id,
            crate::text::clean(&process.name),
            process.status,
            process.restarts,
            bytes(process.memory)
        ));
    }
    text
}
