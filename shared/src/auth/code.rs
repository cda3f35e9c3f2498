//! Codes that are sent by mail: eight characters of Crockford's base32, which is 40 random bits.

use sha2::{Digest as _, Sha256};
use strum::IntoStaticStr;

use crate::ids::UserId;
use crate::{Error, Result};

/// How long a code works, in minutes.
pub const LIFETIME_MINUTES: i32 = 15;

/// How often a code can be tried. With three codes an hour, guessing one takes a million years.
pub const ATTEMPTS: i32 = 5;

const LENGTH: usize = 8;
/// Digits and letters but I, L, O and U, which look like others or make words.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What a code is for. It is good for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Purpose {
    /// A new password in place of one that is forgotten.
    Password,
    /// A new e-mail address.
    Email,
}

/// A code. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// # Errors
    /// [`Error::Internal`] if the system has no randomness.
    pub fn generate() -> Result<Self> {
        let mut bytes = [0; LENGTH];
        getrandom::fill(&mut bytes).map_err(|e| Error::internal(e.to_string()))?;
        // 256 is a multiple of 32, so all characters are equally likely.
        Ok(Self(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()))
    }

    /// A code as somebody typed it: in any case, with spaces, or with a hyphen in the middle. `None` if it cannot be
    /// one.
    pub fn read(typed: &str) -> Option<Self> {
        let text: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
        let text = match text.split_once('-') {
            Some((left, right)) if left.len() == LENGTH / 2 => format!("{left}{right}"),
            Some(_) => return None,
            None => text,
        };
        // What looks alike is alike.
        let same = |c: char| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        };
        let code: String = text.chars().map(same).collect();
        let is_code = code.len() == LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte));
        is_code.then_some(Self(code))
    }

    /// The code as people read it: `ABCD-EFGH`.
    pub fn readable(&self) -> String {
        let (left, right) = self.0.split_at(LENGTH / 2);
        format!("{left}-{right}")
    }

    /// The hash that the database keeps: the same code is another one for somebody else, and for something else.
    pub fn hash(&self, user_id: UserId, purpose: Purpose) -> Vec<u8> {
        let (purpose, code): (&str, _) = (purpose.into(), &self.0);
        Sha256::digest(format!("{user_id} {purpose} {code}")).to_vec()
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = Code::read("ABCD0123").expect("a code");
        for typed in ["abcd0123", "ABCD-0123", " abcd-o1 23\n", "a b c d 0 1 2 3", "AbCdOi23", "abcdol23"] {
            assert_eq!(Code::read(typed).as_ref(), Some(&code), "{typed:?}");
        }
        for typed in
            ["", "ABCD012", "ABCD01234", "ABC-D0123", "ABCD--0123", "ABCD-01-23", "ABCDU123", "ÄBCD012", "ABCD_0123"]
        {
            assert_eq!(Code::read(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn a_code_that_was_made_can_be_read_and_does_not_print() {
        let code = Code::generate().expect("randomness");
        assert_eq!(Code::read(&code.readable()).as_ref(), Some(&code));
        assert_ne!(Code::generate().expect("randomness"), code);
        assert_eq!(format!("{code:?}"), "Code(..)");
    }

    #[test]
    fn a_code_is_good_for_one_person_and_one_purpose() {
        let code = Code::read("ABCD0123").expect("a code");
        let (ann, ben) = (UserId::new(), UserId::new());
        let hash = code.hash(ann, Purpose::Password);
        assert_eq!(hash, code.hash(ann, Purpose::Password));
        assert_ne!(hash, code.hash(ben, Purpose::Password));
        assert_ne!(hash, code.hash(ann, Purpose::Email));
    }
}
