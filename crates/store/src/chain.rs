//! The chain of the audit log: each entry's hash covers the entry and the hash of the one before.
//!
//! What is hashed is written down in `docs/audit.md` and in no other way: an entry must have the same hash for ever, and
//! for whoever computes it.

use chrono::{DateTime, SecondsFormat, Utc};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// What the first entry has in the place of the hash before it.
pub const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An entry as it is hashed.
#[derive(Clone, Copy, Debug)]
pub struct Link<'e> {
    /// Its number.
    pub seq: i64,
    /// When; what is finer than a microsecond is cut off.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: &'e str,
    /// What.
    pub action: &'e str,
    /// To which tenant.
    pub tenant: Option<Uuid>,
    /// How it ended.
    pub result: &'e str,
    /// In words.
    pub detail: &'e str,
    /// The hash of the entry before.
    pub prev: &'e str,
}

impl Link<'_> {
    /// The entry's hash: SHA-256 in hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"tenantry-audit-1\n");
        let tenant = self.tenant.map(|id| id.hyphenated().to_string()).unwrap_or_default();
        let at = self.at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let seq = self.seq.to_string();
        // Netstrings: no text can pass for two, and no two for one.
        for field in
            [&seq, &at, self.actor, self.action, &tenant, self.result, self.detail, self.prev]
        {
            hash.update(format!("{}:", field.len()));
            hash.update(field);
            hash.update(b",");
        }
        hex::encode(hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::{Link, START};

    fn link() -> Link<'static> {
        Link {
            seq: 1,
            at: "2026-01-02T03:04:05.000006Z".parse().unwrap(),
            actor: "admin-token",
            action: "tenant.create",
            tenant: Some("0197a7a0-0000-7000-8000-000000000001".parse().unwrap()),
            result: "ok",
            detail: "é",
            prev: START,
        }
    }

    /// Computed by the program in `docs/audit.md`: what was written once must be verified for ever.
    #[test]
    fn the_hash_never_changes() {
        assert_eq!(
            link().hash(),
            "6c9740d5f0a3f698a4c53d7adb86cff790e0b8b27589c84b853f4f6a26419261"
        );
    }

    #[test]
    fn every_field_counts_and_none_runs_into_the_next() {
        let one = link();
        let others = [
            Link { seq: 2, ..one },
            Link { at: "2026-01-02T03:04:05.000007Z".parse().unwrap(), ..one },
            Link { actor: "admin-toke", action: "ntenant.create", ..one },
            Link { action: "tenant.delete", ..one },
            Link { tenant: None, ..one },
            Link { result: "oké", detail: "", ..one },
            Link { detail: "e", ..one },
            Link { prev: "1", ..one },
        ];
        for other in others {
            assert_ne!(other.hash(), one.hash(), "{other:?}");
        }
        let finer = Link { at: "2026-01-02T03:04:05.000006789Z".parse().unwrap(), ..one };
        assert_eq!(finer.hash(), one.hash(), "no database keeps more than microseconds");
    }
}
