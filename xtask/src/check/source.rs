//! As much of Rust's grammar as the checks need: what is code, and where functions begin and end.

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of its `fn`, from 1.
    pub line: usize,
    /// Lines from its `fn` to its closing brace, both counted.
    pub lines: usize,
}

/// The source with every comment and literal blanked out, line for line.
pub fn code_only(source: &str) -> String {
    let characters: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let end = literal_or_comment(&characters, at);
        if end == at {
            code.push(character);
            at += 1;
        } else {
            let hidden = characters.get(at..end).unwrap_or_default();
            code.extend(hidden.iter().map(|hidden| if *hidden == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// Where the comment or literal that begins at `at` ends; `at` itself when none begins there.
fn literal_or_comment(text: &[char], at: usize) -> usize {
    let here = |offset: usize| text.get(at + offset).copied().unwrap_or('\0');
    match (here(0), here(1)) {
        ('/', '/') => find(text, at, |character| character == '\n'),
        ('/', '*') => block_comment(text, at),
        ('"', _) => quoted(text, at + 1, '"'),
        ('\'', '\\') => quoted(text, at + 1, '\''),
        ('\'', _) if here(2) == '\'' => at + 3,
        ('r', '"' | '#') if !after_word(text, at) => raw_string(text, at),
        // `br"…"` and `cr"…"`: the `b` or `c` stays, which does no harm.
        ('r', '"' | '#') if matches!(text.get(at - 1), Some('b' | 'c')) => raw_string(text, at),
        _ => at,
    }
}

/// The first place from `at` on that `wanted` holds for, or the end.
fn find(text: &[char], at: usize, wanted: impl Fn(char) -> bool) -> usize {
    (at..text.len()).find(|index| wanted(text[*index])).unwrap_or(text.len())
}

/// Whether the character before `at` belongs to a word, so that no new one begins at `at`.
fn after_word(text: &[char], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| text.get(before)).is_some_and(|before| in_word(*before))
}

fn in_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The end of a block comment, which may hold others.
fn block_comment(text: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while at < text.len() {
        match (text[at], text.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) if depth == 1 => return at + 2,
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    text.len()
}

/// The end of a literal with escapes, from the character after its opening quote.
fn quoted(text: &[char], mut at: usize, quote: char) -> usize {
    while let Some(&character) = text.get(at) {
        at += match character {
            '\\' => 2,
            _ if character == quote => return at + 1,
            _ => 1,
        };
    }
    text.len()
}

/// The end of a raw string that begins with the `r` at `start`; `start` for a raw identifier.
fn raw_string(text: &[char], start: usize) -> usize {
    let quote = find(text, start + 1, |character| character != '#');
    if text.get(quote) != Some(&'"') {
        return start;
    }
    let hashes = quote - start - 1;
    let mut at = quote + 1;
    while at < text.len() {
        let closes = (1..=hashes).all(|offset| text.get(at + offset) == Some(&'#'));
        if text[at] == '"' && closes {
            return at + hashes + 1;
        }
        at += 1;
    }
    text.len()
}

/// Every function with a body, nested ones too, in the order of their beginnings.
pub fn functions(source: &str) -> Vec<Function> {
    let code: Vec<char> = code_only(source).chars().collect();
    let mut functions = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < code.len() {
        let keyword = code[at] == 'f' && code.get(at + 1) == Some(&'n');
        let bounded = !after_word(&code, at)
            && code.get(at + 2).is_some_and(|next| next.is_whitespace())
            && (at == 0 || code[at - 1] != '#');
        if keyword && bounded {
            let begin = find(&code, at + 2, |character| !character.is_whitespace());
            let end = find(&code, begin, |character| !in_word(character));
            if let (true, Some(lines)) = (end > begin, body_lines(&code, at, end)) {
                functions.push(Function { name: code[begin..end].iter().collect(), line, lines });
            }
        }
        line += usize::from(code[at] == '\n');
        at += 1;
    }
    functions
}

/// The number of lines from `start` to the end of the body that follows `at`; none when a
/// semicolon ends the signature.
fn body_lines(code: &[char], start: usize, at: usize) -> Option<usize> {
    let (mut brackets, mut braces) = (0_usize, 0_usize);
    for index in at..code.len() {
        match code[index] {
            '(' | '[' if braces == 0 => brackets += 1,
            ')' | ']' if braces == 0 => brackets = brackets.saturating_sub(1),
            ';' if braces == 0 && brackets == 0 => return None,
            '{' if brackets == 0 || braces > 0 => braces += 1,
            '}' if braces == 1 => {
                let breaks = code[start..index].iter().filter(|character| **character == '\n');
                return Some(breaks.count() + 1);
            }
            '}' => braces = braces.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{code_only, functions};

    fn found(source: &str) -> Vec<(String, usize, usize)> {
        let all = functions(source).into_iter();
        all.map(|function| (function.name, function.line, function.lines)).collect()
    }

    #[test]
    fn literals_and_comments_are_no_code() {
        let source =
            "a /* x /* y */ z */ b // c\n\"d { \\\" }\" 'e' '\\'' r#\"f \" {\"# &'g h br\"i\"";
        let code = code_only(source);
        let words: Vec<&str> = code.split_whitespace().collect();
        assert_eq!(words, ["a", "b", "&'g", "h", "b"]);
        assert_eq!(code.lines().count(), source.lines().count());
    }

    #[test]
    fn a_function_reaches_from_its_fn_to_its_brace() {
        let source = "\n/// Doc.\npub fn one(\n    a: [u8; 3],\n) -> u8 {\n    '{';\n    0\n}\n";
        assert_eq!(found(source), [("one".to_owned(), 3, 6)]);
    }

    #[test]
    fn declarations_and_pointer_types_have_no_body() {
        assert_eq!(
            found("trait T { fn a(&self) -> [u8; 2]; }\nfn b(f: fn(u8)) {}"),
            [("b".to_owned(), 2, 1)]
        );
    }

    #[test]
    fn nested_functions_and_methods_are_found() {
        let source = "impl A {\n    fn a() {\n        fn b() {\n        }\n    }\n}";
        assert_eq!(found(source), [("a".to_owned(), 2, 4), ("b".to_owned(), 3, 2)]);
    }

    #[test]
    fn odd_ends_do_no_harm() {
        for source in ["", "fn", "fn a", "fn a(", "\"open", "/* open", "r#\"open", "'", "r#fn x"] {
            assert_eq!(found(source), [], "{source}");
        }
    }
}
