//! Whether the home is sound, and what runs in it.

use crate::command::doctor::facts::{Daemon, Disk, Facts, FileFact, FileKind, Installation};
use crate::command::doctor::finding::Finding;
use crate::text::bytes;

/// Below this much room logs and databases fail soon.
const FULL: u64 = 100 << 20;
/// Below this much it is time to look.
const FILLING: u64 = 1 << 30;
/// Fewer files than these can be made: as good as full.
const FEW_FILES: u64 = 1000;

pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = settings(facts);
    let Some(installation) = &facts.installation else {
        return findings;
    };
    findings.push(socket_path(installation));
    if !installation.exists {
        findings.push(Finding::ok(
            "home",
            format!("{} does not exist", installation.home.display()),
            "nothing was started here yet; the first start makes it",
        ));
        return findings;
    }
    findings.extend(permissions(installation));
    findings.extend(installation.disks.iter().map(disk));
    findings.push(supervisor(installation, &facts.version));
    findings.push(server(installation, &facts.version));
    findings.push(leftovers(installation));
    findings
}

fn settings(facts: &Facts) -> Vec<Finding> {
    let check = "settings";
    let mistakes = facts.settings.mistakes.iter().map(|mistake| {
        let remedy = "correct it; `tenantry config` shows every setting and where it comes from";
        Finding::problem(check, mistake, "the server does not start", remedy)
    });
    let warnings = facts.settings.warnings.iter().map(|warning| {
        Finding::warning(check, warning, "the server starts all the same", "see `tenantry config`")
    });
    let mut findings: Vec<_> = mistakes.chain(warnings).collect();
    if findings.is_empty() {
        findings.push(Finding::ok(check, "no mistakes", "the server can start"));
    }
    findings
}

fn socket_path(installation: &Installation) -> Finding {
    let check = "socket-path";
    match &installation.too_long_socket {
        None => Finding::ok(check, "short enough", "the sockets can be made"),
        Some(path) => Finding::problem(
            check,
            format!("{} is too long for a socket", path.display()),
            "neither the supervisor nor the server can start",
            "set TENANTRY_HOME to a folder with a shorter path",
        ),
    }
}

fn permissions(installation: &Installation) -> Vec<Finding> {
    let faults = installation.files.iter().filter_map(|file| file_fault(file, installation.uid));
    let mut findings: Vec<_> = faults.collect();
    if findings.is_empty() {
        findings.push(Finding::ok(
            "permissions",
            format!("{}: closed to other users", installation.home.display()),
            "only this user can read tokens, sessions and logs, and give orders",
        ));
    }
    findings
}

fn file_fault(file: &FileFact, uid: u32) -> Option<Finding> {
    let check = "permissions";
    let path = file.path.display();
    let mode = file.mode & 0o777;
    if file.owner != uid && file.kind != FileKind::Session {
        return Some(Finding::problem(
            check,
            format!("{path} belongs to user {}, not to user {uid}", file.owner),
            "starting may fail, and that user can read and change it",
            format!("run Tenantry as one user only; chown -R {uid} {path} gives it back"),
        ));
    }
    if mode & 0o022 != 0 {
        return Some(Finding::problem(
            check,
            format!("{path} has mode {mode:03o}: others may change it"),
            "other users of this machine can take over what runs here",
            format!("chmod go-rwx {path}"),
        ));
    }
    match file.kind {
        FileKind::Secret | FileKind::Session if mode & 0o077 != 0 => Some(Finding::problem(
            check,
            format!("{path} has mode {mode:03o}: others may read it"),
            "other users of this machine can read what gives access to tenants",
            format!("chmod go-rwx {path}"),
        )),
        FileKind::Folder if mode & 0o077 != 0 => Some(Finding::warning(
            check,
            format!("{path} has mode {mode:03o}: others may look into it"),
            "other users of this machine see the names of files; what is secret is closed on its own",
            format!("chmod 700 {path}"),
        )),
        FileKind::Secret | FileKind::Session | FileKind::Folder => None,
    }
}

