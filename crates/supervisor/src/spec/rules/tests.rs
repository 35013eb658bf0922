use super::*;

fn spec() -> ProcessSpec {
    ProcessSpec::new("bot", vec!["bot".into()], "/srv".into(), "/var/log/bot.log".into())
}

fn refused(change: impl FnOnce(&mut ProcessSpec)) -> String {
    let mut spec = spec();
    change(&mut spec);
    spec.validate().unwrap_err().to_string()
}

fn watch(paths: &[&str], ignore: &[&str]) -> WatchFiles {
    WatchFiles {
        paths: paths.iter().map(PathBuf::from).collect(),
        ignore: ignore.iter().map(|text| (*text).to_owned()).collect(),
        delay_ms: 200,
    }
}

#[test]
fn a_cron_pattern_must_be_one() {
    let mut good = spec();
    good.cron_restart = Some("0 3 * * *".into());
    assert_eq!(good.validate(), Ok(()));
    let problem = refused(|spec| spec.cron_restart = Some("0".into()));
    assert!(problem.starts_with("cron_restart: \"0\" is no cron pattern"), "{problem}");
    let problem = refused(|spec| spec.cron_restart = Some("0 0 30 2 *".into()));
    assert_eq!(problem, "cron_restart: \"0 0 30 2 *\" names a time that never comes");
}

#[test]
fn watched_files_are_named_and_the_ignore_list_is_of_regular_expressions() {
    let mut good = spec();
    good.watch = Some(watch(&["/srv/app"], &[r"[/\\]\.|node_modules"]));
    assert_eq!(good.validate(), Ok(()));
    let problem = refused(|spec| spec.watch = Some(watch(&[], &[])));
    assert_eq!(problem, "watch.paths: must be at least one path");
    let problem = refused(|spec| spec.watch = Some(watch(&["/srv"], &["*.log"])));
    assert!(problem.starts_with("watch.ignore: \"*.log\" is no regular expression: "), "{problem}");
    let long = WatchFiles { delay_ms: 3_600_001, ..watch(&["/srv"], &[]) };
    let problem = refused(|spec| spec.watch = Some(long));
    assert_eq!(problem, "watch.delay_ms: must be at most 3600000 (an hour)");
}
