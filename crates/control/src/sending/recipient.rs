//! To whom a message goes: what people write, as the address that WhatsApp knows.

use api::Phone;

/// What is said of an address that cannot be used.
const REMEDY: &str = "give a telephone number with its country code, such as +254700000001, or a WhatsApp address that ends in @s.whatsapp.net, @lid or @g.us";

/// The address of a recipient.
///
/// # Errors
/// What is wrong with it, and what would be right.
pub fn address(to: &str) -> Result<String, String> {
    let to = to.trim();
    if let Some((user, server)) = to.split_once('@') {
        return of_server(user, server);
    }
    let international = if to.starts_with('+') { to.to_owned() } else { format!("+{to}") };
    match international.parse::<Phone>() {
        Ok(phone) => Ok(format!("{}@s.whatsapp.net", phone.digits())),
        Err(_) if to.starts_with('0') => {
            Err("begins with 0: leave the 0 away and put the country code in its place, as in +254700000001".to_owned())
        }
        Err(error) if to.starts_with('+') => Err(error.to_string()),
        Err(_) => Err(REMEDY.to_owned()),
    }
}

fn of_server(user: &str, server: &str) -> Result<String, String> {
    // A device's part is of no interest: a message goes to the account.
    let account = user.split_once(':').map_or(user, |(account, _)| account);
    let digits =
        |text: &str| (5..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    match server {
        // The second is what programs in whatsapp-web.js write.
        "s.whatsapp.net" | "c.us" => match format!("+{account}").parse::<Phone>() {
            Ok(phone) => Ok(format!("{}@s.whatsapp.net", phone.digits())),
            Err(error) => Err(format!("the number before @{server} {error}")),
        },
        "lid" if digits(account) => Ok(format!("{account}@lid")),
        // Old groups have the number of who made them before the hyphen.
        "g.us" if user.split('-').count() <= 2 && user.split('-').all(digits) => {
            Ok(format!("{user}@g.us"))
        }
        _ => Err(REMEDY.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::address;

    #[test]
    fn numbers_and_addresses_are_understood() {
        for to in ["+254700000001", "254700000001", "+254 700-000 001", "254700000001@c.us"] {
            assert_eq!(address(to).as_deref(), Ok("254700000001@s.whatsapp.net"), "{to}");
        }
        let device = "254700000001:3@s.whatsapp.net";
        assert_eq!(address(device).as_deref(), Ok("254700000001@s.whatsapp.net"));
        assert_eq!(address("100000000000001@lid").as_deref(), Ok("100000000000001@lid"));
        for group in ["120363000000000001@g.us", "254700000001-1600000000@g.us"] {
            assert_eq!(address(group).as_deref(), Ok(group));
        }
    }

    #[test]
    fn what_is_none_is_refused_with_the_remedy() {
        for (to, part) in [
            ("", "country code"),
            ("0712345678", "leave the 0 away"),
            ("Ann", "country code"),
            ("+2547x", "digits"),
            ("123", "country code"),
            ("ann@s.whatsapp.net", "digits"),
            ("1@lid", "@lid"),
            ("status@broadcast", "@g.us"),
            ("12345-12345-12345@g.us", "@g.us"),
            ("254700000001@example.com", "@s.whatsapp.net"),
        ] {
            let refused = address(to).unwrap_err();
            assert!(refused.contains(part), "{to}: {refused}");
        }
    }

    proptest! {
        #[test]
        fn an_address_stays_what_it_is(to in "(\\+?[0-9]{5,18}|[0-9:-]{1,25}@(lid|g.us|c.us|s.whatsapp.net))") {
            if let Ok(first) = address(&to) {
                prop_assert_eq!(address(&first), Ok(first));
            }
        }
    }
}
