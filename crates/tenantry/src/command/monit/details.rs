//! What there is to know about the selected process, in words.

use std::path::Path;

use chrono::DateTime;
use supervisor::wire::{Limits, Phase, ProcessSpec, ProcessView, Readiness};

use super::order::state_words;
use super::process::Process;
use crate::text::{bytes, clean, time};

/// How a detail stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Plain,
    Bad,
}

/// One line: what it is about, and the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    pub label: &'static str,
    pub text: String,
    pub weight: Weight,
}

/// The details, the most telling first. Texts are harmless to a terminal.
pub fn details(process: &Process, spec: Option<&ProcessSpec>) -> Vec<Detail> {
    let mut list = Details(Vec::new());
    let row = &process.row;
    let weight = if row.state == Phase::Errored { Weight::Bad } else { Weight::Plain };
    list.add("status", state_words(row.state), weight);
    if let Some(view) = &process.view {
        list.course(view);
    }
    list.plain("pid", row.pid.map(|pid| pid.to_string()));
    if let Some(view) = &process.view {
        list.program(view);
    }
    if let Some(spec) = spec {
        list.rules(spec);
        list.limits(&spec.limits);
    }
    list.plain("instance", (row.instance > 0).then(|| row.instance.to_string()));
    list.plain("version", (!row.version.is_empty()).then(|| row.version.clone()));
    list.0
}

struct Details(Vec<Detail>);

impl Details {
    fn add(&mut self, label: &'static str, text: impl AsRef<str>, weight: Weight) {
        self.0.push(Detail { label, text: clean(text.as_ref()), weight });
    }

    fn plain(&mut self, label: &'static str, text: Option<String>) {
        if let Some(text) = text {
            self.add(label, text, Weight::Plain);
        }
    }

    fn bad(&mut self, label: &'static str, text: Option<String>) {
        if let Some(text) = text {
            self.add(label, text, Weight::Bad);
        }
    }

    /// What happened to it.
    fn course(&mut self, view: &ProcessView) {
        self.bad("reason", view.reason.clone());
        self.plain("says", view.status.clone());
        self.plain("last exit", view.exit.map(|exit| exit.to_string()));
        self.plain("next start", view.next_start_at.and_then(when));
        self.bad("log stuck", view.log_trouble.clone());
        self.bad("log lost", (view.log_bytes_lost > 0).then(|| bytes(view.log_bytes_lost)));
        let unstable = view.unstable > 0;
        self.plain(
            "unstable",
            unstable
                .then(|| format!("{} of {} exits", view.unstable, view.spec.restart.max_restarts)),
        );
    }

    /// What runs, and where.
    fn program(&mut self, view: &ProcessView) {
        self.plain("started", view.started_at.and_then(when));
        self.plain("command", Some(view.spec.command.join(" ")));
        self.plain("folder", Some(shown(&view.spec.cwd)));
        self.plain("output", Some(shown(&view.out_file)));
        self.plain("errors", view.error_file.as_deref().map(shown));
        self.plain("adopted", view.adopted.then(|| "from an earlier supervisor".to_owned()));
        for (key, value) in &view.labels {
            self.add("label", format!("{key}={value}"), Weight::Plain);
        }
    }

    /// When it is restarted, and what it must show.
    fn rules(&mut self, spec: &ProcessSpec) {
        self.plain("restart at", spec.max_memory_bytes.map(bytes));
        self.plain("cron", spec.cron_restart.clone());
        self.plain(
            "watching",
            spec.watch.as_ref().map(|watch| {
                watch.paths.iter().map(|path| shown(path)).collect::<Vec<_>>().join(" ")
            }),
        );
        self.plain("restarts", (!spec.restart.autorestart).then(|| "no".to_owned()));
        let ready = match &spec.ready {
            Readiness::Spawned => None,
            Readiness::Notify => Some("when it says READY=1".to_owned()),
            Readiness::Probe(probe) => Some(format!("when {probe:?} answers")),
        };
        self.plain("ready", ready);
        self.plain(
            "checked",
            spec.liveness.as_ref().map(|liveness| {
                format!("every {} ms, {} failures", liveness.interval_ms, liveness.failures)
            }),
        );
    }

