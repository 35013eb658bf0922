//! Ready-made sets, as TOML to begin with: `tenantry rules templates`.

/// A ready-made set.
#[derive(Clone, Copy, Debug)]
pub struct ReadyMade {
    /// Its name, such as `booking-sw`.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// The set.
    pub toml: &'static str,
}

/// All of them.
pub const ALL: &[ReadyMade] = &[
    ReadyMade {
        name: "booking-en",
        about: "appointments: salons, clinics, restaurants; in English",
        toml: include_str!("../sets/booking-en.toml"),
    },
    ReadyMade {
        name: "booking-sw",
        about: "appointments: salons, clinics, restaurants; in Swahili",
        toml: include_str!("../sets/booking-sw.toml"),
    },
    ReadyMade {
        name: "shop-en",
        about: "selling: price list, orders, delivery; in English",
        toml: include_str!("../sets/shop-en.toml"),
    },
    ReadyMade {
        name: "shop-sw",
        about: "selling: price list, orders, delivery; in Swahili",
        toml: include_str!("../sets/shop-sw.toml"),
    },
    ReadyMade {
        name: "support-en",
        about: "help desk: common questions, hand-over to a person; in English",
        toml: include_str!("../sets/support-en.toml"),
    },
    ReadyMade {
        name: "support-sw",
        about: "help desk: common questions, hand-over to a person; in Swahili",
        toml: include_str!("../sets/support-sw.toml"),
    },
];

/// The set of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static ReadyMade> {
    ALL.iter().find(|set| set.name == name)
}

#[cfg(test)]
mod tests;
