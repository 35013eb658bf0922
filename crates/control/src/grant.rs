//! What somebody may do, decided without looking at anything else.
//!
//! Whoever proves to be somebody becomes a [`Principal`]: a name for the audit log, and grants. A grant
//! says what may be done, either with the whole fleet or with one tenant. There is nothing else: roles and
//! scopes of keys are only ways to write grants down.

use std::sync::Arc;

use api::TenantId;
use api::access::Permission;
use api::people::GrantView;

use crate::audit::Actor;

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u8);

impl Permissions {
    /// These and what they imply: `control` that one may `pair`, and `admin` all others.
    #[must_use]
    pub fn of(permissions: &[Permission]) -> Self {
        let given = |set, permission: &Permission| {
            set | match permission {
                Permission::Admin => u8::MAX,
                Permission::Control => Self::bit(Permission::Control) | Self::bit(Permission::Pair),
                other => Self::bit(*other),
            }
        };
        Self(permissions.iter().fold(0, given))
    }

    const fn bit(permission: Permission) -> u8 {
        1 << permission as u8
    }

    /// Whether it is among them.
    #[must_use]
    pub fn has(self, permission: Permission) -> bool {
        self.0 & Self::bit(permission) != 0
    }

    /// Them, one by one.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.has(*permission))
    }

    const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Where a grant holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// With every tenant, and what concerns all of them.
    Fleet,
    /// With one tenant.
    Tenant(TenantId),
}

/// What may be done at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Where.
    pub place: Place,
    /// What.
    pub permissions: Permissions,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The name for the audit log.
    pub actor: Actor,
    /// What may be done.
    pub grants: Vec<Grant>,
}

/// What is said to a wish to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be done.
    Granted,
    /// The place is known to who asks, but this may not be done.
    Forbidden,
    /// Who asks is not to know that there is such a place.
    Hidden,
}

impl Principal {
    /// Somebody with one grant.
    pub fn with(actor: Actor, place: Place, permissions: &[Permission]) -> Arc<Self> {
        let grant = Grant { place, permissions: Permissions::of(permissions) };
        Arc::new(Self { actor, grants: vec![grant] })
    }

    /// Whether something may be done that concerns the whole fleet.
    #[must_use]
    pub fn may_with_fleet(&self, permission: Permission) -> Verdict {
        let granted =
            |grant: &Grant| grant.place == Place::Fleet && grant.permissions.has(permission);
        if self.grants.iter().any(granted) { Verdict::Granted } else { Verdict::Forbidden }
    }

    /// Whether something may be done with a tenant.
    #[must_use]
    pub fn may_with(&self, tenant: TenantId, permission: Permission) -> Verdict {
        let mut known = false;
        for grant in &self.grants {
            let covers = match grant.place {
                Place::Fleet => true,
                Place::Tenant(granted) => granted == tenant,
            };
            if covers && grant.permissions.has(permission) {
                return Verdict::Granted;
            }
            known |= covers && !grant.permissions.is_empty();
        }
        if known { Verdict::Forbidden } else { Verdict::Hidden }
    }

    /// The one tenant that all grants are about, if it is just one.
    #[must_use]
    pub fn only_tenant(&self) -> Option<TenantId> {
        let mut tenants = self.grants.iter().map(|grant| match grant.place {
            Place::Fleet => None,
            Place::Tenant(tenant) => Some(tenant),
        });
        let first = tenants.next()??;
        tenants.all(|tenant| tenant == Some(first)).then_some(first)
    }

    /// The grants, as the API shows them.
    #[must_use]
    pub fn view(&self) -> Vec<GrantView> {
        let view = |grant: &Grant| GrantView {
            tenant_id: match grant.place {
                Place::Fleet => None,
                Place::Tenant(tenant) => Some(tenant),
            },
            permissions: grant.permissions.iter().collect(),
        };
        self.grants.iter().map(view).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tenant(number: u8) -> TenantId {
        TenantId(uuid::Uuid::from_u128(u128::from(number)))
    }

    fn grants() -> impl Strategy<Value = Vec<(Option<u8>, Vec<usize>)>> {
        let place = prop::option::of(0_u8..3);
        prop::collection::vec((place, prop::collection::vec(0_usize..7, 0..4)), 0..4)
    }

    fn principal(grants: &[(Option<u8>, Vec<usize>)]) -> Principal {
        let grant = |(place, permissions): &(Option<u8>, Vec<usize>)| Grant {
            place: place.map_or(Place::Fleet, |number| Place::Tenant(tenant(number))),
            permissions: Permissions::of(
                &permissions.iter().map(|n| Permission::ALL[*n]).collect::<Vec<_>>(),
            ),
        };
        Principal { actor: Actor::System, grants: grants.iter().map(grant).collect() }
    }

    proptest! {
        #[test]
        fn nothing_is_granted_that_no_grant_says(
            given in grants(), wanted in 0_usize..7, at in 0_u8..4,
        ) {
            let (who, wanted) = (principal(&given), Permission::ALL[wanted]);
            let says = |permissions: &Vec<usize>| permissions.iter().any(|n| {
                let given = Permission::ALL[*n];
                given == wanted
                    || given == Permission::Admin
                    || given == Permission::Control && wanted == Permission::Pair
            });
            let fleet = given.iter().any(|(place, p)| place.is_none() && says(p));
            let here = given.iter().any(|(place, p)| {
                place.is_none_or(|number| number == at) && says(p)
            });
            let known = given.iter().any(|(place, p)| {
                place.is_none_or(|number| number == at) && !p.is_empty()
            });
            prop_assert_eq!(who.may_with_fleet(wanted) == Verdict::Granted, fleet);
            let verdict = who.may_with(tenant(at), wanted);
            prop_assert_eq!(verdict == Verdict::Granted, here);
            prop_assert_eq!(verdict == Verdict::Hidden, !known);
        }
    }

    #[test]
    fn roles_do_what_they_say() {
        use api::access::{OperatorRole, TenantRole};
        let of = |permissions| Permissions::of(permissions);
        assert_eq!(of(OperatorRole::Admin.permissions()).iter().count(), Permission::ALL.len());
        assert!(!of(OperatorRole::Operator.permissions()).has(Permission::Admin));
        assert_eq!(
            of(OperatorRole::Viewer.permissions()).iter().collect::<Vec<_>>(),
            [Permission::Read]
        );
        assert!(!of(TenantRole::Staff.permissions()).has(Permission::Control));
        assert!(!of(TenantRole::Staff.permissions()).has(Permission::Pair));
        assert!(of(TenantRole::Owner.permissions()).has(Permission::Pair));
        assert_eq!(of(&[Permission::Pair]).iter().collect::<Vec<_>>(), [Permission::Pair]);
        assert!(!of(TenantRole::Owner.permissions()).has(Permission::Admin));
    }
}
