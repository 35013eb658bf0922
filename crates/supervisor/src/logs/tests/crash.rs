//! The program is killed again and again while it moves output.

use std::collections::BTreeSet;
use std::process::{Child, Command};

use super::*;
use crate::logs::fifo::make_fifo;

/// Where the process that is to be killed finds its FIFOs. It is this very test, started once more.
const DIR: &str = "SUPERVISOR_TEST_CRASH_DIR";
const LINES: usize = 12_000;
const KILLS: usize = 12;

fn specs(dir: &Path) -> Vec<ProcessSpec> {
    let spec = |name: &str, json: bool, date: Option<&str>| {
        let out = dir.join(name);
        let mut spec = ProcessSpec::new("app", vec!["true".to_owned()], dir.to_owned(), out);
        spec.log_max_bytes = 0;
        spec.log_type = if json { LogType::Json } else { LogType::Raw };
        spec.log_date_format = date.map(str::to_owned);
        spec
    };
    vec![
        spec("raw", false, None),
        spec("json", true, None),
        spec("dated", false, Some("[at]")),
        spec("shared", false, None),
        spec("shared", false, None),
    ]
}

/// Some lines are longer than a pipe.
fn text(number: usize) -> String {
    let length = if number.is_multiple_of(400) { 150_000 } else { number % 150 };
    format!("line {number} {}", "x".repeat(length))
}

fn fifo(dir: &Path, id: usize) -> PathBuf {
    dir.join(format!("{id}.fifo"))
}

fn pump_until_killed(dir: &Path) {
    let pump = LogPump::start().unwrap();
    let attached: Vec<_> = specs(dir)
        .iter()
        .enumerate()
        .map(|(id, spec)| {
            let path = fifo(dir, id);
            let fifo = fifo::open_ours(&path).unwrap();
            let source = Source { origin: Origin::Out, fifo, path };
            let plan = LogPlan::of(u32::try_from(id).unwrap(), spec);
            pump.attach(plan, vec![source], Pulse::default()).unwrap()
        })
        .collect();
    while attached.len() == specs(dir).len() {
        std::thread::park();
    }
}

fn start(dir: &Path) -> Child {
    let test = "logs::tests::crash::no_line_is_lost_or_torn_by_kills";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact"]).env(DIR, dir).spawn().unwrap()
}

fn size(dir: &Path) -> u64 {
    let sizes = specs(dir).into_iter().filter_map(|spec| fs::metadata(spec.out_file).ok());
    sizes.map(|metadata| metadata.len()).sum()
}

/// All numbers in order, and nothing that was not written: a last piece may be there twice.
fn check(found: &[String], who: &str) {
    let mut next = 0;
    let mut seen = BTreeSet::new();
    for line in found {
        let number = line.strip_prefix("line ").and_then(|rest| rest.split(' ').next());
        let Some(number) = number.and_then(|number| number.parse::<usize>().ok()) else {
            // The last piece of a long line, twice.
            assert!(line.bytes().all(|byte| byte == b'x'), "{who}: {line:.40}");
            continue;
        };
        let expected = text(number);
        let long = expected.len() > 100_000;
        assert!(
            *line == expected || long && line.starts_with(&expected),
            "{who}: {number} is torn"
        );
        assert!(number <= next, "{who}: {next} is lost before {number}");
        if seen.insert(number) {
            next = number + 1;
        }
    }
    assert_eq!(next, LINES, "{who}");
}

#[tokio::test]
async fn no_line_is_lost_or_torn_by_kills() {
    if let Some(dir) = std::env::var_os(DIR) {
        return pump_until_killed(Path::new(&dir));
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let writers: Vec<_> = (0..specs(dir).len())
        .map(|id| {
            make_fifo(&fifo(dir, id)).unwrap();
            let mut out = File::options().read(true).write(true).open(fifo(dir, id)).unwrap();
            std::thread::spawn(move || {
                for number in 0..LINES {
                    out.write_all(format!("{}\n", text(number)).as_bytes()).unwrap();
                }
                out
            })
        })
        .collect();
    let whole = 5 * (0..LINES).map(|number| text(number).len() as u64).sum::<u64>();
    let rest = Duration::from_millis(2);
    let mut child = start(dir);
    for kill in 1..=KILLS {
        let enough = whole * kill as u64 / (KILLS as u64 + 1);
        let deadline = Instant::now() + DEADLINE;
        while size(dir) < enough {
            assert!(Instant::now() < deadline, "nothing is moved");
            std::thread::park_timeout(rest);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        child = start(dir);
    }
    let kept: Vec<File> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
    let deadline = Instant::now() + DEADLINE;
    while kept.iter().any(|fifo| rustix::io::ioctl_fionread(fifo).unwrap() > 0) {
        assert!(Instant::now() < deadline, "the rest is not moved");
        std::thread::park_timeout(rest);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // Bytes that were never looked at are there exactly once.
    let exact: String = (0..LINES).map(|number| text(number) + "\n").collect();
    assert!(read(&dir.join("raw")) == exact);
    check(&messages(&dir.join("json")), "json");
    let undated = |line: String| line.strip_prefix("at: ").unwrap().to_owned();
    check(&lines(&dir.join("dated")).into_iter().map(undated).collect::<Vec<_>>(), "dated");
    check_both(&lines(&dir.join("shared")));
}

/// Two writers, line by line: each number is there at least twice, whole.
fn check_both(found: &[String]) {
    let mut counts = vec![0; LINES];
    for line in found {
        let number = line.strip_prefix("line ").and_then(|rest| rest.split(' ').next());
        let Some(number) = number.and_then(|number| number.parse::<usize>().ok()) else {
            assert!(line.bytes().all(|byte| byte == b'x'), "shared: {line:.40}");
            continue;
        };
        let expected = text(number);
        let long = expected.len() > 100_000;
        // A long line that kept the other waiting for a second may have been cut.
        assert!(*line == expected || long, "shared: {number} is torn");
        counts[number] += 1;
    }
    assert!(counts.iter().all(|count| *count >= 2), "shared: a line is lost");
}
