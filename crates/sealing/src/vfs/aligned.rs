//! Reading and writing anywhere in a file of whole sealed blocks: the arithmetic, apart from SQLite's interface.

use crate::cipher::{BLOCK, Cipher};

/// A file of bytes below. Errors are SQLite's codes.
pub(super) trait Below {
    /// Its length.
    fn len(&mut self) -> Result<u64, i32>;
    /// Fills `bytes`, all of which are in the file.
    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), i32>;
    /// Writes `bytes`; the file grows where it has to.
    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), i32>;
}

/// Reads what the file has at `offset`. The rest of `bytes` becomes zero; gives how many bytes there were.
pub(super) fn read(
    below: &mut impl Below,
    cipher: &Cipher,
    offset: u64,
    bytes: &mut [u8],
) -> Result<usize, i32> {
    let end = below.len()?.min(offset + bytes.len() as u64);
    let there = usize::try_from(end.saturating_sub(offset)).unwrap_or_default();
    let (found, rest) = bytes.split_at_mut(there);
    rest.fill(0);
    if found.is_empty() {
        return Ok(0);
    }
    let first = round_down(offset);
    let skipped = (offset - first) as usize;
    let length = (skipped + found.len()).next_multiple_of(BLOCK);
    if skipped == 0 && length == found.len() {
        below.read(offset, found)?;
        cipher.decrypt(offset, found);
        return Ok(there);
    }
    let mut blocks = vec![0; length];
    below.read(first, &mut blocks)?;
    cipher.decrypt(first, &mut blocks);
    for (byte, plain) in found.iter_mut().zip(blocks.iter().skip(skipped)) {
        *byte = *plain;
    }
    Ok(there)
}

/// Writes `bytes` at `offset`. What shares the first or the last block is kept; beyond the file's end it is zero.
pub(super) fn write(
    below: &mut impl Below,
    cipher: &Cipher,
    offset: u64,
    bytes: &[u8],
) -> Result<(), i32> {
    if bytes.is_empty() {
        return Ok(());
    }
    let first = round_down(offset);
    let skipped = (offset - first) as usize;
    let length = (skipped + bytes.len()).next_multiple_of(BLOCK);
    let mut blocks = vec![0; length];
    let last = first + (length - BLOCK) as u64;
    let ends_within = !(skipped + bytes.len()).is_multiple_of(BLOCK);
    if skipped > 0 {
        keep(below, cipher, first, blocks.get_mut(..BLOCK))?;
    }
    if ends_within && (last != first || skipped == 0) {
        keep(below, cipher, last, blocks.get_mut(length - BLOCK..))?;
    }
    for (byte, new) in blocks.iter_mut().skip(skipped).zip(bytes) {
        *byte = *new;
    }
    cipher.encrypt(first, &mut blocks);
    below.write(first, &blocks)
}

/// Fills one block with what the file has there.
fn keep(
    below: &mut impl Below,
    cipher: &Cipher,
    offset: u64,
    block: Option<&mut [u8]>,
) -> Result<(), i32> {
    match block {
        Some(block) if offset + (BLOCK as u64) <= below.len()? => {
            below.read(offset, block)?;
            cipher.decrypt(offset, block);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The place of the block that a place is in.
fn round_down(offset: u64) -> u64 {
    offset - offset % BLOCK as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cipher::Kind;
    use crate::key::Key;

    #[derive(Default)]
    struct Memory(Vec<u8>);

    impl Below for Memory {
        fn len(&mut self) -> Result<u64, i32> {
            Ok(self.0.len() as u64)
        }

        fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), i32> {
            bytes.copy_from_slice(&self.0[offset as usize..offset as usize + bytes.len()]);
            Ok(())
        }

        fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), i32> {
            let end = offset as usize + bytes.len();
            self.0.resize(self.0.len().max(end), 0);
            self.0[offset as usize..end].copy_from_slice(bytes);
            Ok(())
        }
    }

    proptest! {
        /// Whatever is written without leaving gaps is read back as a plain file would give it.
        #[test]
        fn it_is_like_a_plain_file(
            writes in prop::collection::vec((0_usize..200, prop::collection::vec(any::<u8>(), 0..90)), 1..20),
            reads in prop::collection::vec((0_usize..300, 1_usize..100), 1..20),
        ) {
            let cipher = Cipher::new(&Key::from_bytes([5; 32]), Kind::Log);
            let mut sealed = Memory::default();
            let mut plain: Vec<u8> = Vec::new();
            for (offset, bytes) in writes {
                let offset = offset.min(plain.len());
                write(&mut sealed, &cipher, offset as u64, &bytes).unwrap();
                plain.resize(plain.len().max(offset + bytes.len()), 0);
                plain[offset..offset + bytes.len()].copy_from_slice(&bytes);
            }
            // The sealed file is filled up to a whole block.
            prop_assert_eq!(sealed.0.len(), plain.len().next_multiple_of(BLOCK));
            for (offset, length) in reads {
                let mut found = vec![1; length];
                let there = read(&mut sealed, &cipher, offset as u64, &mut found).unwrap();
                prop_assert_eq!(there, sealed.0.len().saturating_sub(offset).min(length));
                let expected = plain.iter().skip(offset).chain(std::iter::repeat(&0)).take(length);
                prop_assert!(found.iter().eq(expected));
            }
        }
    }
}
