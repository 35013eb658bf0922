//! Further tenants that never start, to see the list at size.

use std::collections::HashSet;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::plane::Plane;
use crate::installation::wait;

const FIRST: [&str; 16] = [
    "Amani", "Baraka", "Chui", "Duma", "Furaha", "Jambo", "Kilele", "Lulu", "Maua", "Neema",
    "Pwani", "Rafiki", "Savanna", "Tumaini", "Uhuru", "Zawadi",
];
const SECOND: [&str; 15] = [
    "Bakery",
    "Bookshop",
    "Butchery",
    "Cyber",
    "Electronics",
    "Florist",
    "Furniture",
    "Garage",
    "Hardware",
    "Laundry",
    "Optics",
    "Pharmacy",
    "Salon",
    "Tailors",
    "Travel",
];

/// Where the made-up numbers of the crowd begin.
const FIRST_NUMBER: usize = 254_720_000_000;

/// Makes so many tenants; those that an earlier run made are there already. Gives the ids of the new.
pub fn make(plane: &Plane, count: usize) -> Result<HashSet<String>> {
    let mut made = HashSet::new();
    if count == 0 {
        return Ok(made);
    }
    let admin = plane.admin()?;
    let there = names(&plane.json(&["tenants", "--json"])?);
    for place in (0..count).take_while(|_| !wait::interrupted()) {
        let name = name(place);
        if !there.contains(&name) {
            let phone = format!("+{}", FIRST_NUMBER + place);
            let wish = json!({"name": name, "phone": phone});
            let tenant = admin.demand("POST", "/admin/tenants", Some(&wish))?;
            made.insert(tenant["id"].as_str().context("a new tenant has no id")?.to_owned());
        }
    }
    Ok(made)
}

/// The name of the tenant at this place; no two are the same.
fn name(place: usize) -> String {
    // 15 and 16 have no common divisor, so each pair comes once before any comes again.
    let pick = |words: &'static [&'static str]| words.iter().cycle().nth(place % words.len());
    let [first, second] = [pick(&FIRST), pick(&SECOND)].map(|word| word.copied().unwrap_or("Shop"));
    match place / (FIRST.len() * SECOND.len()) {
        0 => format!("{first} {second}"),
        round => format!("{first} {second} {}", round + 1),
    }
}

fn names(list: &Value) -> HashSet<String> {
    let items = list.as_array().or_else(|| list["items"].as_array());
    let items = items.map(Vec::as_slice).unwrap_or_default().iter();
    items.filter_map(|tenant| tenant["name"].as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::name;

    #[test]
    fn no_two_have_the_same_name() {
        let names: HashSet<String> = (0..10_000).map(name).collect();
        assert_eq!(names.len(), 10_000);
        assert_eq!(name(0), "Amani Bakery");
        assert_eq!(name(240), "Amani Bakery 2");
    }
}
