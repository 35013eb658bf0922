use std::ffi::OsString;

use clap::{CommandFactory, Parser};

use super::{Pm2Cli, RuntimeCli, arranged, without_start};

fn words(line: &str) -> Vec<OsString> {
    line.split(' ').map(OsString::from).collect()
}

#[test]
fn flags_before_the_command_count_as_if_behind_it() {
    assert_eq!(
        arranged(words("pm2 -s --no-color start app.js")),
        words("pm2 start -s --no-color app.js")
    );
    assert_eq!(arranged(words("pm2 start -s app.js")), words("pm2 start -s app.js"));
    assert_eq!(arranged(words("pm2 -s")), words("pm2 -s"));
    assert_eq!(arranged(words("pm2")), words("pm2"));
}

#[test]
fn the_trees_are_sound() {
    Pm2Cli::command().debug_assert();
    RuntimeCli::command().debug_assert();
}

#[test]
fn help_names_no_command_of_tenants() {
    let help = Pm2Cli::command().render_long_help().to_string();
    for word in ["tenant", "WhatsApp", "portal"] {
        assert!(!help.to_lowercase().contains(word), "{word}: {help}");
    }
    assert!(help.contains("startOrRestart") && !help.contains("module:install"), "{help}");
}

#[test]
fn what_pm2s_users_type_is_understood() {
    for line in [
        "pm2 start app.js -i max --watch -n web -- --flag x",
        "pm2 start app.js -i -1 --max-memory-restart 200M --exp-backoff-restart-delay=100",
        "pm2 start --node-args=--harmony app.js -x -f",
        "pm2 start",
        "pm2 start -",
        "pm2 start app.js --no-autorestart --cron * --no-pmx --no-vizion",
        "pm2 -s ls",
        "pm2 ls --sort=name:desc -m",
        "pm2 l",
        "pm2 ps",
        "pm2 status",
        "pm2 stop web api 3",
        "pm2 restart all --update-env --watch --parallel 4",
        "pm2 reload web",
        "pm2 del all -f",
        "pm2 delete all.json --only web",
        "pm2 startOrRestart all.json --env production",
        "pm2 startOrGracefulReload all.json",
        "pm2 scale web -1",
        "pm2 scale web +2",
        "pm2 sendSignal SIGUSR2 web",
        "pm2 send 0 hello",
        "pm2 attach 0",
        "pm2 logs web --lines 100 --nostream --raw",
        "pm2 log --json",
        "pm2 logs --timestamp --err",
        "pm2 describe 0",
        "pm2 show web",
        "pm2 env 0",
        "pm2 pid",
        "pm2 id web",
        "pm2 flush",
        "pm2 reloadLogs",
        "pm2 reset all",
        "pm2 save --force",
        "pm2 dump",
        "pm2 resurrect",
        "pm2 cleardump",
        "pm2 kill",
        "pm2 ping",
        "pm2 updatePM2",
        "pm2 startup systemd -u alice --hp /site/alice --service-name x",
        "pm2 unstartup",
        "pm2 serve . 8081 --spa --name web",
        "pm2 expose --port 1 --ftp",
        "pm2 ecosystem simple",
        "pm2 set a.b c",
        "pm2 multiset a",
        "pm2 get",
        "pm2 unset all",
        "pm2 link a b --info-node c",
        "pm2 profile:cpu 3",
        "pm2 install pm2-logrotate",
    ] {
        let read = Pm2Cli::try_parse_from(arranged(words(line)));
        assert!(read.is_ok(), "{line}: {}", read.unwrap_err());
    }
    assert!(RuntimeCli::try_parse_from(words("pm2-runtime app.js -i 2 --raw")).is_ok());
    let line = without_start(words("pm2-runtime start all.json --json"));
    assert_eq!(line, words("pm2-runtime all.json --json"));
}

/// The guide for users of PM2.
const GUIDE: &str = include_str!("../../../../docs/from-pm2.md");

/// Whether the guide has a command or a flag in code.
fn guide_names(word: &str) -> bool {
    let ends = |rest: &str| rest.starts_with(|c: char| "` =[,".contains(c));
    let mut places = GUIDE.match_indices(word);
    places.any(|(at, _)| GUIDE[..at].ends_with(['`', ' ']) && ends(&GUIDE[at + word.len()..]))
}

#[test]
fn the_guide_for_users_of_pm2_tells_of_each_command_and_flag() {
    const OURS: [&str; 2] = ["supervisor", "static-server"];
    let tree = Pm2Cli::command();
    let commands = || tree.get_subcommands().filter(|one| !OURS.contains(&one.get_name()));
    for command in commands() {
        // Of a hidden one all names are PM2's; the others have some of our own that are not shown.
        let aliases: Vec<&str> = if command.is_hide_set() {
            command.get_all_aliases().collect()
        } else {
            command.get_visible_aliases().collect()
        };
        for name in std::iter::once(command.get_name()).chain(aliases) {
            assert!(guide_names(name), "docs/from-pm2.md does not tell of the command {name}");
        }
        let flags = command.get_arguments().filter(|flag| !flag.is_hide_set());
        for flag in flags.filter_map(|flag| flag.get_long()) {
            let (flag, name) = (format!("--{flag}"), command.get_name());
            assert!(guide_names(&flag), "docs/from-pm2.md does not tell of {flag} of {name}");
        }
    }
}

#[test]
fn what_the_guide_is_searched_for_must_stand_alone() {
    assert!(guide_names("start") && guide_names("--max-memory-restart"));
    assert!(!guide_names("star") && !guide_names("--max-memory"));
}
