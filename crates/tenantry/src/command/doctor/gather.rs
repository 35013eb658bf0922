//! Looks at the machine and the installation. What cannot be looked at counts as not there.

mod clock;
mod exposure;
mod files;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use api::client::AdminClient;
use control::config::Home;
use supervisor::client::Client;
use supervisor::enforcement::Enforcement;
use tokio::time::timeout;

use super::facts::{
    Daemon, Facts, Installation, Machine, ServerFact, Settings, StartAtBoot, SupervisorFact,
};
use crate::connection::{Environment, Reach};

/// A program that takes longer for an answer does not answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a part that is well says.
const WELL: &str = "ok";
/// How the units of ours begin.
const UNIT: &str = "tenantry";

/// Everything, as it is now.
pub async fn facts(environment: &Environment) -> Facts {
    let mut settings = Settings::default();
    let (mut sessions, mut tls_key) = (None, None);
    match environment.settings(BTreeMap::new()) {
        Ok(loaded) => {
            settings.warnings = loaded.warnings.iter().map(ToString::to_string).collect();
            settings.exposure = Some(exposure::of(&loaded.settings));
            tls_key = loaded.settings.tls_key.clone();
            sessions = Some(loaded.settings.sessions_path);
        }
        Err(mistakes) => {
            settings.mistakes = mistakes.to_string().lines().map(str::to_owned).collect();
        }
    }
    let installation = match environment.home() {
        Ok(home) => {
            let sessions = sessions.unwrap_or_else(|| home.sessions());
            Some(installation(&home, &sessions, tls_key.as_deref(), environment).await)
        }
        // It is among the mistakes in the settings.
        Err(_) => None,
    };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Facts { version, machine: machine(environment), settings, installation }
}

fn machine(environment: &Environment) -> Machine {
    Machine {
        enforcement: Enforcement::probe(),
        inotify_watches: number("/proc/sys/fs/inotify/max_user_watches"),
        inotify_instances: number("/proc/sys/fs/inotify/max_user_instances"),
        pipe_pages: number("/proc/sys/fs/pipe-user-pages-soft"),
        start: start_at_boot(environment),
        node: environment.variable("PATH").and_then(|path| program(&path, "node")),
        program_age_s: program_age_s(),
        clock_kept: clock::is_kept(),
        entropy: number("/proc/sys/kernel/random/entropy_avail"),
    }
}

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// A program in a search path.
fn program(path: &str, name: &str) -> Option<PathBuf> {
    let candidates = env::split_paths(path).map(|folder| folder.join(name));
    candidates
        .filter(|path| rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok())
        .find(|path| path.is_file())
}

fn program_age_s() -> Option<i64> {
    let made = fs::metadata(env::current_exe().ok()?).ok()?.modified().ok()?;
    Some(-seconds_ahead(made))
}

/// How far a time lies in the future; negative in the past.
fn seconds_ahead(time: SystemTime) -> i64 {
    let signed = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(SystemTime::now()) {
        Ok(ahead) => signed(ahead),
        Err(past) => -signed(past.duration()),
    }
}

fn start_at_boot(environment: &Environment) -> StartAtBoot {
    if !Path::new("/run/systemd/system").is_dir() {
        return StartAtBoot::NoSystemd;
    }
    let system = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
    if let Some(unit) = system.iter().find_map(|folder| unit(Path::new(folder))) {
        return StartAtBoot::System(unit);
    }
    let config = environment
        .variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| environment.variable("HOME").map(|home| Path::new(&home).join(".config")));
    match config.and_then(|config| unit(&config.join("systemd/user"))) {
        None => StartAtBoot::NoUnit,
        Some(unit) => {
            let user = environment.variable("USER").unwrap_or_default();
            let lingers =
                !user.is_empty() && Path::new("/var/lib/systemd/linger").join(user).exists();
            StartAtBoot::User { unit, lingers }
        }
    }
}

/// A unit of ours in a folder.
fn unit(folder: &Path) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(UNIT) && name.ends_with(".service")
    })
}

