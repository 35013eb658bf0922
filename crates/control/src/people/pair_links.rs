//! Links with which somebody without an account connects a tenant's WhatsApp, and does nothing else.
//!
//! A link holds `tnp_` and hexadecimal digits: the tenant, the second when it expires, the epoch of the tenant's
//! links, and an HMAC-SHA256 of all that. Nothing of it is stored. Taking a tenant's links back begins another
//! epoch; a link of one before, of a tenant that is deleted, or of a home with another key is good for nothing.

use std::sync::Arc;

use api::TenantId;
use api::access::Permission;
use api::pair_link::PairLink;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

use super::People;
use crate::audit::Actor;
use crate::fleet::{Fleet, Member};
use crate::grant::{Place, Principal};

/// What every link's token begins with, so that one that was published by mistake is known for what it is.
pub const PREFIX: &str = "tnp_";

/// What the key of links is made from the home's key with: the same key signs nothing else.
const PURPOSE: &[u8] = b"tenantry pair links 1";

/// Bytes of what a token says openly: tenant, expiry, epoch.
const OPEN: usize = 16 + 8 + 8;

/// Makes and proves tokens of links.
pub struct PairLinkKey([u8; 32]);

/// What a token says openly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairBearer {
    /// The tenant whose WhatsApp is connected with it.
    pub tenant: TenantId,
    /// From when on it is no longer good; whole seconds.
    pub expires_at: DateTime<Utc>,
    /// The epoch of the tenant's links in which it was made.
    pub epoch: u64,
}

impl PairLinkKey {
    /// The key of links that comes of a key of the home.
    #[must_use]
    pub fn of(home: [u8; 32]) -> Self {
        let mut mac = mac(&home);
        mac.update(PURPOSE);
        Self(mac.finalize().into_bytes().into())
    }

    /// The token that says this.
    #[must_use]
    pub fn token(&self, bearer: PairBearer) -> String {
        let open = open(bearer);
        let mut mac = mac(&self.0);
        mac.update(&open);
        format!("{PREFIX}{}{}", hex::encode(open), hex::encode(mac.finalize().into_bytes()))
    }

    /// What a token says; `None` when it was not made with this key. It may be over.
    #[must_use]
    pub fn bearer(&self, token: &str) -> Option<PairBearer> {
        let digits = token.strip_prefix(PREFIX)?;
        // One text for each token, as it was made.
        if digits.bytes().any(|digit| digit.is_ascii_uppercase()) {
            return None;
        }
        let bytes = hex::decode(digits).ok()?;
        let (open, proof) = bytes.split_at_checked(OPEN)?;
        let mut mac = mac(&self.0);
        mac.update(open);
        mac.verify_slice(proof).ok()?;
        let (tenant, rest) = open.split_first_chunk::<16>()?;
        let (expires, rest) = rest.split_first_chunk::<8>()?;
        let epoch = rest.first_chunk::<8>()?;
        Some(PairBearer {
            tenant: TenantId(Uuid::from_bytes(*tenant)),
            expires_at: DateTime::from_timestamp(i64::from_be_bytes(*expires), 0)?,
            epoch: u64::from_be_bytes(*epoch),
        })
    }
}

fn open(bearer: PairBearer) -> [u8; OPEN] {
    let mut open = [0; OPEN];
    open[..16].copy_from_slice(bearer.tenant.0.as_bytes());
    open[16..24].copy_from_slice(&bearer.expires_at.timestamp().to_be_bytes());
    open[24..].copy_from_slice(&bearer.epoch.to_be_bytes());
    open
}

fn mac(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    Hmac::<Sha256>::new(&block.into())
}

/// A link that is good now.
pub struct GoodLink {
    /// The tenant.
    pub member: Arc<Member>,
    /// Until when it is good, unless it is taken back.
    pub expires_at: DateTime<Utc>,
}