    /// What the kernel holds it to.
    fn limits(&mut self, limits: &Limits) {
        self.plain("memory max", limits.memory_max.map(bytes));
        self.plain("cpu max", limits.cpu_max_percent.map(|percent| format!("{percent} %")));
        self.plain("nice", limits.nice.map(|nice| nice.to_string()));
        self.plain("user", limits.uid.map(|uid| uid.to_string()));
        self.plain("group", limits.gid.map(|gid| gid.to_string()));
        for (resource, limit) in &limits.rlimits {
            let value = |value: Option<u64>| {
                value.map_or_else(|| "unlimited".to_owned(), |value| value.to_string())
            };
            let text = format!(
                "{} {} / {}",
                crate::text::word(resource),
                value(limit.soft),
                value(limit.hard)
            );
            self.add("rlimit", text, Weight::Plain);
        }
        if let Some(confinement) = &limits.confinement {
            let paths = |paths: &[std::path::PathBuf]| {
                paths.iter().map(|path| shown(path)).collect::<Vec<_>>().join(" ")
            };
            self.add("may read", paths(&confinement.read), Weight::Plain);
            self.add("may write", paths(&confinement.write), Weight::Plain);
        }
        self.plain("privileges", limits.no_new_privs.then(|| "never gains any".to_owned()));
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn when(at_ms: i64) -> Option<String> {
    DateTime::from_timestamp_millis(at_ms).map(time)
}

#[cfg(test)]
mod tests {
    use supervisor::wire::{Confinement, Exit, Probe, Resource, ResourceLimit, WatchFiles};

    use super::*;
    use crate::command::monit::sample;

    fn text(details: &[Detail]) -> String {
        details.iter().map(|detail| format!("{}: {}\n", detail.label, detail.text)).collect()
    }

    #[test]
    fn a_failed_process_says_why_first() {
        let view = ProcessView {
            state: Phase::Errored,
            pid: None,
            exit: Some(Exit::Code(3)),
            reason: Some("16 unstable\u{1b}[2J exits".to_owned()),
            unstable: 16,
            status: Some("resting".to_owned()),
            log_bytes_lost: 2048,
            ..sample::view(1, "bot")
        };
        let details = details(&Process::of_view(view), None);
        let text = text(&details);
        assert!(
            text.starts_with(
                "status: errored\nreason: 16 unstable\u{fffd}[2J exits\nsays: resting\nlast exit: exit code 3\n\
                 log lost: 2.0 KiB\nunstable: 16 of 16 exits\n"
            ),
            "{text}"
        );
        assert_eq!(details[0].weight, Weight::Bad);
        assert!(text.contains("command: node bot.js\nfolder: /srv\n"), "{text}");
    }

    #[test]
    fn every_limit_is_named() {
        let process = Process::of_view(sample::view(1, "bot"));
        let mut spec = ProcessSpec::new("bot", vec!["a".to_owned()], "/".into(), "/o".into());
        spec.max_memory_bytes = Some(1024);
        spec.cron_restart = Some("0 4 * * *".to_owned());
        spec.watch = Some(WatchFiles { paths: vec!["/w".into()], ignore: vec![], delay_ms: 1 });
        spec.ready = Readiness::Probe(Probe::Port(80));
        spec.limits = Limits {
            rlimits: [(Resource::Nofile, ResourceLimit { soft: Some(9), hard: None })].into(),
            nice: Some(5),
            uid: Some(1001),
            gid: Some(1002),
            groups: Vec::new(),
            memory_max: Some(4096),
            cpu_max_percent: Some(50),
            no_new_privs: true,
            confinement: Some(Confinement { read: vec!["/usr".into()], write: vec!["/d".into()] }),
        };
        let text = text(&details(&process, Some(&spec)));
        for line in [
            "restart at: 1.0 KiB",
            "cron: 0 4 * * *",
            "watching: /w",
            "ready: when Port(80) answers",
            "memory max: 4.0 KiB",
            "cpu max: 50 %",
            "nice: 5",
            "user: 1001",
            "group: 1002",
            "rlimit: nofile 9 / unlimited",
            "may read: /usr",
            "may write: /d",
            "privileges: never gains any",
        ] {
            assert!(text.contains(&format!("{line}\n")), "{line} is not in\n{text}");
        }
    }
}
