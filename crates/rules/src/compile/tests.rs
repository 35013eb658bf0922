use super::Rules;
use crate::limits;
use crate::read::from_toml;

fn told(toml: &str) -> Vec<String> {
    let set = from_toml(toml).unwrap();
    let mistakes = Rules::compile(&set).unwrap_err();
    mistakes.iter().map(ToString::to_string).collect()
}

fn rule(when: &str, action: &str) -> String {
    format!("[[rules]]\nname = \"r\"\nmatch = {{ {when} }}\naction = {action}\n")
}

#[test]
fn mistakes_name_rule_field_and_remedy() {
    let reply = r#"{ reply = "x" }"#;
    let table = [
        (
            rule(r#"regex = ["a(b"]"#, reply),
            "rules[0].match.regex[0]: rule \"r\": ",
            "unclosed group",
        ),
        (rule(r#"regex = ["(?=a)"]"#, reply), "rules[0].match.regex[0]: ", "split it into several"),
        (rule(r#"regex = ["(a{1000}){1000}"]"#, reply), "rules[0].match.regex[0]: ", "too large"),
        (rule(r#"regex = ["\\p{Nonsense}"]"#, reply), "rules[0].match.regex[0]: ", "use keywords"),
        (rule(r#"keywords = [" "]"#, reply), "rules[0].match.keywords[0]: ", "is empty"),
        (
            rule(r#"keyword_mode = "exact""#, reply),
            "rules[0].match.keyword_mode: ",
            "add `keywords`",
        ),
        (rule(r#"hours = "open""#, reply), "rules[0].match.hours: ", "set `hours`"),
        (
            rule("", r#"{ reply = "Hi {nam}" }"#),
            "rules[0].action.reply: ",
            "did you mean \"name\"?",
        ),
        (rule("", r#""webhook""#), "rules[0].action: ", "set `webhook"),
        (
            rule("", "{ hand_over = { minutes = 0 } }"),
            "rules[0].action.hand_over.minutes: ",
            "from 1 to",
        ),
        (
            rule("", r#"{ media = { kind = "image" } }"#),
            "rules[0].action.media: ",
            "set `url` or `file`",
        ),
        (
            rule("", r#"{ media = { kind = "image", file = "../x" } }"#),
            "rules[0].action.media.file: ",
            "plain file name",
        ),
        (
            rule("", r#"{ media = { kind = "image", url = "ftp://x" } }"#),
            "rules[0].action.media.url: ",
            "https://host/path",
        ),
        (
            format!("time_zone = \"Africa/Nairobbi\"\n{}", rule("", reply)),
            "time_zone: ",
            "Africa/Nairobi",
        ),
        (
            format!("webhook = {{ url = \"https://u:p@x/\" }}\n{}", rule("", reply)),
            "webhook.url: ",
            "password",
        ),
        (
            format!("variables = {{ name = \"x\" }}\n{}", rule("", reply)),
            "variables.name: ",
            "built-in",
        ),
        (
            format!("opt_out = {{ words = [\"START\"] }}\n{}", rule("", reply)),
            "opt_out.words: ",
            "opts in",
        ),
        (
            format!("opt_out = {{ return_words = [\"acha\"] }}\n{}", rule("", reply)),
            "opt_out.return_words: ",
            "opts out already",
        ),
        ("rules = []".to_owned(), "rules: ", "clear the rules"),
    ];
    for (toml, field, part) in table {
        let mistakes = told(&toml);
        let found = mistakes.iter().any(|m| m.starts_with(field) && m.contains(part));
        assert!(found, "{field}… {part} is not in {mistakes:#?}");
        assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let toml =
        [rule(r#"regex = ["("]"#, r#"{ reply = "{x}" }"#), rule("", r#"{ reply = "" }"#)].concat();
    let fields: Vec<String> =
        told(&toml).iter().map(|m| m.split(": ").next().unwrap().to_owned()).collect();
    let expected = [
        "rules[1].name",
        "rules[0].match.regex[0]",
        "rules[0].action.reply",
        "rules[1].action.reply",
    ];
    assert_eq!(fields, expected);
}

#[test]
fn a_rule_behind_one_that_takes_everything_is_told() {
    let all = "[[rules]]\nname = \"all\"\naction = \"ignore\"\n";
    let mistakes = told(&[all, &rule(r#"keywords = ["x"]"#, r#""ignore""#)].concat());
    assert_eq!(mistakes.len(), 1);
    assert!(
        mistakes[0].starts_with("rules[1].match: rule \"r\": can never match: rule \"all\""),
        "{mistakes:?}"
    );
}

#[test]
fn everything_is_bounded() {
    let many = (0..=limits::RULES)
        .map(|n| format!("[[rules]]\nname = \"r{n}\"\nmatch = {{ keywords = [\"k\"] }}\naction = \"ignore\"\n"))
        .collect::<String>();
    assert!(told(&many)[0].contains("at most 200"));
    let words = vec!["\"w\""; limits::LIST + 1].join(",");
    assert!(told(&rule(&format!("keywords = [{words}]"), r#""ignore""#))[0].contains("at most 50"));
    let long = "x".repeat(limits::REGEX + 1);
    assert!(
        told(&rule(&format!("regex = [\"{long}\"]"), r#""ignore""#))[0].contains("at most 500")
    );
    let reply = "x".repeat(limits::REPLY + 1);
    assert!(told(&rule("", &format!("{{ reply = \"{reply}\" }}")))[0].contains("at most 4096"));
}

#[test]
fn useful_expressions_are_small_enough() {
    let useful = [r"\b[\w.]+@[\w.]+\b", r"\b\+?\d[\d \-]{7,14}\d\b", r"\b[A-Z]{2}\d{4}\b"];
    for pattern in useful {
        let toml = rule(&format!("regex = ['{pattern}']"), r#""ignore""#);
        assert!(Rules::compile(&from_toml(&toml).unwrap()).is_ok(), "{pattern}");
    }
}

#[test]
fn no_expression_takes_long() {
    // What hangs engines that try every way.
    let toml = rule(r#"regex = ["(a*)*(a*)*b", "(x+x+)+y"]"#, r#""ignore""#);
    let rules = Rules::compile(&from_toml(&toml).unwrap()).unwrap();
    let text = "a".repeat(100_000);
    let message = crate::Incoming {
        text: &text,
        media: crate::Media::Text,
        name: "",
        number: "",
        in_group: false,
    };
    let context = crate::Context {
        now: chrono::Utc::now(),
        business: "",
        first_contact: false,
        opted_out: false,
        handed_over_until: None,
    };
    let begin = std::time::Instant::now();
    let _ = rules.decide(&message, &context);
    assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
}

#[test]
fn the_example_of_the_page_is_a_good_set() {
    let page = include_str!("../../../../docs/rules.md");
    let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(Rules::compile(&from_toml(example).unwrap()).unwrap().rules.len(), 6);
}

#[test]
fn the_page_names_the_words_and_limits_that_count() {
    let page = include_str!("../../../../docs/rules.md");
    let words = crate::opt_out::OUT.iter().chain(crate::opt_out::BACK).map(|(word, _)| word);
    // `optout` and the like are spellings of words that the page has.
    for word in words.filter(|word| !["stopall", "optout", "optin"].contains(word)) {
        assert!(page.contains(&format!("`{}`", word.to_uppercase())), "{word}");
    }
    let bounds =
        [limits::RULES, limits::LIST, limits::REGEX, limits::VALUE, limits::REPLY, limits::HOURS];
    for bound in bounds {
        assert!(page.contains(&bound.to_string()), "{bound}");
    }
}
