//! A path into the repository that Markdown or a doc comment names must exist.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use super::Findings;
use crate::workspace::Workspace;

/// Folders of the repository that text may name although nothing is in them any more.
const PLANNED: [&str; 7] = [".ci", "benches", "crates", "docs", "tests", "web", "xtask"];

/// What tools make is not there in a fresh checkout.
const MADE_BY_TOOLS: [&str; 3] = ["target", "node_modules", "dist"];

/// A place in a text that names a path.
#[derive(Debug, PartialEq, Eq)]
enum Named {
    /// The target of a Markdown link, relative to the file that holds it.
    Link(String),
    /// Inline code that has the form of a path.
    Code(String),
}

pub fn check(workspace: &Workspace) -> Result<Findings> {
    let files = workspace.files()?;
    let mut folders: BTreeSet<&str> = PLANNED.into_iter().collect();
    folders.extend(files.iter().filter_map(|file| Some(file.split_once('/')?.0)));
    let mut findings = Findings::new();
    for file in &files {
        let markdown = file.ends_with(".md");
        if !markdown && !file.ends_with(".rs") {
            continue;
        }
        let text = std::fs::read_to_string(workspace.root().join(file))?;
        let text = if markdown { text } else { doc_comments(&text) };
        for (line, named) in named_paths(&text) {
            let path = match &named {
                Named::Link(path) if markdown => path,
                Named::Code(path) if leads_into_repository(path, &folders) => path,
                Named::Link(_) | Named::Code(_) => continue,
            };
            if !bases(file).any(|base| workspace.root().join(base).join(path).exists()) {
                findings.push(format!("{file}:{line}: there is no `{path}`"));
            }
        }
    }
    Ok(findings)
}

/// The folders that a path in `file` may start from: the root (empty), the file's own, and above.
fn bases(file: &str) -> impl Iterator<Item = &Path> {
    Path::new(file).ancestors().skip(1)
}

/// Whether inline code means a path of ours: its first part is a folder of the repository.
fn leads_into_repository(path: &str, folders: &BTreeSet<&str>) -> bool {
    let mut parts = path.split('/');
    let first = parts.next().unwrap_or_default();
    folders.contains(first) && !parts.any(|part| MADE_BY_TOOLS.contains(&part))
}

/// The doc comments of a Rust file as Markdown, line for line.
fn doc_comments(source: &str) -> String {
    let mut text = String::new();
    for line in source.lines().map(str::trim_start) {
        let comment = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        text.push_str(comment.unwrap_or_default());
        text.push('\n');
    }
    text
}

/// Every path that a Markdown text names, with its line from 1. Fenced blocks are examples and are
/// left out.
fn named_paths(markdown: &str) -> Vec<(usize, Named)> {
    let mut named = Vec::new();
    let mut fence: Option<&str> = None;
    for (index, line) in markdown.lines().enumerate() {
        let mark = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => {
                let found = links(line).into_iter().chain(code_paths(line));
                named.extend(found.map(|named| (index + 1, named)));
            }
            (Some(_), _) => {}
        }
    }
    named
}

/// The relative targets of a line's links.
fn links(line: &str) -> Vec<Named> {
    let mut links = Vec::new();
    for rest in line.split("](").skip(1) {
        let target = rest.split([')', ' ']).next().unwrap_or_default();
        let path = target.split(['#', '?']).next().unwrap_or_default();
        // Addresses have a scheme; rustdoc's links name items.
        if !path.is_empty() && !path.contains(':') {
            links.push(Named::Link(path.to_owned()));
        }
    }
    links
}

/// The inline code of a line that looks like a path: parts of plain characters, with a slash.
fn code_paths(line: &str) -> Vec<Named> {
    let mut paths = Vec::new();
    for (index, span) in line.split('`').enumerate() {
        let path = span.split_once(':').map_or(span, |(path, line_number)| {
            let numbered = line_number.chars().all(|digit| digit.is_ascii_digit());
            if numbered { path } else { span }
        });
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/".contains(letter);
        // Every second piece lies between two backticks.
        if index % 2 == 1 && path.contains('/') && !path.starts_with('/') && path.chars().all(plain)
        {
            paths.push(Named::Code(path.to_owned()));
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::{Named, bases, doc_comments, leads_into_repository, named_paths};

    fn code(line: usize, path: &str) -> (usize, Named) {
        (line, Named::Code(path.to_owned()))
    }

    #[test]
    fn code_with_the_form_of_a_path_is_found() {
        let text =
            "See `crates/api/src` and `docs/a.md:12`.\n`POST /x/y` `/admin` `a/*/b` `word`\n";
        assert_eq!(named_paths(text), [code(1, "crates/api/src"), code(1, "docs/a.md")]);
    }

    #[test]
    fn links_lose_their_anchor_and_addresses_are_left_out() {
        let text =
            "[a](docs/a.md#top) [b](https://example.org/x) [c](#here) [d](../b.md \"title\")";
        let links = named_paths(text);
        assert_eq!(
            links,
            [(1, Named::Link("docs/a.md".to_owned())), (1, Named::Link("../b.md".to_owned()))]
        );
    }

    #[test]
    fn fenced_blocks_are_examples() {
        assert_eq!(
            named_paths("```sh\n`docs/no.md`\n~~~\n```\n`docs/yes.md`"),
            [code(5, "docs/yes.md")]
        );
    }

    #[test]
    fn only_doc_comments_of_a_source_file_count() {
        let text = doc_comments("let a = \"`docs/no.md`\";\n    /// See `docs/yes.md`.\n");
        assert_eq!(named_paths(&text), [code(2, "docs/yes.md")]);
    }

    #[test]
    fn only_folders_of_the_repository_lead_into_it() {
        let folders = ["docs", "web"].into_iter().collect();
        assert!(leads_into_repository("docs/a.md", &folders));
        assert!(!leads_into_repository("run/server.json", &folders));
        assert!(!leads_into_repository("web/dist/app.js", &folders));
    }

    #[test]
    fn a_path_may_start_at_any_folder_above_the_file() {
        let all: Vec<_> =
            bases("crates/api/README.md").map(|base| base.display().to_string()).collect();
        assert_eq!(all, ["crates/api", "crates", ""]);
    }
}
