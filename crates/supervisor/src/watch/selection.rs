//! Which changes matter to one process.

use std::path::{Path, PathBuf};

use regex::{Regex, RegexBuilder};

use crate::spec::WatchFiles;

/// A compiled expression may take so much memory; those that people write take a few kilobytes.
const MAX_REGEX_BYTES: usize = 1024 * 1024;

/// Paths, and what does not count among them.
#[derive(Debug)]
pub(super) struct Selection {
    roots: Vec<PathBuf>,
    ignore: Vec<Regex>,
}

/// Compiles the expressions of a process's `ignore` list.
///
/// # Errors
/// What is wrong with the first bad one, for people.
pub(crate) fn compile_ignore(expressions: &[String]) -> Result<Vec<Regex>, String> {
    let compile = |text: &String| {
        let compiled = RegexBuilder::new(text).size_limit(MAX_REGEX_BYTES).build();
        // The library's own words draw the expression over several lines, the reason last.
        compiled.map_err(|error| {
            let words = error.to_string();
            let reason = words.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("{text:?} is no regular expression: {reason}")
        })
    };
    expressions.iter().map(compile).collect()
}

impl Selection {
    pub(super) fn new(files: &WatchFiles) -> Result<Self, String> {
        Ok(Self { roots: files.paths.clone(), ignore: compile_ignore(&files.ignore)? })
    }

    pub(super) fn roots(&self) -> &[PathBuf] {
        &self.roots
    }

    /// Whether a change of this path counts.
    pub(super) fn wants(&self, path: &Path) -> bool {
        self.roots.iter().any(|root| path.starts_with(root) && !self.ignores(root, path))
    }

    /// Whether what is below this folder can count at all.
    pub(super) fn enters(&self, folder: &Path) -> bool {
        // An expression may name a folder with its slash, as in `logs/`.
        self.roots.iter().any(|root| {
            folder.starts_with(root)
                && !self.ignores(root, folder)
                && (folder == root || !self.ignores(root, &folder.join("")))
        })
    }

    /// An expression must be found in what is below the watched path, at least in part: a program that lives below
    /// `node_modules` or a hidden folder is watched all the same.
    fn ignores(&self, root: &Path, path: &Path) -> bool {
        let text = path.to_string_lossy();
        let root_end = root.to_string_lossy().trim_end_matches('/').len();
        self.ignore.iter().any(|regex| regex.find_iter(&text).any(|found| found.end() > root_end))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn selection(roots: &[&str], ignore: &[&str]) -> Selection {
        let files = WatchFiles {
            paths: roots.iter().map(PathBuf::from).collect(),
            ignore: ignore.iter().map(|text| (*text).to_owned()).collect(),
            delay_ms: 0,
        };
        Selection::new(&files).unwrap()
    }

    #[test]
    fn what_is_below_a_root_counts_unless_it_is_ignored() {
        let app = selection(&["/srv/app", "/etc/app.toml"], &[r"[/\\]\.|node_modules", "/logs/"]);
        for path in ["/srv/app", "/srv/app/main.js", "/srv/app/a/b.js", "/etc/app.toml"] {
            assert!(app.wants(Path::new(path)), "{path}");
        }
        for path in ["/srv/app2/x", "/etc/other", "/srv/app/.git/x", "/srv/app/a/node_modules/b"] {
            assert!(!app.wants(Path::new(path)), "{path}");
        }
        assert!(app.enters(Path::new("/srv/app/a")));
        for folder in ["/srv/app/.git", "/srv/app/node_modules", "/srv/app/logs", "/srv"] {
            assert!(!app.enters(Path::new(folder)), "{folder}");
        }
    }

    #[test]
    fn a_root_that_lies_in_an_ignored_place_is_watched_all_the_same() {
        let ignore = [r"[/\\]\.|node_modules"];
        let app = selection(&["/opt/.apps/node_modules/app"], &ignore);
        assert!(app.wants(Path::new("/opt/.apps/node_modules/app/main.js")));
        assert!(app.enters(Path::new("/opt/.apps/node_modules/app")));
        assert!(!app.wants(Path::new("/opt/.apps/node_modules/app/.env")));
        assert!(selection(&["/"], &ignore).wants(Path::new("/srv/x")));
        assert!(!selection(&["/"], &ignore).wants(Path::new("/.x")));
    }

    #[test]
    fn a_bad_or_huge_expression_is_refused_in_one_line() {
        let problem = compile_ignore(&["ok".into(), "a(b".into()]).unwrap_err();
        assert_eq!(problem, "\"a(b\" is no regular expression: unclosed group");
        let problem = compile_ignore(&[r"\w{1000}{100}".into()]).unwrap_err();
        assert!(problem.contains("is no regular expression") && !problem.contains('\n'));
    }

    proptest! {
        #[test]
        fn any_expression_and_path_are_borne(text in "[ -~]{0,20}", path in "(/[a-z.]{1,5}){0,4}") {
            if let Ok(ignore) = compile_ignore(&[text]) {
                let app = Selection { roots: vec!["/a".into(), "/".into()], ignore };
                let path = Path::new(&path);
                // What is entered is wanted itself.
                prop_assert!(app.wants(path) || !app.enters(path));
            }
        }

        #[test]
        fn without_ignores_exactly_what_is_below_counts(path in "(/[a-c]{1,2}){1,4}") {
            let app = selection(&["/a", "/b/c"], &[]);
            let path = Path::new(&path);
            let below = path.starts_with("/a") || path.starts_with("/b/c");
            prop_assert_eq!((app.wants(path), app.enters(path)), (below, below));
        }
    }
}
