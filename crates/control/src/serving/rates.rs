//! How often somebody may ask: by the address before anything else is looked at, by the credential once it
//! is known.
//!
//! Each has a bucket of permits that fills at a steady rate (GCRA, the crate `governor`). Memory is bounded:
//! full buckets are forgotten, and when there are too many others, neighbours share one.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::origin::block;
use crate::problem::{ApiError, Kind};

/// Buckets that are kept. A bucket takes about a hundred bytes, so this is a few megabytes.
const MOST_BUCKETS: usize = 50_000;

/// How often full buckets are forgotten.
pub const TIDY: Duration = Duration::from_secs(5);

/// A rate: permits in a second, and how many may have gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Permits in a second; 0: no limit.
    pub per_second: u32,
    /// The most permits that gather.
    pub burst: u32,
}

#[cfg(test)]
impl Rate {
    /// No limit.
    pub const NONE: Self = Self { per_second: 0, burst: 0 };
}

/// The limits of a control plane.
pub struct Limits {
    addresses: Option<Buckets<IpAddr, DefaultClock>>,
    credentials: Option<Buckets<String, DefaultClock>>,
}

impl Limits {
    /// Limits with these rates.
    #[must_use]
    pub fn new(of_address: Rate, of_credential: Rate) -> Self {
        Self {
            addresses: Buckets::new(of_address, neighbourhood, DefaultClock::default()),
            // There are no more of them than were given out.
            credentials: Buckets::new(of_credential, String::clone, DefaultClock::default()),
        }
    }

    /// Takes a permit of an address. IPv6 addresses share one by the network of a customer, a /64.
    ///
    /// # Errors
    /// [`Kind::TooManyRequests`] with the time to wait.
    pub fn check_address(&self, address: IpAddr) -> Result<(), ApiError> {
        let Some(buckets) = &self.addresses else { return Ok(()) };
        buckets.take(&block(address)).map_err(|wait| too_many("this address", wait))
    }

    /// Takes a permit of a credential, by its id (never the secret itself).
    ///
    /// # Errors
    /// [`Kind::TooManyRequests`] with the time to wait.
    pub fn check_credential(&self, id: &str) -> Result<(), ApiError> {
        let Some(buckets) = &self.credentials else { return Ok(()) };
        buckets.take(id).map_err(|wait| too_many("this credential", wait))
    }

    /// Forgets those who have not asked for a while; to be called every [`TIDY`].
    pub fn tidy(&self) {
        if let Some(buckets) = &self.addresses {
            buckets.tidy();
        }
        if let Some(buckets) = &self.credentials {
            buckets.tidy();
        }
    }
}

fn too_many(whose: &str, wait: Duration) -> ApiError {
    let detail = format!(
        "{whose} asks too often; try again in {:.1} s, and pause between requests",
        wait.as_secs_f64()
    );
    ApiError::new(Kind::TooManyRequests, detail).with_retry_after(wait)
}

/// Those who share a bucket while there are too many: a provider's network. 65,536 of them are all of IPv4.
fn neighbourhood(address: &IpAddr) -> IpAddr {
    match *address {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            IpAddr::from([a, b, 0, 0])
        }
        IpAddr::V6(address) => {
            let [a, b, ..] = address.segments();
            IpAddr::from([a, b, 0, 0, 0, 0, 0, 0])
        }
    }
}

