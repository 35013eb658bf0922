//! Names and values of one process, in little memory: a map with a few entries would take ten times as much, and there are
//! thousands of them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Names with a value each, in the order of the names. Changing it copies it: it is made to be kept.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Pairs {
    /// All names and values, one after the other.
    text: Box<str>,
    /// Where each of them ends.
    ends: Box<[u32]>,
}

impl Pairs {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len() / 2
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = 0;
        let mut piece = move |end: u32| {
            let end = usize::try_from(end).unwrap_or(usize::MAX);
            let piece = self.text.get(start..end).unwrap_or_default();
            start = end;
            piece
        };
        self.ends.chunks_exact(2).map(move |ends| (piece(ends[0]), piece(ends[1])))
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// Whether the name has a value.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Gives a name a value.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let mut map = self.to_map();
        map.insert(name.into(), value.into());
        *self = map.into();
    }

    /// Takes a name away. Gives the value that it had.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        let mut map = self.to_map();
        let value = map.remove(name)?;
        *self = map.into();
        Some(value)
    }

    /// The same as a map.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, String> {
        self.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

impl From<BTreeMap<String, String>> for Pairs {
    fn from(map: BTreeMap<String, String>) -> Self {
        let mut text = String::with_capacity(map.iter().map(|(n, v)| n.len() + v.len()).sum());
        let mut ends = Vec::with_capacity(2 * map.len());
        for piece in map.iter().flat_map(|(name, value)| [name, value]) {
            text.push_str(piece);
            // No request is so large.
            ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        Self { text: text.into(), ends: ends.into() }
    }
}

impl<const N: usize> From<[(String, String); N]> for Pairs {
    fn from(pairs: [(String, String); N]) -> Self {
        BTreeMap::from(pairs).into()
    }
}

impl FromIterator<(String, String)> for Pairs {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        pairs.into_iter().collect::<BTreeMap<_, _>>().into()
    }
}

impl fmt::Debug for Pairs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_behave_like_a_map(
            map: BTreeMap<String, String>, other in ".{0,3}", value in ".{0,3}",
        ) {
            let mut map = map;
            let mut pairs = Pairs::from(map.clone());
            prop_assert_eq!(pairs.to_map(), map.clone());
            prop_assert_eq!(pairs.get(&other), map.get(&other).map(String::as_str));
            let json = serde_json::to_string(&pairs).unwrap();
            prop_assert_eq!(&json, &serde_json::to_string(&map).unwrap());
            prop_assert_eq!(serde_json::from_str::<Pairs>(&json).unwrap(), pairs.clone());
            pairs.insert(other.clone(), value.clone());
            map.insert(other.clone(), value);
            prop_assert_eq!((pairs.to_map(), pairs.len()), (map.clone(), map.len()));
            prop_assert_eq!(pairs.remove(&other), map.remove(&other));
            prop_assert_eq!(pairs.remove(&other), None);
            prop_assert_eq!((pairs.is_empty(), pairs), (map.is_empty(), Pairs::from(map)));
        }
    }
}
