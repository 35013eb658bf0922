//! Which processes a word on the command line means.

use anyhow::Context as _;
use regex::Regex;
use supervisor::wire::ListRow;

/// The ids of the processes that a word means: all of them, those whose names match a `/pattern/`, those of a name, of
/// a namespace or of an id, and at last the worker of a tenant with this slug. Empty when there is none.
///
/// # Errors
/// When a pattern cannot be read.
pub fn select(word: &str, rows: &[ListRow]) -> anyhow::Result<Vec<u32>> {
    let those = |wanted: &dyn Fn(&ListRow) -> bool| -> Vec<u32> {
        rows.iter().filter(|row| wanted(row)).map(|row| row.id).collect()
    };
    if word == "all" {
        return Ok(those(&|_| true));
    }
    if let Some(pattern) = pattern(word) {
        let pattern =
            Regex::new(pattern).with_context(|| format!("{word} is no regular expression"))?;
        return Ok(those(&|row| pattern.is_match(&row.name)));
    }
    let number: Option<u32> = word.parse().ok();
    let meanings: [&dyn Fn(&ListRow) -> bool; 4] = [
        &|row| row.name == word,
        &|row| row.namespace == word,
        &|row| Some(row.id) == number,
        &|row| tenant_slug(&row.name) == Some(word),
    ];
    let found = meanings.iter().map(|meaning| those(*meaning));
    Ok(found.into_iter().find(|ids| !ids.is_empty()).unwrap_or_default())
}

/// What stands between the slashes of `/pattern/`.
fn pattern(word: &str) -> Option<&str> {
    let inner = word.strip_prefix('/')?.strip_suffix('/')?;
    (!inner.is_empty()).then_some(inner)
}

/// The slug in the name of a tenant's worker: `worker-<slug>-<eight digits>`.
pub fn tenant_slug(name: &str) -> Option<&str> {
    let (slug, suffix) = name.strip_prefix("worker-")?.rsplit_once('-')?;
    let digits = suffix.len() == 8 && suffix.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then_some(slug)
}

#[cfg(test)]
pub mod tests {
    use supervisor::wire::{ListRow, Phase};

    use super::{select, tenant_slug};

    /// A process that is online.
    pub fn row(id: u32, name: &str, namespace: &str) -> ListRow {
        ListRow {
            id,
            name: name.to_owned(),
            instance: 0,
            namespace: namespace.to_owned(),
            state: Phase::Online,
            pid: Some(1000 + id),
            started_at: Some(0),
            restarts: 0,
            cpu_percent: 0.0,
            memory_bytes: 0,
            uid: None,
            watching: false,
            version: String::new(),
        }
    }

    #[test]
    fn a_word_means_a_name_then_a_namespace_then_an_id_then_a_tenant() {
        let rows = [
            row(0, "web", "shop"),
            row(1, "web", "shop"),
            row(2, "api", "default"),
            row(3, "2", "default"),
            row(4, "shop", "other"),
            row(5, "worker-acme-tools-0a1b2c3d", "default"),
        ];
        let ids = |word| select(word, &rows).unwrap();
        assert_eq!(ids("all"), [0, 1, 2, 3, 4, 5]);
        assert_eq!(ids("web"), [0, 1]);
        assert_eq!(ids("shop"), [4]);
        assert_eq!(ids("other"), [4]);
        assert_eq!(ids("2"), [3]);
        assert_eq!(ids("1"), [1]);
        assert_eq!(ids("acme-tools"), [5]);
        assert_eq!(ids("/^w/"), [0, 1, 5]);
        assert_eq!(ids("/[ab]pi/"), [2]);
        assert_eq!(ids("/none/"), Vec::<u32>::new());
        assert_eq!(ids("nobody"), Vec::<u32>::new());
        assert_eq!(ids("-1"), Vec::<u32>::new());
        assert!(select("/[/", &rows).unwrap_err().to_string().starts_with("/[/ is no regular"));
    }

    #[test]
    fn only_a_workers_name_has_a_slug() {
        assert_eq!(tenant_slug("worker-a-01234567"), Some("a"));
        assert_eq!(tenant_slug("worker-01234567"), None);
        assert_eq!(tenant_slug("worker-a-0123456x"), None);
        assert_eq!(tenant_slug("web"), None);
    }
}
