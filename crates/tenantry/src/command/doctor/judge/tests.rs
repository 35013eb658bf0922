use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use supervisor::enforcement::{CgroupAccess, CgroupParent, Enforcement, Kernel};

use super::judge;
use crate::command::doctor::facts::{
    CertificateFact, Daemon, Disk, Exposure, Facts, FileFact, FileKind, Installation, Machine,
    ServerFact, Settings, StartAtBoot, SupervisorFact,
};
use crate::command::doctor::finding::{Finding, Level};

/// A server on the internet that is guarded.
fn guarded() -> Exposure {
    let path = "/etc/ssl/cert.pem".into();
    Exposure {
        remote: true,
        proxies: false,
        certificate: Some(CertificateFact { path, expires_s: Ok(60 * 86_400) }),
        admin_password: None,
        portal_key: Some(64),
        limited: true,
    }
}

/// A machine and an installation on which all is well.
fn well() -> Facts {
    let controllers = ["cpu", "memory", "pids"].map(str::to_owned);
    let enforcement = Enforcement {
        kernel: Kernel::of_release("6.18.1"),
        pidfd: true,
        adopted_exit_status: true,
        born_in_cgroup: true,
        cgroup: CgroupAccess::Usable(CgroupParent {
            path: "/sys/fs/cgroup".into(),
            controllers: BTreeSet::from(controllers),
            kill: true,
        }),
        landlock_abi: 7,
        lowest_nice: -20,
        switch_user: true,
        unlimited_pipes: true,
        open_files: Some(524_288),
    };
    let supervisor =
        SupervisorFact { version: "1.0.0".to_owned(), pid: 7, processes: 10, cgroups: true };
    let server = ServerFact {
        version: "1.0.0".to_owned(),
        url: "http://127.0.0.1:7700".to_owned(),
        ill: BTreeMap::new(),
    };
    Facts {
        version: "1.0.0".to_owned(),
        machine: Machine {
            enforcement,
            inotify_watches: Some(524_288),
            inotify_instances: Some(1024),
            pipe_pages: Some(16_384),
            start: StartAtBoot::System("/etc/systemd/system/tenantry.service".into()),
            node: Some("/usr/bin/node".into()),
            program_age_s: Some(1000),
            clock_kept: Some(true),
            entropy: Some(256),
        },
        settings: Settings { exposure: Some(guarded()), ..Settings::default() },
        installation: Some(Installation {
            home: "/h/t".into(),
            exists: true,
            uid: 1000,
            files: vec![file(FileKind::Folder, 0o700, 1000), file(FileKind::Secret, 0o600, 1000)],
            disks: vec![disk(100 << 30)],
            too_long_socket: None,
            supervisor: Daemon::Running(supervisor),
            server: Daemon::Running(server),
            leftovers: Vec::new(),
            future_s: None,
        }),
    }
}

fn file(kind: FileKind, mode: u32, owner: u32) -> FileFact {
    FileFact { path: "/h/t/f".into(), kind, mode: 0o100_000 | mode, owner }
}

fn disk(free_bytes: u64) -> Disk {
    let path = "/h/t".into();
    Disk { what: "the home", path, free_bytes, total_bytes: 200 << 30, free_files: Some(1_000_000) }
}

/// What is found when something is not well.
fn with(change: impl FnOnce(&mut Machine, &mut Installation)) -> Vec<Finding> {
    let mut facts = well();
    change(&mut facts.machine, facts.installation.as_mut().unwrap());
    judge(&facts)
}

/// The one thing that is not well, and how badly.
fn fault(change: impl FnOnce(&mut Machine, &mut Installation)) -> (&'static str, Level) {
    let findings = with(change);
    let faults: Vec<_> = findings.iter().filter(|finding| finding.level != Level::Ok).collect();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(faults[0].remedy.is_some(), "{faults:#?}");
    (faults[0].check, faults[0].level)
}

