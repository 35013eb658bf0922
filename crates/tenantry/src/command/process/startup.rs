//! `startup` and `unstartup`: the supervisor as a service of systemd.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};
use clap::Args;
use uzers::os::unix::UserExt as _;

use super::call::{Call, Output};
use super::unit::{Unit, is_plain_word};

/// Where units of the machine are.
const SYSTEM_UNITS: &str = "/etc/systemd/system";

#[derive(Debug, Args)]
pub struct StartupArgs {
    /// The init system; only systemd is known [default: the one that runs]
    platform: Option<String>,
    /// The user that the supervisor runs as [default: the one who calls]
    #[arg(long, short, value_name = "USER")]
    user: Option<String>,
    /// That user's home directory [default: what the system says]
    #[arg(long, value_name = "DIR")]
    hp: Option<PathBuf>,
    /// The unit's name [default: tenantry-USER, or pm2-USER through the name pm2]
    #[arg(long, value_name = "NAME")]
    service_name: Option<String>,
    /// Wait for the network to be up, not only configured
    #[arg(long)]
    wait_ip: bool,
    /// Print the unit instead of installing it
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    pub output: Output,
}

/// Installs and starts the unit.
///
/// # Errors
/// When this is not systemd, or it refuses.
pub fn startup(args: &StartupArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let (unit, name) = unit(args, call)?;
    if args.print {
        call.screen.write(&unit.text())?;
        return Ok(ExitCode::SUCCESS);
    }
    if !may_install(args, "startup", call)? {
        return Ok(ExitCode::FAILURE);
    }
    let path = Path::new(SYSTEM_UNITS).join(format!("{name}.service"));
    fs::write(&path, unit.text()).with_context(|| format!("cannot write {}", path.display()))?;
    systemctl(&["daemon-reload"])?;
    systemctl(&["enable", &name])?;
    call.say(&format!("{} is installed; the supervisor starts with the machine, and its processes with it. Start it now with `systemctl start {name}`", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Removes the unit.
///
/// # Errors
/// When this is not systemd, or it refuses.
pub fn unstartup(args: &StartupArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let (_, name) = unit(args, call)?;
    if !may_install(args, "unstartup", call)? {
        return Ok(ExitCode::FAILURE);
    }
    let path = Path::new(SYSTEM_UNITS).join(format!("{name}.service"));
    if !path.exists() {
        bail!("there is no {}; nothing to remove", path.display());
    }
    systemctl(&["disable", &name])?;
    fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    systemctl(&["daemon-reload"])?;
    call.say(&format!("{} is removed; what runs goes on", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn unit(args: &StartupArgs, call: &Call<'_>) -> anyhow::Result<(Unit, String)> {
    let user = match &args.user {
        Some(user) => user.clone(),
        None => caller()?,
    };
    let called = call.place.called().name();
    let name = args.service_name.clone().unwrap_or_else(|| format!("{called}-{user}"));
    for (word, flag) in [(&user, "--user"), (&name, "--service-name")] {
        if !is_plain_word(word) {
            bail!("{flag}: {word:?} may have letters, digits and . _ - @ only");
        }
    }
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let (user_home, root) = home_of(args, &user, call)?;
    let unit = Unit {
        program: stable(&program),
        arguments: call.place.at(root).supervisor_arguments(),
        user,
        user_home,
        path: call.variables.get("PATH").cloned().unwrap_or_default(),
        wait_for_network: args.wait_ip,
    };
    Ok((unit, name))
}

/// The user's home, and the home of the supervisor: the present one, or that of the user who is named.
fn home_of(args: &StartupArgs, user: &str, call: &Call<'_>) -> anyhow::Result<(PathBuf, PathBuf)> {
    let known = uzers::get_user_by_name(user).map(|user| user.home_dir().to_owned());
    let home = args.hp.clone().or(known);
    let home = home.with_context(|| format!("there is no user {user}; give --user or --hp"))?;
    let root = if args.hp.is_some() || args.user.is_some() {
        let folder = call.place.root().file_name().unwrap_or_default();
        home.join(folder)
    } else {
        call.place.root().to_owned()
    };
    Ok((home, root))
}

/// Who calls; behind `sudo` it is who called that.
fn caller() -> anyhow::Result<String> {
    let name = uzers::get_current_username().map(|name| name.to_string_lossy().into_owned());
    name.context("the system knows no name for the present user; give --user")
}

/// The path under which the program will still be found after an update: a link in PATH rather than what it leads to.
fn stable(program: &Path) -> PathBuf {
    let candidates = ["/usr/local/bin/tenantry", "/usr/bin/tenantry"].map(PathBuf::from);
    let same = |path: &PathBuf| fs::canonicalize(path).is_ok_and(|real| real == program);
    candidates.into_iter().find(same).unwrap_or_else(|| program.to_owned())
}

/// Whether the unit can be installed; else tells how it could.
fn may_install(args: &StartupArgs, verb: &str, call: &mut Call<'_>) -> anyhow::Result<bool> {
    match args.platform.as_deref() {
        None | Some("systemd" | "ubuntu" | "debian" | "centos" | "redhat" | "amazon" | "arch") => {}
        Some(other) => bail!(
            "{other}: only systemd is supported; for another init system, have it run `{} {}`",
            call.place.called().name(),
            call.place.supervisor_arguments().join(" ")
        ),
    }
    if !Path::new("/run/systemd/system").exists() {
        bail!(
            "systemd does not run here; have your init system run `{} {}`, or look at `{verb} --print`",
            call.place.called().name(),
            call.place.supervisor_arguments().join(" ")
        );
    }
    if rustix::process::geteuid().is_root() {
        return Ok(true);
    }
    let program = stable(&std::env::current_exe()?);
    let user = caller()?;
    let home = call.variables.get("HOME").cloned().unwrap_or_default();
    call.screen.line(&format!(
        "this needs root; run:\n  sudo env PATH=$PATH {} {verb} systemd -u {user} --hp {home}",
        program.display()
    ))?;
    Ok(false)
}

fn systemctl(args: &[&str]) -> anyhow::Result<()> {
    let output = Command::new("systemctl").args(args).output();
    let output =
        output.map_err(|error: io::Error| anyhow::anyhow!("cannot run systemctl: {error}"))?;
    if !output.status.success() {
        bail!(
            "systemctl {} failed: {}",
            args.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
