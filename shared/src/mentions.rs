//! The usernames in a text.

use crate::fields::{MessageText, Username};

/// How many people a message may mention; more `@username`s are just text.
const MAX_MENTIONS: usize = 20;

/// The usernames after an `@` that stands at the beginning of a word, in lower case, the first twenty. A full stop or a hyphen at
/// the end may belong to the name or to the sentence, so both readings are given.
pub fn usernames(text: &MessageText) -> Vec<String> {
    let text = text.as_str();
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let mut usernames = Vec::new();
    for (at, _) in text.match_indices('@') {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || "_.-@".contains(c)) {
            continue;
        }
        let rest = &text[at + 1..];
        let word = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        for name in [word, word.trim_end_matches(['.', '-'])] {
            let Ok(name) = Username::new(name) else { continue };
            let name = name.as_str().to_owned();
            if !usernames.contains(&name) && usernames.len() < MAX_MENTIONS {
                usernames.push(name);
            }
        }
    }
    usernames
}

#[cfg(test)]
mod tests {
    use super::{MAX_MENTIONS, usernames};
    use crate::fields::MessageText;

    #[test]
    fn usernames_in_a_text_stand_after_an_at_sign_that_begins_a_word() {
        let found = |text: &str| usernames(&MessageText::new(text).expect("valid"));
        assert_eq!(found("@Bob, (@ann_1) and\n@Bob"), ["bob", "ann_1"]);
        assert_eq!(found("Ask @bob."), ["bob.", "bob"]);
        assert_eq!(found("mail@example.com @@bob @al @ б@bob"), Vec::<String>::new());
        let many: Vec<String> = (10..40).map(|n| format!("@user{n}")).collect();
        assert_eq!(found(&many.join(" ")).len(), MAX_MENTIONS);
    }
}
