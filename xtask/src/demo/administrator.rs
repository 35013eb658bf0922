//! The newcomer's way into the dashboard: an administrator of the demo's own.

use std::io::Read as _;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::plane::Plane;

/// The address that the README names. Nobody has it: `example.com` is for examples.
pub const EMAIL: &str = "demo@example.com";

/// What passwords are made of: 32 letters and digits that are not taken for each other.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// So many of them between two dashes.
const GROUP: usize = 4;
/// Their number: with 5 bits each, 80 bits.
const LENGTH: usize = 16;

/// Makes the administrator, or gives the one of an earlier run another password; gives the password.
pub fn make(plane: &Plane) -> Result<String> {
    let mut random = [0; LENGTH];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut random).context("no randomness")?;
    let password = password(random);
    let (path, body) = match setup_token(&plane.console()?) {
        Some(token) => {
            let name = "Demo administrator";
            let body = json!({"token": token, "email": EMAIL, "name": name, "password": password});
            ("/auth/setup", body)
        }
        None => ("/auth/accept", json!({"token": new_link(plane)?, "password": password})),
    };
    plane.anybody()?.demand("POST", path, Some(&body))?;
    Ok(password)
}

/// What a link holds with which the administrator of a kept home chooses a password.
fn new_link(plane: &Plane) -> Result<String> {
    let admin = plane.admin()?;
    let reset = admin.request("POST", &format!("/admin/users/{EMAIL}/reset"), Some(&json!({})))?;
    let invitation = if reset.status == 404 {
        let wish = json!({"email": EMAIL, "role": "ADMIN"});
        admin.demand("POST", "/admin/users", Some(&wish))?
    } else {
        reset.body
    };
    link_token(&invitation).context("the server gave no link for a new password")
}

fn link_token(invitation: &Value) -> Option<String> {
    let (_, token) = invitation["link"]["url"].as_str()?.split_once('#')?;
    Some(token.to_owned())
}

/// What the link holds that the server prints while nobody is an administrator.
fn setup_token(console: &str) -> Option<String> {
    let (_, rest) = console.rsplit_once("/setup#")?;
    Some(rest.split_whitespace().next()?.to_owned())
}

fn password(random: [u8; LENGTH]) -> String {
    let letters: Vec<u8> = random
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()).copied())
        .collect();
    let groups = letters.chunks(GROUP).map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{LENGTH, link_token, password, setup_token};

    #[test]
    fn tokens_are_found() {
        let console = "ready\nOpen this link:\n\n    http://127.0.0.1:7700/setup#abc_-9\n\nmore";
        assert_eq!(setup_token(console).as_deref(), Some("abc_-9"));
        assert_eq!(setup_token("listening"), None);
        let invitation = json!({"link": {"url": "http://127.0.0.1:1/reset#xyz"}});
        assert_eq!(link_token(&invitation).as_deref(), Some("xyz"));
        assert_eq!(link_token(&json!({"mailed": true})), None);
    }

    #[test]
    fn every_byte_of_a_password_counts() {
        let zeros = password([0; LENGTH]);
        assert_eq!(zeros, "aaaa-aaaa-aaaa-aaaa");
        for place in 0..LENGTH {
            let mut random = [0; LENGTH];
            random[place] = 31;
            assert_ne!(password(random), zeros);
        }
    }
}
