//! How often may be tried to sign in: counted by account, and by the address that it is tried from. An
//! account is never locked for good by that, or anybody could lock anybody out.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock, Reference as _};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use parking_lot::Mutex;

/// Attempts on one account at once, and the time after which one more is free.
const ACCOUNT: (NonZeroU32, Duration) = (NonZeroU32::new(12).unwrap(), Duration::from_secs(60));
/// The same from one address, behind which a whole office may sit.
const ADDRESS: (NonZeroU32, Duration) = (NonZeroU32::new(30).unwrap(), Duration::from_secs(10));

/// So many keys are kept before those that have had no attempt for long are forgotten.
const KEPT: usize = 10_000;

type Limiter<K, C> = RateLimiter<K, DashMapStateStore<K>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// Counts attempts.
pub struct Throttle<C: Clock + Clone = DefaultClock> {
    accounts: Limiter<String, C>,
    addresses: Limiter<IpAddr, C>,
    /// Until when nobody gets in with the admin password.
    barred: Mutex<Option<C::Instant>>,
    clock: C,
}

impl Throttle {
    /// Nothing was tried yet.
    #[must_use]
    pub fn new() -> Self {
        Self::with(DefaultClock::default())
    }
}

impl<C: Clock + Clone> Throttle<C> {
    fn with(clock: C) -> Self {
        let quota = |(burst, every): (NonZeroU32, Duration)| {
            Quota::with_period(every).unwrap_or(Quota::per_minute(burst)).allow_burst(burst)
        };
        Self {
            accounts: RateLimiter::new(quota(ACCOUNT), DashMapStateStore::default(), clock.clone()),
            addresses: RateLimiter::new(
                quota(ADDRESS),
                DashMapStateStore::default(),
                clock.clone(),
            ),
            barred: Mutex::default(),
            clock,
        }
    }

    /// Counts an attempt.
    ///
    /// # Errors
    /// How long to wait, when there were too many.
    pub fn attempt(&self, account: &str, address: Option<IpAddr>) -> Result<(), Duration> {
        if self.accounts.len() > KEPT {
            self.accounts.retain_recent();
        }
        self.attempt_from(address)?;
        let now = self.clock.now();
        self.accounts.check_key(&account.to_owned()).map_err(|over| over.wait_time_from(now))
    }

    /// Counts an attempt that names no account.
    ///
    /// # Errors
    /// How long to wait, when there were too many.
    pub fn attempt_from(&self, address: Option<IpAddr>) -> Result<(), Duration> {
        if self.addresses.len() > KEPT {
            self.addresses.retain_recent();
        }
        let Some(address) = address else { return Ok(()) };
        let now = self.clock.now();
        let counted = self.addresses.check_key(&network(address));
        counted.map_err(|over| over.wait_time_from(now))
    }

    /// Takes in that the admin password was shown, or something else in its place. It comes with every request,
    /// so only wrong ones count; after too many of them the right one does not get in either for a while, or the
    /// number of guesses would have no bound.
    ///
    /// # Errors
    /// How long to wait, when there were too many.
    pub fn shown(&self, right: bool) -> Result<(), Duration> {
        let now = self.clock.now();
        let mut barred = self.barred.lock();
        if let Some(until) = *barred
            && until > now
        {
            return Err(until.duration_since(now).into());
        }
        *barred = None;
        if right {
            return Ok(());
        }
        // No account has such an address.
        self.attempt("the admin password", None).inspect_err(|wait| {
            *barred = Some(now + (*wait).into());
        })
    }
}

/// Whoever has one address of IPv6 has the whole network of its first 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => four.into(),
            None => IpAddr::V6((u128::from(six) >> 64 << 64).into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::{ADDRESS, Throttle};

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn an_account_is_tried_a_few_times_from_everywhere() {
        let clock = FakeRelativeClock::default();
        let throttle = Throttle::with(clock.clone());
        let tried =
            (0..20).filter(|n| throttle.attempt("a@b.c", address(&format!("10.0.0.{n}"))).is_ok());
        assert_eq!(tried.count(), 12);
        let wait = throttle.attempt("a@b.c", address("10.0.1.1")).unwrap_err();
        assert!(wait <= Duration::from_secs(60) && wait > Duration::from_secs(50), "{wait:?}");
        assert!(throttle.attempt("other@b.c", address("10.0.1.1")).is_ok());
        clock.advance(wait);
        assert!(throttle.attempt("a@b.c", address("10.0.1.1")).is_ok());
    }

    #[test]
    fn the_admin_password_is_guessed_at_a_few_times() {
        let clock = FakeRelativeClock::default();
        let throttle = Throttle::with(clock.clone());
        assert!((0..100).all(|_| throttle.shown(true).is_ok()), "the right one is no guess");
        assert_eq!((0..20).filter(|_| throttle.shown(false).is_ok()).count(), 12);
        let wait = throttle.shown(true).unwrap_err();
        clock.advance(wait);
        assert!(throttle.shown(true).is_ok());
    }

    #[test]
    fn an_address_tries_few_accounts() {
        let throttle = Throttle::with(FakeRelativeClock::default());
        let tried = (0..100).filter(|n| {
            let from = format!("2001:db8::{n:x}");
            throttle.attempt(&format!("{n}@b.c"), address(&from)).is_ok()
        });
        assert_eq!(tried.count(), usize::try_from(ADDRESS.0.get()).unwrap());
        assert!(throttle.attempt("x@b.c", address("2001:db8:0:1::1")).is_ok());
    }
}
