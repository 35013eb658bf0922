//! Texts as they are compared: without case, accents, curly apostrophes and what cannot be seen.

use unicode_normalization::UnicodeNormalization;

/// `text` as it is compared. White space becomes single blanks, none at the ends.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut blank = false;
    for character in text.nfkd().flat_map(char::to_lowercase) {
        if is_accent(character) || is_invisible(character) {
            continue;
        }
        if character.is_whitespace() {
            blank = !folded.is_empty();
            continue;
        }
        if std::mem::take(&mut blank) {
            folded.push(' ');
        }
        folded.push(match character {
            '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' | '\u{2bb}' | '`' => '\'',
            other => other,
        });
    }
    folded
}

/// Marks above or below Latin, Greek and Cyrillic letters, and the vowel points of Arabic. Other
/// scripts' marks are letters to their readers, and stay.
fn is_accent(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{652}')
}

fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::fold;

    #[test]
    fn case_accents_and_blanks_make_no_difference() {
        let same = [
            ("  Habari\u{a0} YAKO\n", "habari yako"),
            ("Café", "cafe"),
            ("CAFE\u{301}", "cafe"),
            ("ng\u{2019}ombe", "ng'ombe"),
            ("ＳＴＯＰ", "stop"),
            ("st\u{200b}op", "stop"),
            ("İstanbul", "istanbul"),
            ("हिन्दी", "हिन्दी"),
        ];
        for (text, folded) in same {
            assert_eq!(fold(text), folded, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,60}") {
            let once = fold(&text);
            let twice = fold(&once);
            prop_assert_eq!(&twice, &once);
            prop_assert_eq!(once.trim(), once.as_str());
        }
    }
}
