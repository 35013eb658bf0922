use clap::{CommandFactory, Parser};

use super::Cli;

fn accepted(line: &str) -> bool {
    Cli::try_parse_from(line.split(' ')).is_ok()
}

#[test]
fn the_tree_is_sound_and_every_command_says_what_it_does() {
    fn walk(command: &clap::Command, path: &str) {
        let path = format!("{path} {}", command.get_name());
        assert!(command.get_about().is_some(), "{path} has no description");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{path} {} has no help", argument.get_id());
        }
        command.get_subcommands().for_each(|sub| walk(sub, &path));
    }
    let mut command = Cli::command();
    command.build();
    command.clone().debug_assert();
    let commands: Vec<_> = command.get_subcommands().collect();
    assert!(commands.len() >= 14);
    for sub in commands.into_iter().filter(|sub| sub.get_name() != "help") {
        walk(sub, "tenantry");
    }
}

#[test]
fn help_can_be_printed_for_every_command() {
    fn walk(command: &mut clap::Command) {
        let help = command.render_long_help().to_string();
        assert!(help.contains("Usage:"), "{help}");
        command.get_subcommands_mut().for_each(walk);
    }
    let mut command = Cli::command();
    command.build();
    walk(&mut command);
}

/// What README and docs show.
const DOCUMENTED: &[&str] = &[
    "tenantry server --port 0 --bind 127.0.0.1 --home /tmp/h",
    "tenantry --home /tmp/h server --log-level debug",
    "tenantry supervisor --run-dir /tmp/r",
    "tenantry supervisor --home /tmp/h",
    "tenantry worker run",
    "tenantry worker start acme --wait 2.5",
    "tenantry worker force-restart acme --json",
    "tenantry config --json",
    "tenantry send acme +254700000001 Karibu --wait --json",
    "tenantry send acme 254700000001 hi --wait=delivered --timeout 5 --idempotency-key order-17",
    "tenantry send acme +254700000001 --media menu.pdf --caption Menu --kind document --file-name m.pdf",
    "tenantry send acme +254700000001 yes --reply-to 3EB0 --expires-in 600",
    "tenantry send acme +254700000001 --react 3EB0 x",
    "tenantry send echo hello",
    "tenantry message 0190a000-0000-7000-8000-000000000001 --json",
    "tenantry config --reference",
    "tenantry backup /tmp/b.tar.gz --passphrase-file /tmp/p --force --json",
    "tenantry backup /tmp/b.tar.gz --recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
    "tenantry restore /tmp/b.tar.gz --passphrase-file /tmp/p --database-url sqlite:/tmp/x.db --start",
    "tenantry restore /tmp/b.tar.gz --identity /tmp/k --force --json",
    "tenantry db status --json",
    "tenantry db migrate",
    "tenantry db copy --from sqlite:/tmp/a.db --to postgres://u:p@h/d --json",
    "tenantry tenant add Acme --phone +254700000001 --greeting Hi",
    "tenantry tenant add Acme --command node bot.js --cwd /srv --env A=1 --env B --heartbeat process",
    "tenantry tenant add Acme --env A=1 -- node --flag bot.js --cwd x",
    "tenantry tenant add Acme --phone -5",
    "tenantry tenant set acme --no-command --no-env --phone=",
    "tenantry tenant show acme --json",
    "tenantry tenant list",
    "tenantry tenant delete acme -y",
    "tenantry tenants --json --url http://127.0.0.1:1 --token-file /t",
    "tenantry status acme",
    "tenantry qr acme --once --json",
    "tenantry logs acme -f --lines 3 --raw",
    "tenantry messages acme",
    "tenantry events acme --after 3",
    "tenantry audit",
    "tenantry session reset acme --yes",
    "tenantry rules show acme --json",
    "tenantry rules set acme rules.toml",
    "tenantry rules set acme -",
    "tenantry rules set acme --template booking-sw",
    "tenantry rules clear acme -y",
    "tenantry rules templates",
    "tenantry rules templates shop-en --json",
    "tenantry rules test acme Hello --first-contact --name Asha --at 2026-11-25T21:00:00+03:00",
    "tenantry rules test acme --media image --file draft.json --json",
    "tenantry rules secret acme --yes",
    "tenantry tenant link acme --minutes 120 --json",
    "tenantry tenant link acme --revoke",
    "tenantry pacing show acme --json",
    "tenantry pacing set acme pacing.toml",
    "tenantry pacing off acme",
    "tenantry pacing default acme --json",
    "tenantry health",
    "tenantry logs",
    "tenantry logs web api --nostream --err --timestamp",
    "tenantry status",
    "tenantry start app.js -n web -i max --watch --env A=1 --env production -- --flag x",
    "tenantry start apps.toml --only web,api --parallel 4 --json",
    "tenantry stop web acme /^api/ all",
    "tenantry restart web --update-env --max-memory-restart 200M",
    "tenantry reload all",
    "tenantry delete 3 --force",
    "tenantry list --sort memory:desc --json",
    "tenantry describe web",
    "tenantry scale web -1",
    "tenantry save",
    "tenantry kill --forget",
    "tenantry startup --print",
    "tenantry serve . 8081 --spa --host 0.0.0.0",
    "tenantry init --toml",
    "tenantry completion bash",
    "tenantry man /tmp/pages",
    "tenantry schema",
    "tenantry import pm2 --from /x --dry-run",
    "tenantry user invite a@b.c --role operator --json",
    "tenantry user invite a@b.c --owner duka --staff other",
    "tenantry user",
    "tenantry user update a@b.c --lock",
    "tenantry key create shop --scope send,read --tenant duka --days 90",
    "tenantry key",
    "tenantry audit verify",
    "tenantry openapi",
];

#[test]
fn the_documented_commands_are_understood() {
    for line in DOCUMENTED {
        assert!(accepted(line), "{line}: {}", Cli::try_parse_from(line.split(' ')).unwrap_err());
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for line in [
        "tenantry",
        "tenantry frobnicate",
        "tenantry worker",
        "tenantry worker start",
        "tenantry worker start acme --wait -1",
        "tenantry worker start acme --wait nan",
        "tenantry tenant add",
        "tenantry tenant add Acme --command a -- b",
        "tenantry tenant add Acme --heartbeat sometimes",
        "tenantry tenant set acme --no-command --command x",
        "tenantry tenant set acme --no-env --env A=1",
        "tenantry tenant link acme --minutes 4",
        "tenantry tenant link acme --minutes 10081",
        "tenantry tenant link acme --minutes 60 --revoke",
        "tenantry logs acme --lines many",
        "tenantry logs --err --out",
        "tenantry stop",
        "tenantry list --sort nonsense",
        "tenantry scale web x",
        "tenantry kill --keep --forget",
        "tenantry sendSignal SIGNOPE web",
        "tenantry serve . 1 --basic-auth-username u",
    ] {
        assert!(!accepted(line), "{line}");
    }
}
