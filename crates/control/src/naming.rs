//! Names made from a tenant's display name: the slug and the worker's name.

use api::TenantId;

/// Longest slug, so that a worker's name stays within what every file system and `ps` can show.
const MAX_SLUG: usize = 40;

/// The display name in lower-case ASCII letters, digits and single hyphens: `Mama Njeri Salon` →
/// `mama-njeri-salon`. Other scripts are transliterated; a name of which nothing remains is `tenant`.
#[must_use]
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in deunicode::deunicode(name).chars() {
        if slug.len() == MAX_SLUG {
            break;
        }
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let trimmed = slug.trim_end_matches('-');
    if trimmed.is_empty() { "tenant".to_owned() } else { trimmed.to_owned() }
}

/// `worker-<slug of the display name>-<short id>`. The short id is the last eight digits of the
/// tenant's id, which are random in a `UUIDv7`, so that equal names give different workers.
#[must_use]
pub fn worker_name(name: &str, id: TenantId) -> String {
    let digits = id.0.simple().to_string();
    format!("worker-{}-{}", slug(name), &digits[digits.len() - 8..])
}

#[cfg(test)]
mod tests {
    use api::TenantId;
    use proptest::prelude::*;

    use super::{slug, worker_name};

    #[test]
    fn slugs_are_readable() {
        assert_eq!(slug("Mama Njeri Salon"), "mama-njeri-salon");
        assert_eq!(slug("  Çà & Là — Café  "), "ca-la-cafe");
        assert_eq!(slug("ሰላም ቡና"), "salaame-bunaa");
        assert_eq!(slug("..."), "tenant");
    }

    #[test]
    fn equal_names_give_different_workers() {
        let name = |id| worker_name("Duka", id);
        assert_ne!(name(TenantId::generate()), name(TenantId::generate()));
    }

    proptest! {
        #[test]
        fn any_name_gives_a_safe_file_name(name in "\\PC{0,300}") {
            let worker = worker_name(&name, TenantId::generate());
            prop_assert!(worker.len() <= 64);
            prop_assert!(worker.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            prop_assert!(!worker.contains("--"));
        }
    }
}
