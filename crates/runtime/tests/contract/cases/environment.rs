use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::place::Place;
use crate::poll::eventually;

/// What a shell, a JSON parser or a JavaScript engine might take for something else.
const AWKWARD: [&str; 14] = [
    "",
    " two  spaces ",
    "'single' \"double\" `back`",
    "$(touch owned) `touch owned` $HOME ${X}",
    "; touch owned && touch owned | cat > owned",
    "line one\nline two\r\ttab",
    "back\\slash \\n \\\\",
    "Mama Njeri's ☕ ሰላም \u{2028}\u{2029}\u{feff}",
    "*?[a-z]{a,b} ~ ~root",
    "--flag=value",
    "-",
    "%s %d {} ${{}} <%= 1 %>",
    "null",
    "0123",
];

/// The parts of a file that a worker has written, which end in NUL.
async fn parts(path: &Path) -> Vec<String> {
    let text =
        eventually(&format!("{} is written", path.display()), async || std::fs::read(path).ok())
            .await;
    let text = String::from_utf8(text).unwrap();
    text.strip_suffix('\0').unwrap().split('\0').map(str::to_owned).collect()
}

pub async fn what_is_told_arrives_exactly(place: &impl Place) {
    let runtime = place.runtime();
    let script = "printf '%s\\0' \"$@\" > args.new && mv args.new args
        cat /proc/$$/environ > environment.new && mv environment.new environment
        exec sleep 600";
    let mut launch = place.launch("exact", script);
    launch.command.push("sh".to_owned());
    launch.command.extend(AWKWARD.map(str::to_owned));
    for (index, value) in AWKWARD.iter().enumerate() {
        launch.env.insert(format!("AWKWARD_{index}"), (*value).to_owned());
    }
    launch.env.insert("lower.case-and+odd".to_owned(), "x".to_owned());
    runtime.start(&launch, Duration::ZERO).await.unwrap();

    assert_eq!(parts(&place.dir().join("args")).await, AWKWARD);
    let environment: BTreeMap<String, String> = parts(&place.dir().join("environment"))
        .await
        .iter()
        .map(|part| part.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for (name, value) in &launch.env {
        assert_eq!(environment.get(name), Some(value), "{name}");
    }
    let more: Vec<_> = environment
        .keys()
        .filter(|name| !launch.env.contains_key(*name) && !place.is_own_variable(name))
        .collect();
    assert!(more.is_empty(), "nobody asked for {more:?}");
    let callers: Vec<_> = std::env::vars()
        .filter(|(name, value)| {
            !launch.env.contains_key(name) && environment.get(name) == Some(value)
        })
        .collect();
    assert!(callers.is_empty(), "the caller's {callers:?}");
    assert!(!place.dir().join("owned").exists(), "a shell has read an argument");
    runtime.forget("exact").await.unwrap();
}
