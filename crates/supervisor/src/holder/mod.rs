//! Keeps what a process wrote last, should it end while there is no supervisor.
//!
//! A pipe's contents live as long as somebody has it open: the process itself, or us. If both are gone at the same time, the
//! last lines would be lost with it. So a second, tiny process has every pipe open too. It reads nothing and knows
//! nothing; a supervisor hands it descriptors over a Unix socket, and the next supervisor opens the same FIFOs by
//! name and finds what is in them. It may be killed like everybody else: the supervisor notices and starts another.

mod client;
mod process;

pub(crate) use client::Holder;
pub use process::run;

/// What a supervisor tells the holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// Keep the descriptors that come with this for a process, instead of any before.
    Hold(u32),
    /// The process is forgotten; let go of its descriptors.
    Drop(u32),
}

impl Word {
    fn encode(self) -> [u8; 5] {
        let (verb, id) = match self {
            Self::Hold(id) => (b'h', id),
            Self::Drop(id) => (b'd', id),
        };
        let [a, b, c, d] = id.to_le_bytes();
        [verb, a, b, c, d]
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let &[verb, a, b, c, d] = bytes else { return None };
        let id = u32::from_le_bytes([a, b, c, d]);
        match verb {
            b'h' => Some(Self::Hold(id)),
            b'd' => Some(Self::Drop(id)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for word in [Word::Hold(0), Word::Hold(u32::MAX), Word::Drop(70_000)] {
            assert_eq!(Word::decode(&word.encode()), Some(word));
        }
        assert_eq!(Word::decode(b"x1234"), None);
        assert_eq!(Word::decode(b"h123"), None);
    }
}