const WARNING: Level = Level::Warning;
const PROBLEM: Level = Level::Problem;

#[test]
fn where_all_is_well_there_is_nothing_to_do() {
    let findings = judge(&well());
    assert!(findings.iter().all(|finding| finding.level == Level::Ok), "{findings:#?}");
    assert!(findings.iter().all(|finding| finding.remedy.is_none()), "{findings:#?}");
    let checks: BTreeSet<_> = findings.iter().map(|finding| finding.check).collect();
    assert_eq!(checks.len(), findings.len(), "each check has a name of its own");
}

#[test]
fn what_the_kernel_cannot_do_is_said() {
    let old = |m: &mut Machine, _: &mut _| m.enforcement.kernel = Kernel::of_release("4.19.0");
    assert_eq!(fault(old), ("kernel", PROBLEM));
    assert_eq!(fault(|m, _| m.enforcement.pidfd = false), ("kernel", PROBLEM));
    assert_eq!(fault(|m, _| m.enforcement.landlock_abi = 0), ("confinement", WARNING));
    assert_eq!(fault(|m, _| m.enforcement.born_in_cgroup = false), ("children", WARNING));
    assert_eq!(fault(|m, _| m.inotify_watches = None), ("file-watching", WARNING));
    assert_eq!(fault(|m, _| m.inotify_instances = Some(4)), ("file-watching", WARNING));
    let weak = with(|m, _| {
        m.enforcement.adopted_exit_status = false;
        m.enforcement.landlock_abi = 2;
        m.enforcement.switch_user = false;
    });
    assert!(weak.iter().all(|finding| finding.level == Level::Ok), "{weak:#?}");
}

#[test]
fn limits_need_their_controllers() {
    let without = |controller: &'static str| {
        move |m: &mut Machine, _: &mut Installation| {
            if let CgroupAccess::Usable(parent) = &mut m.enforcement.cgroup {
                parent.controllers.remove(controller);
            }
        }
    };
    assert_eq!(fault(without("memory")), ("memory-limit", WARNING));
    assert_eq!(fault(without("cpu")), ("cpu-limit", WARNING));
}

#[test]
fn the_running_supervisor_knows_best_whether_children_can_escape() {
    let children = |facts: Vec<Finding>| {
        facts.into_iter().find(|finding| finding.check == "children").unwrap()
    };
    let unusable = |m: &mut Machine| {
        m.enforcement.cgroup = CgroupAccess::Unusable { reason: "denied".to_owned() };
    };
    assert_eq!(children(with(|m, _| unusable(m))).level, Level::Ok);
    let nobody = children(with(|m, i| {
        unusable(m);
        i.supervisor = Daemon::Absent;
    }));
    assert_eq!((nobody.level, nobody.found.contains("denied")), (WARNING, true));
    let without = children(with(|_, i| {
        if let Daemon::Running(supervisor) = &mut i.supervisor {
            supervisor.cgroups = false;
        }
    }));
    assert_eq!(without.level, WARNING);
}

#[test]
fn tenants_that_nothing_keeps_apart_are_a_warning() {
    let findings = with(|m, _| {
        m.enforcement.switch_user = false;
        m.enforcement.landlock_abi = 0;
    });
    let users = findings.iter().find(|finding| finding.check == "users").unwrap();
    assert_eq!(users.level, WARNING);
}

#[test]
fn open_files_and_pipes_must_do_for_the_processes() {
    assert_eq!(fault(|m, _| m.enforcement.open_files = Some(1024)), ("open-files", WARNING));
    assert_eq!(fault(|m, _| m.enforcement.open_files = Some(128)), ("open-files", PROBLEM));
    let findings = with(|m, _| m.enforcement.open_files = Some(3100));
    let files = findings.iter().find(|finding| finding.check == "open-files").unwrap();
    assert_eq!(files.meaning, "room for 1000 processes at 3 descriptors each");
    assert_eq!(fault(|m, _| m.enforcement.unlimited_pipes = false), ("pipes", WARNING));
    let enough = with(|m, _| {
        m.enforcement.unlimited_pipes = false;
        m.pipe_pages = Some(524_288);
    });
    assert!(enough.iter().all(|finding| finding.level == Level::Ok), "{enough:#?}");
}

