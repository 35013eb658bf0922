use std::path::Path;

use clap::Parser;

use super::fields::{AddArgs, SetArgs};
use super::shown;
use crate::connection::Environment;

#[derive(Parser)]
struct Add {
    #[command(flatten)]
    args: AddArgs,
}

#[derive(Parser)]
struct Set {
    #[command(flatten)]
    args: SetArgs,
}

fn environment() -> Environment {
    Environment::of(Path::new("/tmp/h"), &[("TOKEN", "s3cret")])
}

#[test]
fn a_program_is_an_argument_vector_in_both_forms() {
    let line = ["x", "Acme", "--command", "node", "bot.js", "--cwd", "/srv"];
    let wish = Add::parse_from(line).args.wish(&environment()).unwrap();
    assert_eq!(wish.command.unwrap(), ["node", "bot.js"]);
    assert_eq!(wish.cwd.as_deref(), Some("/srv"));
    let line = ["x", "Acme", "--", "node", "--inspect", "a b; rm *"];
    let wish = Add::parse_from(line).args.wish(&environment()).unwrap();
    assert_eq!(wish.command.unwrap(), ["node", "--inspect", "a b; rm *"]);
}

#[test]
fn a_variable_without_a_value_is_taken_from_the_environment() {
    let line = ["x", "Acme", "--env", "A=1=2", "--env", "TOKEN", "--env", "EMPTY="];
    let wish = Add::parse_from(line).args.wish(&environment()).unwrap();
    let env: Vec<(&str, &str)> =
        wish.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(env, [("A", "1=2"), ("EMPTY", ""), ("TOKEN", "s3cret")]);
    for bad in ["UNSET", "=1", "A B=1"] {
        assert!(Add::parse_from(["x", "Acme", "--env", bad]).args.wish(&environment()).is_err());
    }
    let twice = ["x", "Acme", "--env", "A=1", "--env", "A=2"];
    assert!(Add::parse_from(twice).args.wish(&environment()).is_err());
}

#[test]
fn a_change_holds_only_what_was_given() {
    let change = |line: &[&str]| Set::parse_from(line).args.change(&environment());
    assert!(change(&["x", "acme"]).is_err());
    let only = change(&["x", "acme", "--greeting", ""]).unwrap();
    assert_eq!(only.greeting.as_deref(), Some(""));
    assert!(only.env.is_none() && only.command.is_none() && only.phone.is_none());
    let back = change(&["x", "acme", "--no-command", "--no-env"]).unwrap();
    assert_eq!(back.command, Some(Vec::new()));
    assert_eq!(back.env.map(|env| env.len()), Some(0));
}

#[test]
fn one_sees_where_an_argument_ends() {
    let argv = ["node", "a b", "", "--x=1"].map(str::to_owned);
    assert_eq!(shown(&argv), r#"node "a b" "" --x=1"#);
}
