//! Which file answers a request: decided from the path alone, then looked up below the served folder.

use std::io;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

/// A served folder.
#[derive(Clone, Debug)]
pub struct Site {
    /// The folder; absolute, without links.
    pub root: PathBuf,
    /// Whether paths that do not exist are answered with the home page.
    pub spa: bool,
    /// Whether folders without a home page are listed.
    pub listing: bool,
    /// The home page, relative to the root.
    pub home_page: String,
}

/// What answers a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// A file.
    File(PathBuf),
    /// The list of a folder.
    Folder(PathBuf),
    /// Nothing.
    Missing,
}

/// The name of a folder's own page.
const INDEX: &str = "index.html";

impl Site {
    /// What answers this path (as it stands in the request, still encoded).
    pub fn find(&self, path: &str) -> Found {
        let Some(names) = names(path) else { return Found::Missing };
        if names.is_empty() {
            return self.folder(Path::new("")).unwrap_or(Found::Missing);
        }
        let wanted: PathBuf = names.iter().collect();
        let mut found = self.at(&wanted);
        if found.is_none() && self.spa {
            // A page deep in the application asks for its files relative to itself.
            let last = names.last().and_then(|name| self.at(Path::new(name)));
            found = last.or_else(|| self.file(Path::new(&self.home_page)));
        }
        found.unwrap_or(Found::Missing)
    }

    fn at(&self, path: &Path) -> Option<Found> {
        match self.inside(path)?.is_dir() {
            true => self.folder(path),
            false => self.file(path),
        }
    }

    fn file(&self, path: &Path) -> Option<Found> {
        let file = self.inside(path)?;
        file.is_file().then_some(Found::File(file))
    }

    fn folder(&self, path: &Path) -> Option<Found> {
        let is_root = path.as_os_str().is_empty();
        let page = if is_root { Path::new(&self.home_page) } else { Path::new(INDEX) };
        let page = self.file(&path.join(page));
        page.or_else(|| self.inside(path).filter(|_| self.listing).map(Found::Folder))
    }

    /// The page that says that there is nothing.
    pub fn missing_page(&self) -> Option<PathBuf> {
        self.inside(Path::new("404.html")).filter(|page| page.is_file())
    }

    /// The real path, if it exists and no link leads it out of the root.
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        let real = self.root.join(path).canonicalize().ok()?;
        real.starts_with(&self.root).then_some(real)
    }

    /// The page that lists a folder; `path` is the request's.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self, folder: &Path, path: &str) -> io::Result<String> {
        let mut entries: Vec<(String, bool)> = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !is_hidden(&name) {
                entries.push((name, entry.file_type()?.is_dir()));
            }
        }
        // Folders first.
        entries.sort_by(|(name, folder), (other, other_folder)| {
            other_folder.cmp(folder).then_with(|| name.cmp(other))
        });
        let title = escaped(&percent_decode_str(path).decode_utf8_lossy());
        let mut page = format!(
            "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>{title}</title></head><body>\
             <h1>Index of {title}</h1><ul>\n"
        );
        if !path.trim_matches('/').is_empty() {
            page.push_str("<li><a href=\"../\">../</a></li>\n");
        }
        for (name, folder) in entries {
            let slash = if folder { "/" } else { "" };
            let link =
                percent_encoding::utf8_percent_encode(&name, percent_encoding::NON_ALPHANUMERIC);
            page.push_str(&format!(
                "<li><a href=\"./{link}{slash}\">{}{slash}</a></li>\n",
                escaped(&name)
            ));
        }
        page.push_str("</ul></body></html>\n");
        Ok(page)
    }
}

/// The names that a path is made of; none when it could lead elsewhere, or to what is hidden.
fn names(path: &str) -> Option<Vec<String>> {
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    let names = decoded.split('/').filter(|name| !name.is_empty() && *name != ".");
    let names: Vec<String> = names.map(str::to_owned).collect();
    let harmless = |name: &String| !is_hidden(name) && !name.contains(['\0', '\\']);
    names.iter().all(harmless).then_some(names)
}

/// Names that begin with a dot are nobody's business, but for the one folder that standards name.
fn is_hidden(name: &str) -> bool {
    name.starts_with('.') && name != ".well-known"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::{Found, Site};

    fn site(spa: bool, listing: bool) -> (TempDir, Site) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("public");
        fs::create_dir_all(root.join("sub/empty")).unwrap();
        for file in ["index.html", "other.html", "sub/index.html", "a b.txt", ".env", "../secret"] {
            fs::write(root.join(file), file).unwrap();
        }
        symlink(root.join("../secret"), root.join("link")).unwrap();
        let site = Site { root, spa, listing, home_page: "index.html".into() };
        (folder, site)
    }

    fn file(site: &Site, path: &str) -> Option<PathBuf> {
        match site.find(path) {
            Found::File(file) => Some(file.strip_prefix(&site.root).unwrap().to_owned()),
            Found::Folder(_) | Found::Missing => None,
        }
    }

    #[test]
    fn files_and_home_pages_are_found() {
        let (_folder, site) = site(false, false);
        assert_eq!(file(&site, "/"), Some("index.html".into()));
        assert_eq!(file(&site, "/other.html"), Some("other.html".into()));
        assert_eq!(file(&site, "/a%20b.txt"), Some("a b.txt".into()));
        assert_eq!(file(&site, "/sub/"), Some("sub/index.html".into()));
        assert_eq!(site.find("/sub/empty"), Found::Missing);
        assert_eq!(site.find("/nothing"), Found::Missing);
    }

    #[test]
    fn an_application_of_one_page_answers_every_path() {
        let (_folder, site) = site(true, false);
        assert_eq!(file(&site, "/deep/in/it"), Some("index.html".into()));
        assert_eq!(file(&site, "/deep/in/other.html"), Some("other.html".into()));
        assert_eq!(site.find("/../secret"), Found::Missing);
    }

    #[test]
    fn what_is_hidden_or_outside_is_not_found() {
        let (_folder, site) = site(false, true);
        for path in ["/.env", "/../secret", "/%2e%2e/secret", "/sub/..%2f..%2fsecret", "/link"] {
            assert_eq!(site.find(path), Found::Missing, "{path}");
        }
    }

    #[test]
    fn a_folder_is_listed_without_what_is_hidden() {
        let (_folder, site) = site(false, true);
        let Found::Folder(folder) = site.find("/sub/empty") else { panic!("no list") };
        fs::write(folder.join("<b>"), "").unwrap();
        fs::write(folder.join(".hidden"), "").unwrap();
        let page = site.list(&folder, "/sub/empty").unwrap();
        assert!(page.contains("<a href=\"./%3Cb%3E\">&lt;b&gt;</a>"), "{page}");
        assert!(page.contains("../") && !page.contains("hidden"), "{page}");
    }

    proptest! {
        #[test]
        fn no_path_leads_outside(path in "(/|%2e|%2f|\\.|\\.\\.|secret|sub|link|\\PC){0,12}") {
            let (_folder, site) = site(true, true);
            match site.find(&path) {
                Found::File(found) | Found::Folder(found) => {
                    prop_assert!(found.starts_with(&site.root));
                    prop_assert!(found != Path::new(&site.root).join(".env"));
                }
                Found::Missing => {}
            }
        }
    }
}
