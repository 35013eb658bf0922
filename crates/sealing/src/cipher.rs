//! The cipher of one kind of file: pure.

use aes::Aes256;
use aes::cipher::KeyInit;
use hkdf::Hkdf;
use sha2::Sha256;
use xts_mode::{Xts128, get_tweak_default};

use crate::key::Key;

/// The cipher works on blocks of so many bytes, at multiples of it.
pub(crate) const BLOCK: usize = 16;

/// What a file is to SQLite. Each kind has a key of its own, so that equal blocks of a database and of its log do
/// not look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A database.
    Database,
    /// Its write-ahead log.
    Log,
    /// What is put aside: rollback journals, temporary files.
    Other,
}

impl Kind {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Database => b"tenantry sealing: database",
            Self::Log => b"tenantry sealing: log",
            Self::Other => b"tenantry sealing: other",
        }
    }
}

/// Encrypts and decrypts whole blocks at their places in a file.
pub(crate) struct Cipher(Xts128<Aes256>);

impl Cipher {
    /// The cipher for files of this kind.
    pub(crate) fn new(key: &Key, kind: Kind) -> Self {
        let mut keys = [0; 64];
        // 64 bytes are far below what HKDF-SHA256 can give, the only thing it could refuse.
        let _ = Hkdf::<Sha256>::new(None, key.bytes()).expand(kind.label(), &mut keys);
        let (data, tweak) = keys.split_at(32);
        let mut halves = [[0; 32]; 2];
        halves[0].copy_from_slice(data);
        halves[1].copy_from_slice(tweak);
        Self(Xts128::new(Aes256::new(&halves[0].into()), Aes256::new(&halves[1].into())))
    }

    /// Encrypts `bytes`, whose first stands at `offset` in the file; both are whole blocks.
    pub(crate) fn encrypt(&self, offset: u64, bytes: &mut [u8]) {
        self.0.encrypt_area(bytes, BLOCK, number(offset), get_tweak_default);
    }

    /// Decrypts `bytes`, whose first stands at `offset` in the file; both are whole blocks.
    pub(crate) fn decrypt(&self, offset: u64, bytes: &mut [u8]) {
        self.0.decrypt_area(bytes, BLOCK, number(offset), get_tweak_default);
    }
}

fn number(offset: u64) -> u128 {
    u128::from(offset / BLOCK as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Two blocks, by the definition of XTS with data units of 16 bytes: the tweak is the number of the block, and
    /// the block is masked with its encryption before and after.
    #[test]
    fn it_is_xts_with_the_number_of_the_block() {
        use aes::cipher::BlockCipherEncrypt;
        let key = Key::from_bytes([7; 32]);
        let mut keys = [0; 64];
        Hkdf::<Sha256>::new(None, key.bytes()).expand(Kind::Log.label(), &mut keys).unwrap();
        let data = Aes256::new(&<[u8; 32]>::try_from(&keys[..32]).unwrap().into());
        let tweak = Aes256::new(&<[u8; 32]>::try_from(&keys[32..]).unwrap().into());
        let mut expected = Vec::new();
        for block in [3_u128, 4] {
            let mut mask = block.to_le_bytes().into();
            tweak.encrypt_block(&mut mask);
            let mut masked: [u8; 16] = [9; 16];
            masked.iter_mut().zip(&mask).for_each(|(byte, mask)| *byte ^= mask);
            let mut masked = masked.into();
            data.encrypt_block(&mut masked);
            masked.iter_mut().zip(&mask).for_each(|(byte, mask)| *byte ^= mask);
            expected.extend_from_slice(&masked);
        }
        let mut found = [9; 32];
        Cipher::new(&key, Kind::Log).encrypt(48, &mut found);
        assert_eq!(found.as_slice(), expected);
    }

    #[test]
    fn equal_blocks_look_different_elsewhere_and_in_other_kinds_of_file() {
        let key = Key::from_bytes([1; 32]);
        let sealed = |kind, offset| {
            let mut block = [0; 16];
            Cipher::new(&key, kind).encrypt(offset, &mut block);
            block
        };
        let found = [
            sealed(Kind::Database, 0),
            sealed(Kind::Database, 16),
            sealed(Kind::Log, 0),
            sealed(Kind::Other, 0),
        ];
        for (index, one) in found.iter().enumerate() {
            assert!(found[..index].iter().all(|other| other != one));
        }
    }

    proptest! {
        #[test]
        fn what_was_encrypted_is_decrypted_also_in_parts(
            bytes in prop::collection::vec(any::<u8>(), 64),
            first in 0_u64..1 << 40,
        ) {
            let cipher = Cipher::new(&Key::from_bytes([3; 32]), Kind::Database);
            let offset = first * 16;
            let mut sealed = bytes.clone();
            cipher.encrypt(offset, &mut sealed);
            let mut part = sealed[32..48].to_vec();
            cipher.decrypt(offset + 32, &mut part);
            prop_assert_eq!(&part, &bytes[32..48]);
            cipher.decrypt(offset, &mut sealed);
            prop_assert_eq!(sealed, bytes);
        }
    }
}
