//! What a rule set may be at most. Everything is bounded, so that no tenant's rules can take the
//! memory or the time of its worker.

/// Rules in a set.
pub const RULES: usize = 200;
/// Words, expressions or other values in one list.
pub const LIST: usize = 50;
/// Characters of a name: of a rule, of the business.
pub const NAME: usize = 80;
/// Characters of a keyword or an opt-out word.
pub const WORD: usize = 100;
/// Characters of a regular expression.
pub const REGEX: usize = 500;
/// Regular expressions in a set.
pub const REGEXES: usize = 20;
/// Bytes that one compiled expression may take; a larger one is refused. The engine's time grows with
/// the length of the text times this, never faster, whatever the expression.
pub const REGEX_BYTES: usize = 256 * 1024;
/// Bytes of the cache that an expression may use while it searches.
pub const REGEX_CACHE_BYTES: usize = 128 * 1024;
/// Characters of a reply: of its template, and of what is sent.
pub const REPLY: usize = 4096;
/// Variables of the tenant's own.
pub const VARIABLES: usize = 50;
/// Characters of a variable's value; of a message that is quoted in a reply too.
pub const VALUE: usize = 1000;
/// Opening times in a set.
pub const HOURS: usize = 28;
/// Characters of an address or a file's name.
pub const ADDRESS: usize = 2000;
/// Minutes for which a chat can be handed over: a week.
pub const HANDOVER_MINUTES: u32 = 7 * 24 * 60;
/// Characters of a message that are looked at; what comes after them is not.
pub const MESSAGE: usize = 4096;
/// Bytes of a set, as JSON.
pub const SET_BYTES: usize = 256 * 1024;
/// Bytes of a webhook's answer.
pub const WEBHOOK_ANSWER: usize = 64 * 1024;
