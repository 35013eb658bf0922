//! Which language a message is in: English, Swahili or another, by its most common words. Short
//! messages often hold none of them; those are "other".

use crate::set::Language;
use crate::words::Text;

const ENGLISH: &[&str] = &[
    "a", "about", "am", "an", "and", "any", "are", "at", "be", "buy", "can", "cancel", "could",
    "day", "delivery", "did", "do", "does", "for", "from", "get", "good", "have", "hello", "help",
    "here", "hey", "hi", "how", "i", "i'm", "if", "in", "is", "it", "know", "like", "me",
    "morning", "much", "my", "need", "no", "not", "of", "on", "open", "or", "order", "our",
    "please", "price", "send", "some", "thank", "thanks", "that", "the", "there", "they", "this",
    "time", "to", "today", "tomorrow", "want", "was", "we", "what", "what's", "when", "where",
    "which", "who", "why", "will", "with", "work", "would", "yes", "you", "your",
];

const SWAHILI: &[&str] = &[
    "ama",
    "asante",
    "asubuhi",
    "au",
    "bado",
    "basi",
    "bei",
    "bwana",
    "chakula",
    "cha",
    "duka",
    "gani",
    "habari",
    "hakuna",
    "hapa",
    "hapana",
    "hii",
    "hiki",
    "hilo",
    "hivi",
    "hiyo",
    "hujambo",
    "huu",
    "jambo",
    "je",
    "jina",
    "jioni",
    "kama",
    "karibu",
    "katika",
    "kesho",
    "kiasi",
    "kila",
    "kuna",
    "kununua",
    "kwa",
    "kwenye",
    "la",
    "lakini",
    "leo",
    "lini",
    "mambo",
    "mchana",
    "mimi",
    "mko",
    "mna",
    "mnafungua",
    "mpo",
    "mwisho",
    "na",
    "naomba",
    "nataka",
    "naweza",
    "ndio",
    "ndiyo",
    "ngapi",
    "ni",
    "niko",
    "nimefika",
    "nina",
    "ninaomba",
    "ninataka",
    "ninaweza",
    "nini",
    "oda",
    "pesa",
    "pia",
    "poa",
    "rafiki",
    "saa",
    "salama",
    "samahani",
    "sana",
    "sasa",
    "sawa",
    "shikamoo",
    "shilingi",
    "shukrani",
    "siku",
    "sisi",
    "tafadhali",
    "tu",
    "una",
    "vipi",
    "wa",
    "wakati",
    "wangu",
    "wapi",
    "wewe",
    "wiki",
    "ya",
    "yake",
    "yako",
    "yangu",
    "yeye",
    "za",
    "zenu",
];

/// Beginnings of Swahili verbs: person and tense. Only longer words are tried.
const VERBS: &[&str] = &[
    "nina", "una", "ana", "tuna", "wana", "nita", "uta", "ata", "tuta", "mta", "wata", "nime",
    "ume", "ame", "tume", "wame", "nili", "uli", "ali", "tuli", "wali", "sija", "haija",
];

/// The shortest word that is tried for a verb.
const SHORTEST_VERB: usize = 7;

/// The language of a message.
#[must_use]
pub fn language(text: &Text<'_>) -> Language {
    let (mut english, mut swahili) = (0_usize, 0_usize);
    for word in text.words() {
        let is_verb = || word.len() >= SHORTEST_VERB && VERBS.iter().any(|v| word.starts_with(v));
        if ENGLISH.contains(&word) {
            english += 1;
        } else if SWAHILI.contains(&word) || is_verb() && word.ends_with(['a', 'i', 'e']) {
            swahili += 1;
        }
    }
    match english.cmp(&swahili) {
        std::cmp::Ordering::Greater => Language::English,
        std::cmp::Ordering::Less => Language::Swahili,
        std::cmp::Ordering::Equal => Language::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::language;
    use crate::set::Language::{English, Other, Swahili};
    use crate::words::Text;

    #[test]
    fn common_messages_are_told_apart() {
        let table = [
            ("Hello, how much is the cake?", English),
            ("What time do you open tomorrow", English),
            ("I'm here", English),
            ("Habari za asubuhi", Swahili),
            ("Bei ya mkate ni ngapi?", Swahili),
            ("Nimefika dukani", Swahili),
            ("Ninatafuta viatu", Swahili),
            ("Naomba kuweka miadi kesho saa nne", Swahili),
            ("Bonjour, combien ça coûte ?", Other),
            ("Guten Tag", Other),
            ("12345", Other),
            ("", Other),
        ];
        for (text, expected) in table {
            assert_eq!(language(&Text::new(text)), expected, "{text:?}");
        }
    }
}