#[test]
fn what_starts_at_boot_is_said() {
    for start in [
        StartAtBoot::NoSystemd,
        StartAtBoot::NoUnit,
        StartAtBoot::User { unit: "/u".into(), lingers: false },
    ] {
        assert_eq!(fault(|m, _| m.start = start.clone()), ("start-at-boot", WARNING), "{start:?}");
    }
    let lingers = with(|m, _| m.start = StartAtBoot::User { unit: "/u".into(), lingers: true });
    assert!(lingers.iter().all(|finding| finding.level == Level::Ok));
    assert_eq!(fault(|m, _| m.node = None), ("node", WARNING));
}

#[test]
fn a_wrong_clock_is_seen() {
    assert_eq!(fault(|m, _| m.program_age_s = Some(-1_000_000)), ("clock", PROBLEM));
    assert_eq!(fault(|_, i| i.future_s = Some(4000)), ("clock", WARNING));
    assert_eq!(fault(|m, _| m.clock_kept = Some(false)), ("clock", WARNING));
    assert_eq!(fault(|m, _| m.entropy = Some(20)), ("entropy", WARNING));
}

#[test]
fn the_home_must_be_closed_to_others() {
    let with_file =
        |file: FileFact| move |_: &mut Machine, i: &mut Installation| i.files.push(file);
    let cases = [
        (file(FileKind::Folder, 0o755, 1000), WARNING),
        (file(FileKind::Folder, 0o777, 1000), PROBLEM),
        (file(FileKind::Secret, 0o640, 1000), PROBLEM),
        (file(FileKind::Secret, 0o604, 1000), PROBLEM),
        (file(FileKind::Secret, 0o600, 0), PROBLEM),
        (file(FileKind::Session, 0o701, 1000), PROBLEM),
    ];
    for (file, level) in cases {
        let shown = format!("{file:?}");
        assert_eq!(fault(with_file(file)), ("permissions", level), "{shown}");
    }
    let tenants_own = with(with_file(file(FileKind::Session, 0o700, 5000)));
    assert!(tenants_own.iter().all(|finding| finding.level == Level::Ok), "{tenants_own:#?}");
}

#[test]
fn disks_run_full_by_bytes_and_by_files() {
    assert_eq!(fault(|_, i| i.disks = vec![disk(500 << 20)]), ("disk", WARNING));
    assert_eq!(fault(|_, i| i.disks = vec![disk(5 << 20)]), ("disk", PROBLEM));
    let few = Disk { free_files: Some(3), ..disk(100 << 30) };
    assert_eq!(fault(|_, i| i.disks = vec![few]), ("disk", PROBLEM));
    let uncounted = Disk { free_files: None, ..disk(100 << 30) };
    assert!(with(|_, i| i.disks = vec![uncounted]).iter().all(|f| f.level == Level::Ok));
}

#[test]
fn daemons_that_are_silent_ill_or_of_another_version_are_told() {
    let silent = || ("/run/x".into(), "refused".to_owned());
    let (sign, why) = silent();
    assert_eq!(fault(|_, i| i.supervisor = Daemon::Silent { sign, why }), ("supervisor", WARNING));
    let (sign, why) = silent();
    assert_eq!(fault(|_, i| i.server = Daemon::Silent { sign, why }), ("server", WARNING));
    let older = "0.9.0".to_owned();
    let supervisor = |i: &mut Installation| {
        if let Daemon::Running(found) = &mut i.supervisor {
            found.version.clone_from(&older);
        }
    };
    assert_eq!(fault(|_, i| supervisor(i)), ("supervisor", WARNING));
    let server = |i: &mut Installation, change: fn(&mut ServerFact)| {
        if let Daemon::Running(found) = &mut i.server {
            change(found);
        }
    };
    assert_eq!(fault(|_, i| server(i, |found| found.version.clear())), ("server", WARNING));
    let ill = |found: &mut ServerFact| {
        found.ill.insert("store".to_owned(), "locked".to_owned());
    };
    assert_eq!(fault(|_, i| server(i, ill)), ("server", PROBLEM));
    assert_eq!(fault(|_, i| i.leftovers = vec!["/x.new".into()]), ("leftovers", WARNING));
    assert_eq!(fault(|_, i| i.too_long_socket = Some("/x".into())), ("socket-path", PROBLEM));
}

