//! Stable ids: the same thing read twice, from any export, gets the same id.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{fmt, str::FromStr};

/// BLAKE3 over length-prefixed parts, cut to 16 bytes: `("ab", "c")` and `("a", "bc")` differ.
pub fn stable_hash(parts: &[&str]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut out = [0; 16];
    out.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    out
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// The id of the thing that these parts name, in this order.
            pub fn of(parts: &[&str]) -> Self {
                Self(stable_hash(parts))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = String;
            fn from_str(s: &str) -> Result<Self, String> {
                let wrong = || format!("an id is 32 hexadecimal digits, not {s:?}");
                if s.len() != 32 || !s.is_ascii() {
                    return Err(wrong());
                }
                let mut out = [0; 16];
                for (i, byte) in out.iter_mut().enumerate() {
                    *byte = u8::from_str_radix(&s[2 * i..2 * i + 2], 16).map_err(|_| wrong())?;
                }
                Ok(Self(out))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(D::Error::custom)
            }
        }
    };
}

id!(
    /// One message: hash of source, conversation key and native id (or content, where there is none).
    MessageId
);
id!(
    /// One conversation: hash of source and its key there.
    ConversationId
);
id!(
    /// One person, as known in one source: hash of source and sender key. The owner is `PersonId::me()`.
    PersonId
);

impl PersonId {
    /// The owner of the archive, whatever the source.
    pub fn me() -> Self {
        Self::of(&["me"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_is_lossless_and_parts_do_not_run_together() {
        let id = MessageId::of(&["whatsapp", "a", "bc"]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_ne!(id, MessageId::of(&["whatsapp", "ab", "c"]));
        for wrong in ["", "zz", &"é".repeat(16), &"g".repeat(32)] {
            assert!(wrong.parse::<MessageId>().is_err(), "{wrong}");
        }
    }
}