/// Buckets by key.
struct Buckets<K: Hash + Eq + Clone, C: Clock> {
    limiter: RateLimiter<K, DashMapStateStore<K>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    /// Whose bucket a key uses while there are too many.
    neighbourhood: fn(&K) -> K,
    crowded: AtomicBool,
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> Buckets<K, C> {
    fn new(rate: Rate, neighbourhood: fn(&K) -> K, clock: C) -> Option<Self> {
        let per_second = NonZeroU32::new(rate.per_second)?;
        let burst = NonZeroU32::new(rate.burst).unwrap_or(per_second);
        let quota = Quota::per_second(per_second).allow_burst(burst);
        let limiter = RateLimiter::new(quota, DashMapStateStore::default(), clock.clone());
        Some(Self { limiter, clock, neighbourhood, crowded: AtomicBool::new(false) })
    }

    /// Takes a permit, or says how long to wait for one.
    fn take<Q>(&self, key: &Q) -> Result<(), Duration>
    where
        Q: ToOwned<Owned = K> + ?Sized,
    {
        let mut key = key.to_owned();
        if self.crowded.load(Ordering::Relaxed) {
            key = (self.neighbourhood)(&key);
        }
        let outcome = self.limiter.check_key(&key);
        outcome.map_err(|refused| refused.wait_time_from(self.clock.now()))
    }

    fn tidy(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        self.crowded.store(self.limiter.len() > MOST_BUCKETS, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use std::net::IpAddr;
    use std::time::Duration;

    use axum::response::IntoResponse as _;
    use governor::clock::FakeRelativeClock;

    use super::{Buckets, Limits, MOST_BUCKETS, Rate, neighbourhood};

    const RATE: Rate = Rate { per_second: 10, burst: 3 };

    fn buckets() -> (Buckets<IpAddr, FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Buckets::new(RATE, neighbourhood, clock.clone()).unwrap(), clock)
    }

    fn address(number: usize) -> IpAddr {
        IpAddr::from(u32::try_from(number).unwrap().to_be_bytes())
    }

    #[test]
    fn a_burst_is_allowed_and_then_the_rate() {
        let (buckets, clock) = buckets();
        for _ in 0..3 {
            assert_eq!(buckets.take(&address(1)), Ok(()));
        }
        assert_eq!(buckets.take(&address(1)), Err(Duration::from_millis(100)));
        assert_eq!(buckets.take(&address(2)), Ok(()), "another address has its own");
        clock.advance(Duration::from_millis(100));
        assert_eq!(buckets.take(&address(1)), Ok(()));
        assert!(buckets.take(&address(1)).is_err());
    }

    #[test]
    fn who_does_not_ask_is_forgotten() {
        let (buckets, clock) = buckets();
        assert!((0..100).all(|number| buckets.take(&address(number)).is_ok()));
        buckets.tidy();
        assert_eq!(buckets.limiter.len(), 100);
        clock.advance(Duration::from_secs(10));
        buckets.tidy();
        assert_eq!(buckets.limiter.len(), 0);
    }

    #[test]
    fn in_a_crowd_neighbours_share_a_bucket_until_it_is_gone() {
        let (buckets, clock) = buckets();
        assert!((0..=MOST_BUCKETS).all(|number| buckets.take(&address(number)).is_ok()));
        buckets.tidy();
        let neighbours =
            |network: u8| (0..10).map(move |last| IpAddr::from([192, network, 2, last]));
        let granted = |network| neighbours(network).filter(|it| buckets.take(it).is_ok()).count();
        assert_eq!((granted(0), granted(1)), (3, 3));
        assert_eq!(buckets.limiter.len(), MOST_BUCKETS + 3);
        clock.advance(Duration::from_secs(10));
        buckets.tidy();
        assert_eq!(granted(0), 10);
    }

    #[test]
    fn a_refusal_says_when_to_come_again() {
        let limits = Limits::new(Rate::NONE, Rate { per_second: 1, burst: 1 });
        assert!((0..100).all(|_| limits.check_address([192, 0, 2, 1].into()).is_ok()));
        assert!(limits.check_credential("key").is_ok());
        let answer = limits.check_credential("key").unwrap_err().into_response();
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers()["retry-after"], "1");
        let slow = Limits::new(RATE, Rate::NONE);
        let one = "2001:db8::1".parse().unwrap();
        assert!((0..3).all(|_| slow.check_address(one).is_ok()));
        assert!(slow.check_address("2001:db8::2".parse().unwrap()).is_err(), "the same network");
    }
}