#[test]
fn each_mistake_in_the_settings_is_a_problem() {
    let mut facts = well();
    facts.settings.mistakes = vec!["port: no number".to_owned(), "bind: no address".to_owned()];
    facts.installation = None;
    let findings = judge(&facts);
    let mistakes = findings.iter().filter(|finding| finding.check == "settings");
    assert!(mistakes.clone().all(|finding| finding.level == PROBLEM));
    assert_eq!(mistakes.count(), 2);
}

#[test]
fn a_home_that_does_not_exist_yet_is_fine() {
    let findings = with(|_, i| {
        i.exists = false;
        i.files.clear();
        i.disks.clear();
        i.supervisor = Daemon::Absent;
        i.server = Daemon::Absent;
    });
    assert!(findings.iter().all(|finding| finding.level == Level::Ok), "{findings:#?}");
}

proptest! {
    #[test]
    fn only_what_is_not_well_has_a_remedy(
        open_files in proptest::option::of(0_u64..100_000),
        mode in 0_u32..0o1000,
        free in any::<u64>(),
        abi in 0_u32..9,
        minor in 0_u32..20,
    ) {
        let findings = with(|m, i| {
            m.enforcement.open_files = open_files;
            m.enforcement.landlock_abi = abi;
            m.enforcement.kernel = Kernel::of_release(&format!("5.{minor}.0"));
            i.files = vec![file(FileKind::Secret, mode, 1000)];
            i.disks = vec![disk(free)];
        });
        for finding in findings {
            prop_assert_eq!(finding.level == Level::Ok, finding.remedy.is_none());
            prop_assert!(!finding.found.is_empty() && !finding.meaning.is_empty());
        }
    }
}

/// The one finding that is not well when the server is exposed so.
fn exposed(change: impl FnOnce(&mut Exposure)) -> (&'static str, Level) {
    let mut exposure = guarded();
    change(&mut exposure);
    let mut facts = well();
    facts.settings.exposure = Some(exposure);
    let faults: Vec<_> = judge(&facts).into_iter().filter(|it| it.level != Level::Ok).collect();
    let [fault] = &faults[..] else { panic!("not one fault: {faults:#?}") };
    assert!(fault.remedy.is_some());
    (fault.check, fault.level)
}

#[test]
fn what_lets_others_in_is_said() {
    assert_eq!(exposed(|it| it.certificate = None), ("exposure", PROBLEM));
    assert_eq!(exposed(|it| it.limited = false), ("exposure", WARNING));
    assert_eq!(exposed(|it| it.admin_password = Some(8)), ("admin-password", WARNING));
    assert_eq!(exposed(|it| it.portal_key = Some(16)), ("portal-key", WARNING));
}

#[test]
fn a_certificate_that_ends_is_said() {
    let ends = |expires_s: Result<i64, String>| {
        exposed(move |it| it.certificate.as_mut().unwrap().expires_s = expires_s)
    };
    assert_eq!(ends(Ok(20 * 86_400)), ("certificate", WARNING));
    assert_eq!(ends(Ok(0)), ("certificate", PROBLEM));
    assert_eq!(ends(Err("no PEM".to_owned())), ("certificate", PROBLEM));
}
