//! SQLite databases that are encrypted on the disk: whoever has the files without the key has nothing, and
//! deleting the key destroys every copy of them.
//!
//! - [`Key`]: 32 random bytes in a file of their own;
//! - [`register`]: from then on SQLite reads and writes every file of this process through the key: the
//!   databases, their logs and what it puts aside for a while. Programs above it notice nothing;
//! - [`Copier`]: copies databases of any key while others use them, without the process's own being sealed;
//! - [`Vault`]: a folder of databases that is sealed, or not, and remembers with which key.
//!
//! The cipher is AES-256 in XTS mode on blocks of 16 bytes, each with its own tweak: its place in the
//! file. This is what disk encryption does. It hides what is in a file, also from whoever compares several
//! backups of it, but for which blocks of 16 bytes changed between them. It does not show that somebody who could
//! write the file changed it: a changed block becomes noise, which SQLite's own checks find.

mod cipher;
mod copy;
mod key;
mod vault;
mod vfs;

pub use copy::{Copier, CopyError, is_database};
pub use key::{Key, KeyError};
pub use vault::{Vault, VaultError, is_sealed};
pub use vfs::{RegisterError, register};
