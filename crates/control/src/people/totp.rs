//! Codes of authenticators (TOTP, RFC 6238): six digits that change every 30 seconds.

use totp_rs::{Builder, Secret, Totp};

/// Random bytes in a secret: 160 bits, as RFC 4226 recommends.
const SECRET: usize = 20;
/// Seconds a code is shown.
const STEP: u64 = 30;
/// So many steps early or late a code is still good, for clocks that are not quite right.
const SKEW: u16 = 1;
/// What the authenticator shows beside the account.
const ISSUER: &str = "Tenantry";

/// A new random secret.
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn secret() -> Result<Vec<u8>, getrandom::Error> {
    let mut bytes = vec![0; SECRET];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// A secret as an authenticator takes it: typed in base 32, and as an address to be drawn as a QR code.
#[must_use]
pub fn shown(secret: &[u8], email: &str) -> Option<(String, String)> {
    let url = totp(secret, email)?.to_url().ok()?;
    Some((Secret::from(secret.to_vec()).to_base32(), url))
}

/// The time step that a code belongs to, if it is good at the time `now` (seconds since 1970) and newer
/// than the step whose code was used last: whoever reads a code over a shoulder has nothing of it.
#[must_use]
pub fn step(secret: &[u8], email: &str, code: &str, last: u64, now: u64) -> Option<u64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let totp = totp(secret, email)?;
    let skew = u64::from(SKEW);
    let present = now / STEP;
    (present.saturating_sub(skew)..=present + skew)
        .filter(|step| *step > last)
        .find(|step| crate::token::equal(&totp.generate(step * STEP).to_string(), &code))
}

fn totp(secret: &[u8], email: &str) -> Option<Totp> {
    // A colon divides issuer and account in the address.
    let account = email.replace(':', " ");
    Builder::new()
        .with_secret(secret.to_vec())
        .with_skew(SKEW)
        .with_step_duration(STEP)
        .with_account_name(account)
        .with_issuer(Some(ISSUER))
        .build()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::{secret, shown, step};

    /// The secret of RFC 6238's test vectors (appendix B), of which six digits are taken.
    const RFC: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_standard() {
        for (time, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")]
        {
            assert_eq!(step(RFC, "a@b.c", code, 0, time), Some(time / 30), "{time}");
        }
    }

    #[test]
    fn a_code_is_good_once_and_for_a_short_time() {
        let (code, of) = ("287082", 1);
        assert_eq!(step(RFC, "a@b.c", code, 0, 59 + 30), Some(of));
        assert_eq!(step(RFC, "a@b.c", code, of, 59), None, "it was used");
        assert_eq!(step(RFC, "a@b.c", code, 0, 59 + 90), None, "it is old");
        assert_eq!(step(RFC, "a@b.c", "287 082", 0, 59), Some(of));
        assert_eq!(step(RFC, "a@b.c", "000000", 0, 59), None);
    }

    #[test]
    fn a_secret_is_shown_as_authenticators_take_it() {
        let (text, url) = shown(&secret().unwrap(), "amina@example.com").unwrap();
        assert_eq!(text.len(), 32);
        assert!(url.starts_with("otpauth://totp/Tenantry:amina") && url.contains(&text), "{url}");
    }
}
