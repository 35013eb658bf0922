//! The document that a tenant writes, as JSON or TOML. `docs/rules.md` describes it for people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A tenant's rules and what they refer to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleSet {
    /// What `{business}` stands for; the tenant's name when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business: Option<String>,
    /// The IANA name of the time zone of `hours`, `{time}` and `{date}`; `UTC` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// When the business is open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<Hours>,
    /// The tenant's own variables for replies.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// How contacts opt out, besides the built-in words.
    #[serde(skip_serializing_if = "OptOut::is_default")]
    pub opt_out: OptOut,
    /// The tenant's own program that the action `webhook` asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// Which messages in groups are for the bot.
    #[serde(skip_serializing_if = "Groups::is_default")]
    pub groups: Groups,
    /// The rules; the first that matches decides.
    pub rules: Vec<Rule>,
}

/// Which messages in groups are for the bot. The others are neither answered nor kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Groups {
    /// None.
    #[default]
    Ignore,
    /// Those that mention the bot's number, or answer one of its messages.
    Mentions,
    /// All.
    All,
}

impl Groups {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A time of the week in which the business is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// Days (`mon`, `tue`, …) and ranges of them (`mon-fri`).
    pub days: Vec<String>,
    /// From this time on: `08:00`.
    pub from: String,
    /// Up to this time: `17:30`, at most `24:00`. Before `from`: on the next day.
    pub to: String,
}

/// How contacts opt out, besides the built-in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptOut {
    /// More words by which a contact opts out; such a word must be the whole message.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// More words by which a contact opts in again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub return_words: Vec<String>,
    /// What confirms an opt-out: the last that is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<String>,
    /// What confirms that a contact is in again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_confirmation: Option<String>,
}

impl OptOut {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The tenant's own program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where it listens: `https://…` or `http://…`.
    pub url: String,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name; unique in the set.
    pub name: String,
    /// All of these conditions must hold; without any, the rule matches every message.
    #[serde(default, rename = "match", skip_serializing_if = "Match::is_empty")]
    pub when: Match,
    /// What is done then.
    pub action: Action,
}

/// Conditions, all of which must hold. Of a list, one value must.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// Words or phrases; case and accents make no difference.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// How keywords are looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyword_mode: Option<KeywordMode>,
    /// Regular expressions; case makes no difference, and accents of the message may be missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regex: Vec<String>,
    /// The language of the message, by its most common words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub language: Vec<Language>,
    /// Whether it is the contact's first message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_contact: Option<bool>,
    /// Whether it was written in a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<bool>,
    /// What kind of message it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// Whether the business is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<OpenOrClosed>,
}

impl Match {
    /// Whether there is no condition.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How keywords are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeywordMode {
    /// As whole words, anywhere in the message.
    #[default]
    Word,
    /// As any part of the message, also within words.
    Contains,
    /// As the whole message.
    Exact,
}

/// A language, as far as the rules tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// English.
    #[serde(rename = "en")]
    English,
    /// Swahili.
    #[serde(rename = "sw")]
    Swahili,
    /// Another one, or too little to tell.
    #[serde(rename = "other")]
    Other,
}

impl Language {
    /// Its name in a rule set.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Swahili => "sw",
            Self::Other => "other",
        }
    }
}

macro_rules! media {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal;)*) => {
        /// What kind of message it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Media {
            $($(#[doc = $doc])* $name,)*
        }

        impl Media {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in a rule set.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

media! {
    /// A text.
    Text = "text";
    /// A picture.
    Image = "image";
    /// A video.
    Video = "video";
    /// A sound file.
    Audio = "audio";
    /// A voice message.
    Voice = "voice";
    /// A document.
    Document = "document";
    /// A sticker.
    Sticker = "sticker";
    /// A place.
    Location = "location";
    /// A contact card.
    Contact = "contact";
}

/// Whether the business is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenOrClosed {
    /// Within the hours.
    Open,
    /// Outside them.
    Closed,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Reply with a text, in which variables are filled in.
    Reply(String),
    /// Reply with a picture or another file.
    Media(MediaAction),
    /// Hand the chat over to a person, and be silent in it for a while.
    HandOver(HandOver),
    /// Ask the tenant's webhook what to do.
    Webhook,
    /// Do nothing.
    Ignore,
}

/// A hand-over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    /// For how many minutes the bot is silent.
    pub minutes: u32,
    /// What it says before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
}

/// A picture or another file: `url` or `file`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaAction {
    /// Where it is fetched from when it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its name in the folder `media` of the tenant's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// As what it is shown.
    pub kind: MediaKind,
    /// The text below it, in which variables are filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
}

/// As what a file is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// As a picture.
    Image,
    /// As a video.
    Video,
    /// As a sound file.
    Audio,
    /// As a document.
    Document,
}

impl MediaKind {
    /// Its name in a rule set.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
        }
    }
}