async fn installation(
    home: &Home,
    sessions: &Path,
    tls_key: Option<&Path>,
    environment: &Environment,
) -> Installation {
    Installation {
        home: home.root().to_owned(),
        exists: home.root().is_dir(),
        uid: rustix::process::geteuid().as_raw(),
        files: files::permissions(home, sessions, tls_key),
        disks: files::disks(home, sessions),
        too_long_socket: home.too_long_socket(),
        supervisor: supervisor(home).await,
        server: server(home, environment).await,
        leftovers: files::leftovers(home),
        future_s: files::future_s(home),
    }
}

async fn supervisor(home: &Home) -> Daemon<SupervisorFact> {
    let sign = home.supervisor_socket();
    if !sign.exists() {
        return Daemon::Absent;
    }
    let answer = match Client::new(&sign) {
        Ok(client) => timeout(PATIENCE, client.info()).await,
        Err(error) => return Daemon::Silent { sign, why: error.to_string() },
    };
    match answer {
        Ok(Ok(info)) => Daemon::Running(SupervisorFact {
            version: info.version,
            pid: info.pid,
            processes: info.processes,
            cgroups: info.cgroups,
        }),
        Ok(Err(error)) => Daemon::Silent { sign, why: error.to_string() },
        Err(_) => Daemon::Silent { sign, why: no_answer() },
    }
}

/// The server that the home says it has, or that the environment names.
async fn server(home: &Home, environment: &Environment) -> Daemon<ServerFact> {
    let sign = home.server_file();
    let named = environment.variable("TENANTRY_URL").is_some_and(|url| !url.trim().is_empty());
    if !sign.exists() && !named {
        return Daemon::Absent;
    }
    let reach = Reach::default();
    let client = reach.url(environment).and_then(|url| {
        let client: AdminClient = reach.anonymous_client(environment)?;
        Ok((url, client))
    });
    let (url, client) = match client {
        Ok(client) => client,
        Err(error) => return Daemon::Silent { sign, why: error.to_string() },
    };
    match timeout(PATIENCE, client.health()).await {
        Ok(Ok(health)) => Daemon::Running(ServerFact {
            version: health.version,
            url,
            ill: health.parts.into_iter().filter(|(_, state)| state != WELL).collect(),
        }),
        Ok(Err(error)) => Daemon::Silent { sign, why: error.to_string() },
        Err(_) => Daemon::Silent { sign, why: no_answer() },
    }
}

fn no_answer() -> String {
    format!("no answer within {} s", PATIENCE.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::judge::judge;

    #[test]
    fn a_program_is_found_where_it_can_be_executed() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("plain"), "").unwrap();
        let path = format!("/nonexistent:{}:/bin:/usr/bin", dir.path().display());
        assert_eq!(program(&path, "plain"), None);
        assert!(program(&path, "sh").unwrap().is_absolute());
    }

    #[test]
    fn a_unit_is_found_by_its_name() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("other.service"), "").unwrap();
        fs::write(dir.path().join("tenantry.service.d"), "").unwrap();
        assert_eq!(unit(dir.path()), None);
        let ours = dir.path().join("tenantry-root.service");
        fs::write(&ours, "").unwrap();
        assert_eq!(unit(dir.path()), Some(ours));
        assert_eq!(unit(&dir.path().join("missing")), None);
    }

    #[tokio::test]
    async fn a_home_with_a_dead_socket_and_an_open_token_is_seen_as_such() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("run")).unwrap();
        drop(
            std::os::unix::net::UnixListener::bind(dir.path().join("run/supervisor.sock")).unwrap(),
        );
        fs::write(dir.path().join("admin.token"), "secret").unwrap();
        let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o644);
        fs::set_permissions(dir.path().join("admin.token"), mode).unwrap();
        fs::write(dir.path().join("tenantry.toml"), "no_such_setting = 1\n").unwrap();

        let facts = facts(&Environment::of(dir.path(), &[])).await;
        let installation = facts.installation.as_ref().unwrap();
        assert!(matches!(&installation.supervisor, Daemon::Silent { .. }));
        assert!(matches!(&installation.server, Daemon::Absent));
        assert!(!installation.disks.is_empty());
        let findings = judge(&facts);
        let said = |check: &str, part: &str| {
            findings.iter().any(|finding| finding.check == check && finding.found.contains(part))
        };
        assert!(said("settings", "no_such_setting"), "{findings:#?}");
        assert!(said("permissions", "admin.token has mode 644"), "{findings:#?}");
        assert!(said("supervisor", "does not answer"), "{findings:#?}");
    }
}
