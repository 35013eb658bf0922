//! What a field of a declaration is: the row of the table in [`crate::app`].

use serde_json::Value;

use crate::app::{App, FIELDS};

/// One field of a declaration. The table of them drives parsing, the JSON Schema and the reference.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its other names; that in camel case is not among them.
    pub aliases: &'static [&'static str],
    /// What it does, in Markdown.
    pub doc: &'static str,
    /// What holds without it; empty where that is nothing.
    pub default: &'static str,
    /// What a user of PM2 must know about it, if it does not do what it does there.
    pub differs: Option<&'static str>,
    /// The kind of its value, in a word or two.
    pub kind: &'static str,
    pub(crate) schema: fn() -> Value,
    pub(crate) set: fn(&mut App, &Value) -> Result<(), String>,
    pub(crate) get: fn(&App) -> Option<Value>,
}

impl Field {
    /// The field that goes by this name, alias or camel case of them.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        let plain = |field: &&Self| field.name == name || field.aliases.contains(&name);
        let camel = |field: &&Self| field.names().any(|known| known == name);
        // Lists of thousands of processes ask, and almost always for plain names.
        FIELDS.iter().find(plain).or_else(|| {
            let humped = name.contains(|c: char| c.is_ascii_uppercase());
            humped.then(|| FIELDS.iter().find(camel)).flatten()
        })
    }

    /// All its names, its own first.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let plain = || std::iter::once(self.name).chain(self.aliases.iter().copied());
        let camel = plain().map(camel_case).filter(move |camel| plain().all(|name| name != camel));
        plain().map(str::to_owned).chain(camel)
    }

    /// The known name that is most like an unknown one, if any is.
    #[must_use]
    pub fn nearest(unknown: &str) -> Option<String> {
        const ALIKE: f64 = 0.85;
        let names = FIELDS.iter().flat_map(Self::names);
        let scored = names.map(|name| (strsim::jaro_winkler(unknown, &name), name));
        let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
        (best.0 >= ALIKE).then_some(best.1)
    }
}

/// `max_memory_restart` → `maxMemoryRestart`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut camel, word| {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
        camel
    })
}

/// Makes the struct [`App`] and the table [`FIELDS`] from one list, so that a new field is one entry.
///
/// `name: Type, [aliases], "default", "how it differs from PM2";` The last two may be left out together.
macro_rules! declaration {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident: $type:ty, [$($alias:literal),*] $(, $default:literal $(, $differs:literal)?)?;
    )*) => {
        /// One application as its author declares it. Every field is optional here; [`App::specs`] wants a script.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct App {
            $( $(#[doc = $doc])+ pub $name: Option<$type>, )*
            /// The variables of each `env_NAME`, by NAME; they come on top of `env` when NAME is selected.
            pub env_named: std::collections::BTreeMap<String, crate::value::Variables>,
            /// The file that it was declared in.
            pub file: Option<std::path::PathBuf>,
        }

        /// Every field there is.
        pub static FIELDS: &[Field] = &[$(
            Field {
                name: stringify!($name),
                aliases: &[$($alias),*],
                doc: concat!($($doc, "\n"),+),
                default: concat!($($default)?),
                differs: crate::field::some(&[$($($differs)?)?]),
                kind: <$type as crate::value::FieldValue>::KIND,
                schema: <$type as crate::value::FieldValue>::schema,
                set: |app, value| {
                    app.$name = Some(crate::value::FieldValue::read(value)?);
                    Ok(())
                },
                get: |app| app.$name.as_ref().map(crate::value::FieldValue::write),
            },
        )*];

        impl App {
            /// Takes over every field that `flags` has.
            fn overlay_fields(&mut self, flags: &Self) {
                $( if flags.$name.is_some() { self.$name.clone_from(&flags.$name); } )*
            }
        }
    };
}
pub(crate) use declaration;

/// The only text of a list, if it has one.
pub(crate) const fn some(texts: &[&'static str]) -> Option<&'static str> {
    match texts {
        [text] => Some(text),
        _ => None,
    }
}
