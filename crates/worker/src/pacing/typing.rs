//! How long a person would type. Pure; the caller throws the dice.

use std::time::Duration;

use api::pacing::Typing;

/// The time to type so many characters; `dice` is from 0 to 1.
#[must_use]
pub(super) fn time(characters: usize, set: &Typing, dice: f64) -> Duration {
    if set.per_character_ms == 0 {
        return Duration::ZERO;
    }
    let characters = u32::try_from(characters).unwrap_or(u32::MAX);
    let plain = characters.saturating_mul(set.per_character_ms);
    let bounded = plain.clamp(set.least_ms.min(set.most_ms), set.most_ms);
    let jitter = f64::from(set.jitter_percent) / 100.0 * (dice.clamp(0.0, 1.0) * 2.0 - 1.0);
    Duration::from_millis(bounded.into()).mul_f64(1.0 + jitter.clamp(-0.9, 0.9))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_longer_text_takes_longer_within_bounds() {
        let set = Typing { per_character_ms: 10, least_ms: 100, most_ms: 1000, jitter_percent: 0 };
        let ms = [0, 20, 50, 99_999].map(|n| time(n, &set, 0.5).as_millis());
        assert_eq!(ms, [100, 200, 500, 1000]);
        assert!(time(9, &Typing { per_character_ms: 0, ..set }, 1.0).is_zero());
    }

    proptest! {
        #[test]
        fn the_jitter_stays_within_its_share(
            characters in 0_usize..100_000,
            jitter_percent in 0_u32..=90,
            dice in 0.0_f64..=1.0,
        ) {
            let set = Typing { jitter_percent, ..Typing::default() };
            let plain = time(characters, &Typing { jitter_percent: 0, ..Typing::default() }, dice);
            let share = f64::from(jitter_percent) / 100.0 + 0.001;
            let got = time(characters, &set, dice);
            prop_assert!(got <= plain.mul_f64(1.0 + share));
            prop_assert!(got >= plain.mul_f64((1.0 - share).max(0.0)));
        }
    }
}
