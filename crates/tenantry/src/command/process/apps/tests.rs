use std::path::Path;
use std::sync::Arc;

use pm2::{App, Homes};
use supervisor::wire::{Env, ProcessSpec};

use super::{Existing, Further, common_env, plan};

fn env(pairs: &[(&str, &str)]) -> Env {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn context(pairs: &[(&str, &str)]) -> pm2::Context {
    pm2::Context::new("/".into(), env(pairs), Homes::new(Path::new("/h")))
}

fn app(name: &str, instances: i64) -> App {
    let mut app = App::default();
    app.set("script", &"/bin/sleep".into()).unwrap();
    app.set("name", &name.into()).unwrap();
    app.set("instances", &instances.into()).unwrap();
    app
}

fn names(specs: &[ProcessSpec]) -> Vec<(String, u32)> {
    specs.iter().map(|spec| (spec.name.clone(), spec.instance)).collect()
}

#[test]
fn what_exists_keeps_its_place_and_its_inheritance() {
    let shell = context(&[("PATH", "/bin"), ("SHELL_VAR", "new")]);
    let first = plan(
        &[app("web", 2)],
        &context(&[("SHELL_VAR", "old")]),
        &Existing::default(),
        Further::default(),
    );
    let old = first.unwrap().start;
    let existing = Existing::new([4, 5].into_iter().zip(old).collect());
    let again = plan(&[app("web", 3)], &shell, &existing, Further::default()).unwrap().start;
    assert_eq!(names(&again), [("web".into(), 0), ("web".into(), 1), ("web".into(), 2)]);
    let inherited: Vec<_> = again.iter().map(|spec| spec.variable("SHELL_VAR").unwrap()).collect();
    assert_eq!(inherited, ["old", "old", "new"]);
    let refreshed = Further { update_env: true, ..Further::default() };
    let refreshed = plan(&[app("web", 1)], &shell, &existing, refreshed).unwrap().start;
    assert_eq!(refreshed[0].variable("SHELL_VAR"), Some("new"));
}

#[test]
fn a_second_copy_and_a_second_mention_get_numbers_of_their_own() {
    let shell = context(&[]);
    let old =
        plan(&[app("web", 1)], &shell, &Existing::default(), Further::default()).unwrap().start;
    let existing = Existing::new([0].into_iter().zip(old).collect());
    let more = Further { always_new: true, ..Further::default() };
    let copies = plan(&[app("web", 2)], &shell, &existing, more).unwrap().start;
    assert_eq!(names(&copies), [("web".into(), 1), ("web".into(), 2)]);
    let twice = [app("web", 1), app("web", 1)];
    let twice = plan(&twice, &shell, &Existing::default(), Further::default()).unwrap().start;
    assert_eq!(names(&twice), [("web".into(), 0), ("web".into(), 1)]);
}

#[test]
fn an_application_may_be_added_without_being_started() {
    let mut quiet = app("web", 1);
    quiet.set("autostart", &false.into()).unwrap();
    let plan = plan(&[quiet], &context(&[]), &Existing::default(), Further::default()).unwrap();
    assert!(plan.start.is_empty());
    assert_eq!(names(&plan.add), [("web".into(), 0)]);
}

#[test]
fn the_common_environment_is_sent_once() {
    let spec = |pairs: &[(&str, &str)]| {
        let mut spec = ProcessSpec::new("a", vec!["x".into()], "/".into(), "/l".into());
        spec.base_env = Arc::new(env(pairs));
        spec
    };
    let mut specs = [spec(&[("A", "1")]), spec(&[("A", "1")]), spec(&[("B", "2")])];
    assert_eq!(common_env(&mut specs), env(&[("A", "1")]));
    let left: Vec<_> = specs.iter().map(|spec| spec.base_env.len()).collect();
    assert_eq!(left, [0, 0, 1]);
    // One that is to inherit nothing would otherwise get what is common.
    let mut specs = [spec(&[("A", "1")]), spec(&[])];
    assert_eq!(common_env(&mut specs), Env::new());
    assert_eq!(specs[0].base_env.len(), 1);
}
