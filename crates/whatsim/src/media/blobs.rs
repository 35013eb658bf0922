//! Encrypted files that were uploaded, by the hash of what is in them.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

/// Where files are found on the media host.
pub(crate) const FOLDER: &str = "/o1/";

/// The path of a file on the media host.
pub(crate) fn path_of(token: &str) -> String {
    format!("{FOLDER}{token}")
}

/// The files, as many of the newest as fit.
pub(crate) struct Blobs {
    by_token: HashMap<String, Bytes>,
    order: VecDeque<String>,
    total: usize,
    limit: usize,
}

impl Blobs {
    /// A store for so many bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self { by_token: HashMap::new(), order: VecDeque::new(), total: 0, limit }
    }

    /// Keeps a file under its token; the oldest make room for it.
    pub(crate) fn put(&mut self, token: &str, blob: Bytes) {
        self.total += blob.len();
        if let Some(earlier) = self.by_token.insert(token.to_owned(), blob) {
            self.total -= earlier.len();
        } else {
            self.order.push_back(token.to_owned());
        }
        while self.total > self.limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.total -= self.by_token.remove(&oldest).map_or(0, |blob| blob.len());
        }
    }

    /// The file with this token.
    pub(crate) fn get(&self, token: &str) -> Option<Bytes> {
        self.by_token.get(token).cloned()
    }

    /// The file at this path of the media host.
    pub(crate) fn at(&self, path: &str) -> Option<Bytes> {
        self.get(path.strip_prefix(FOLDER)?)
    }

    /// Forgets all files, as the real service does after a while.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.limit);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_newest_files_are_kept_and_the_limit_holds(
            puts in proptest::collection::vec((0u8..8, 0usize..40), 0..60),
        ) {
            let mut blobs = Blobs::new(100);
            for (name, size) in &puts {
                blobs.put(&name.to_string(), Bytes::from(vec![*name; *size]));
                prop_assert!(blobs.total <= 100);
                let held: usize = blobs.by_token.values().map(Bytes::len).sum();
                prop_assert_eq!(blobs.total, held);
                prop_assert_eq!(blobs.order.len(), blobs.by_token.len());
            }
        }
    }

    #[test]
    fn a_file_is_found_by_its_path() {
        let mut blobs = Blobs::new(10);
        blobs.put("abc", Bytes::from_static(b"12345"));
        assert_eq!(blobs.at(&path_of("abc")).unwrap(), "12345");
        assert!(blobs.at("/o2/abc").is_none());
        blobs.put("def", Bytes::from_static(b"1234567890"));
        assert!(blobs.at(&path_of("abc")).is_none());
        blobs.clear();
        assert!(blobs.at(&path_of("def")).is_none());
    }
}