impl GoodLink {
    /// Who shows it: they may connect the tenant's WhatsApp, and nothing else.
    #[must_use]
    pub fn principal(&self) -> Arc<Principal> {
        Principal::with(Actor::PairLink, Place::Tenant(self.member.id), &[Permission::Pair])
    }
}

impl People {
    /// A link for a tenant, good for so many minutes. `base` is where the server is reached.
    pub fn pair_link(&self, member: &Member, minutes: u32, base: &str) -> PairLink {
        let end = Utc::now() + chrono::Duration::minutes(minutes.into());
        // The token has whole seconds, and the answer says what the token says.
        let expires_at = DateTime::from_timestamp(end.timestamp(), 0).unwrap_or(end);
        let epoch = member.read(|now| now.record.pair_epoch);
        let token = self.pair_links.token(PairBearer { tenant: member.id, expires_at, epoch });
        PairLink { url: format!("{base}/connect#{token}"), expires_at }
    }

    /// What a link is good for at a moment; `None`: for nothing.
    pub fn good_link(&self, fleet: &Fleet, token: &str, now: DateTime<Utc>) -> Option<GoodLink> {
        let bearer = self.pair_links.bearer(token)?;
        if bearer.expires_at <= now {
            return None;
        }
        let member = fleet.get(bearer.tenant)?;
        let current = member.read(|now| now.record.pair_epoch);
        (bearer.epoch == current).then_some(GoodLink { member, expires_at: bearer.expires_at })
    }

    /// Links of a tenant were taken back: streams that were asked for with them end.
    pub fn links_taken_back(&self) {
        self.directory.read().changed();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bearer() -> impl Strategy<Value = PairBearer> {
        (any::<u128>(), 0_i64..4_000_000_000, any::<u64>()).prop_map(|(id, at, epoch)| PairBearer {
            tenant: TenantId(Uuid::from_u128(id)),
            expires_at: DateTime::from_timestamp(at, 0).unwrap_or_default(),
            epoch,
        })
    }

    proptest! {
        #[test]
        fn a_token_says_what_it_was_made_for(bearer in bearer(), key in any::<[u8; 32]>()) {
            let key = PairLinkKey::of(key);
            let token = key.token(bearer);
            prop_assert!(token.starts_with(PREFIX));
            prop_assert_eq!(key.bearer(&token), Some(bearer));
        }

        #[test]
        fn no_changed_token_is_taken(
            bearer in bearer(), at in 0_usize..132, with in "[0-9a-zA-Z._-]", cut in 0_usize..132,
        ) {
            let key = PairLinkKey::of([7; 32]);
            let token = key.token(bearer);
            let mut changed = token.clone();
            changed.replace_range(at..=at, &with);
            prop_assert_eq!(key.bearer(&changed).is_some(), changed == token);
            prop_assert_eq!(key.bearer(&token[..cut]), None);
            prop_assert_eq!(key.bearer(&format!("{token}{with}")), None);
            prop_assert_eq!(key.bearer(&format!("{token}00")), None);
        }

        #[test]
        fn another_key_proves_nothing(bearer in bearer(), one in any::<[u8; 32]>(), two in any::<[u8; 32]>()) {
            prop_assume!(one != two);
            prop_assert_eq!(PairLinkKey::of(two).bearer(&PairLinkKey::of(one).token(bearer)), None);
        }

        #[test]
        fn nonsense_is_no_token(text in ".*") {
            prop_assert_eq!(PairLinkKey::of([7; 32]).bearer(&text), None);
            let with_prefix = format!("{PREFIX}{text}");
            prop_assert_eq!(PairLinkKey::of([7; 32]).bearer(&with_prefix), None);
        }
    }

    #[test]
    fn the_home_s_key_itself_signs_no_link() {
        let bearer =
            PairBearer { tenant: TenantId::generate(), expires_at: DateTime::UNIX_EPOCH, epoch: 0 };
        assert_eq!(PairLinkKey::of([7; 32]).bearer(&PairLinkKey([7; 32]).token(bearer)), None);
    }
}
