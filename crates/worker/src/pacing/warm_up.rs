//! How many contacts who never wrote a number may write to, by its age: a new number that writes to
//! many strangers is banned. Pure.

use api::pacing::WarmUp;

/// The allowance of any 24 hours, so many days after the pairing.
#[must_use]
pub(super) fn allowance(days: u32, set: &WarmUp) -> u32 {
    let grown = (f64::from(set.growth_percent) / 100.0 + 1.0).powf(f64::from(days));
    let allowed = f64::from(set.first_day) * grown;
    // `most` is reached long before the number is too large for its type.
    if allowed >= f64::from(set.most) {
        return set.most;
    }
    (0..=20).rev().fold(0_u32, |sum, bit| {
        let next = sum | 1 << bit;
        if f64::from(next) <= allowed { next } else { sum }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_grows_from_the_first_day_to_the_most() {
        let set = WarmUp { first_day: 20, growth_percent: 50, most: 100 };
        let days: Vec<u32> = (0..6).map(|day| allowance(day, &set)).collect();
        assert_eq!(days, [20, 30, 45, 67, 100, 100]);
        assert_eq!(allowance(u32::MAX, &WarmUp { first_day: 0, ..set }), 0);
    }

    proptest! {
        #[test]
        fn it_never_shrinks_and_never_passes_the_most(
            first_day in 0_u32..100_000,
            more in 0_u32..100_000,
            growth_percent in 0_u32..1000,
            day in 0_u32..10_000,
        ) {
            let most = (first_day + more).min(100_000);
            let set = WarmUp { first_day, growth_percent, most };
            let (today, tomorrow) = (allowance(day, &set), allowance(day + 1, &set));
            prop_assert!(first_day <= today && today <= tomorrow && tomorrow <= most);
        }
    }
}