fn disk(disk: &Disk) -> Finding {
    let check = "disk";
    let text = format!(
        "{} free of {} for {} ({})",
        bytes(disk.free_bytes),
        bytes(disk.total_bytes),
        disk.what,
        disk.path.display()
    );
    let remedy =
        "free some room: `tenantry flush` empties logs, log_keep and log_max_bytes bound them";
    if disk.free_files.is_some_and(|files| files < FEW_FILES) {
        let meaning = "no files can be made any more: messages and state cannot be kept";
        return Finding::problem(
            check,
            format!("{text}, but hardly any files left"),
            meaning,
            remedy,
        );
    }
    if disk.free_bytes < FULL {
        let meaning =
            "soon nothing can be written: messages wait, logs are lost, changes are refused";
        return Finding::problem(check, text, meaning, remedy);
    }
    if disk.free_bytes < FILLING {
        return Finding::warning(check, text, "there is little room for logs and messages", remedy);
    }
    Finding::ok(check, text, "there is room")
}

fn supervisor(installation: &Installation, version: &str) -> Finding {
    let check = "supervisor";
    match &installation.supervisor {
        Daemon::Absent => Finding::ok(
            check,
            "does not run",
            "nothing is restarted; what it kept goes on running until the next one takes over",
        ),
        Daemon::Silent { sign, why } => Finding::warning(
            check,
            format!("does not answer at {}: {why}", sign.display()),
            "workers go on, but are not restarted when they end; if it was killed, its output waits in the pipes",
            "start it with `tenantry supervisor` (or its service): it takes over what runs",
        ),
        Daemon::Running(found) if found.version != version => Finding::warning(
            check,
            format!(
                "version {} runs (pid {}), this program is {version}",
                found.version, found.pid
            ),
            "the two may not understand each other in everything",
            "tenantry supervisor upgrade: no process is stopped by that",
        ),
        Daemon::Running(found) => Finding::ok(
            check,
            format!(
                "version {} runs (pid {}), {} processes",
                found.version, found.pid, found.processes
            ),
            "processes are watched and restarted",
        ),
    }
}

fn server(installation: &Installation, version: &str) -> Finding {
    let check = "server";
    match &installation.server {
        Daemon::Absent => Finding::ok(
            check,
            "does not run",
            "workers go on; tenants cannot be looked at or changed until `tenantry server` runs",
        ),
        Daemon::Silent { sign, why } => Finding::warning(
            check,
            format!("{} says that it runs, but it does not answer: {why}", sign.display()),
            "it was probably killed; workers go on and keep what they have to say",
            "start it with `tenantry server` (or its service)",
        ),
        Daemon::Running(found) if !found.ill.is_empty() => {
            let parts = found.ill.iter().map(|(part, why)| format!("{part}: {why}"));
            Finding::problem(
                check,
                format!(
                    "runs at {}, but is not well: {}",
                    found.url,
                    parts.collect::<Vec<_>>().join("; ")
                ),
                "some of what tenants are told or asked for does not happen",
                "see logs/server.log in the home",
            )
        }
        Daemon::Running(found) if found.version != version => Finding::warning(
            check,
            format!("version {} runs at {}, this program is {version}", found.version, found.url),
            "the two may not understand each other in everything",
            "restart `tenantry server`; workers go on meanwhile",
        ),
        Daemon::Running(found) => Finding::ok(
            check,
            format!("version {} runs at {}", found.version, found.url),
            "tenants are served",
        ),
    }
}

fn leftovers(installation: &Installation) -> Finding {
    let check = "leftovers";
    if installation.leftovers.is_empty() {
        return Finding::ok(check, "none", "nothing was interrupted while it wrote a file");
    }
    let files: Vec<_> =
        installation.leftovers.iter().map(|path| path.display().to_string()).collect();
    Finding::warning(
        check,
        files.join(", "),
        "a program was interrupted while it wrote them; nothing reads them",
        "they may be deleted while nothing of Tenantry runs",
    )
}
