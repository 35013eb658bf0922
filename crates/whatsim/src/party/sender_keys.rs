//! Keys for groups: a phone encrypts once for all members, each of whom got its
//! key in a message for them alone.

use wacore_libsignal::protocol::{
    SenderKeyDistributionMessage, create_sender_key_distribution_message, group_decrypt,
    group_encrypt, process_sender_key_distribution_message,
};
use wacore_libsignal::store::sender_key_name::SenderKeyName;

use crate::error::SimError;
use crate::party::{Party, Sealed, at_once, random};

/// The name under which a phone keeps its own key for a group.
const OWN: &str = "own";

impl Party {
    /// The key that others need to read what this phone writes in the group from now on.
    pub(crate) fn sender_key(&mut self, group: &str) -> Result<Vec<u8>, SimError> {
        let name = SenderKeyName::from_parts(group, OWN);
        let key = at_once(create_sender_key_distribution_message(
            &name,
            &mut self.sender_keys,
            &mut random(),
        ))?;
        Ok(key.into_serialized().into_vec())
    }

    /// Encrypts a padded plaintext for all members of the group.
    pub(crate) fn seal_for_group(
        &mut self,
        group: &str,
        plaintext: &[u8],
    ) -> Result<Sealed, SimError> {
        let name = SenderKeyName::from_parts(group, OWN);
        let sealed =
            at_once(group_encrypt(&mut self.sender_keys, &name, plaintext, &mut random()))?;
        Ok(Sealed { kind: "skmsg", bytes: sealed.into_serialized().into_vec() })
    }

    /// Learns the key of another device for the group.
    pub(crate) fn learn_sender_key(
        &mut self,
        group: &str,
        sender: &str,
        key: &[u8],
    ) -> Result<(), SimError> {
        let name = SenderKeyName::from_parts(group, sender);
        let key = SenderKeyDistributionMessage::try_from(key)?;
        at_once(process_sender_key_distribution_message(&name, &key, &mut self.sender_keys))
    }

    /// Decrypts what another device wrote in the group; the result is still padded.
    pub(crate) fn unseal_from_group(
        &mut self,
        group: &str,
        sender: &str,
        bytes: &[u8],
    ) -> Result<Vec<u8>, SimError> {
        let name = SenderKeyName::from_parts(group, sender);
        at_once(group_decrypt(bytes, &mut self.sender_keys, &name))
    }

    /// Takes a new key for the group the next time, which former members do not have.
    pub(crate) fn renew_sender_key(&mut self, group: &str) {
        self.sender_keys.forget(&SenderKeyName::from_parts(group, OWN));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_read_what_a_phone_writes_until_it_takes_a_new_key() {
        let (mut alice, mut bob) = (Party::generate().unwrap(), Party::generate().unwrap());
        let key = alice.sender_key("group").unwrap();
        assert!(bob.unseal_from_group("group", "alice", b"x").is_err());
        bob.learn_sender_key("group", "alice", &key).unwrap();
        for text in [b"one", b"two"] {
            let sealed = alice.seal_for_group("group", text).unwrap();
            assert_eq!(bob.unseal_from_group("group", "alice", &sealed.bytes).unwrap(), text);
        }
        alice.renew_sender_key("group");
        alice.sender_key("group").unwrap();
        let sealed = alice.seal_for_group("group", b"three").unwrap();
        assert!(bob.unseal_from_group("group", "alice", &sealed.bytes).is_err());
    }
}
