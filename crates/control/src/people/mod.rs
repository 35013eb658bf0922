//! People and programs that may come in, and what each may do.
//!
//! ```text
//!  invited ── link used ─► can sign in ── password (and code) ─► browser session ── idle, absolute end,
//!     ▲                        │   ▲                                   │             signed out, locked
//!     └── the administrator ───┘   └── unlocked / locked               └─► over
//! ```
//!
//! The store holds all of it; [`directory::Directory`] holds it in memory for the requests. A change is
//! written first and known here afterwards, one change at a time.

pub mod accounts;
pub mod directory;
pub mod keys;
pub mod links;
pub mod mail;
pub mod oidc;
pub mod pair_links;
pub mod password;
pub mod sealed;
pub mod sign_in;
pub mod throttle;
pub mod totp;
pub mod two_step;
pub mod upkeep;

use std::path::Path;

use parking_lot::{Mutex, RwLock};
use store::Store;

use directory::{Directory, Lifetime};
use mail::Mail;
use oidc::Oidc;
use pair_links::PairLinkKey;
use password::Passwords;
use sealed::Seal;
use throttle::Throttle;

use crate::config::Settings;
use crate::startup::StartError;
use crate::token;

/// See the module.
pub struct People {
    store: Store,
    /// Who there is.
    pub directory: RwLock<Directory>,
    /// Held while a change is computed and written.
    writing: tokio::sync::Mutex<()>,
    passwords: Passwords,
    throttle: Throttle,
    seal: Seal,
    pair_links: PairLinkKey,
    /// How long browsers stay signed in.
    pub lifetime: Lifetime,
    /// The hash of what the set-up link holds, until it is used.
    setup: Mutex<Option<String>>,
    /// Secrets of authenticators that are not confirmed yet.
    unconfirmed: Mutex<Vec<two_step::Unconfirmed>>,
    /// Where letters go out, if anywhere.
    pub mail: Option<Mail>,
    /// Who else may say who somebody is, if anybody.
    pub oidc: Option<Oidc>,
}

impl People {
    /// Reads who there is.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn open(store: Store, settings: &Settings) -> Result<Self, StartError> {
        let users = store.users().await?;
        let directory =
            Directory::new(users, store.browser_sessions().await?, store.api_keys().await?);
        let key = settings.home.root().join(KEY_FILE);
        Ok(Self {
            directory: RwLock::new(directory),
            writing: tokio::sync::Mutex::default(),
            passwords: Passwords::new()?,
            throttle: Throttle::new(),
            seal: Seal::load(Path::new(&key))?,
            pair_links: PairLinkKey::of(token::key(Path::new(&key))?),
            lifetime: Lifetime { idle: settings.session_idle, absolute: settings.session_lifetime },
            setup: Mutex::default(),
            unconfirmed: Mutex::default(),
            mail: Mail::new(settings)?,
            oidc: Oidc::new(settings)?,
            store,
        })
    }
}

/// The file of the key that authenticators' secrets are encrypted with, in the home.
const KEY_FILE: &str = "people.key";
