//! Reads single values, and keeps the mistakes.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use api::TenantId;

use super::{Mistake, Mistakes, Version};

/// Reads values from a map and keeps what is wrong with them.
pub(super) struct Reader<'a> {
    env: &'a BTreeMap<String, String>,
    mistakes: Vec<Mistake>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(env: &'a BTreeMap<String, String>) -> Self {
        Self { env, mistakes: Vec::new() }
    }

    pub(super) fn mistakes(self) -> Mistakes {
        Mistakes(self.mistakes)
    }

    pub(super) fn finish<T>(self, value: T) -> Result<T, Mistakes> {
        if self.mistakes.is_empty() { Ok(value) } else { Err(self.mistakes()) }
    }

    pub(super) fn mistake(&mut self, variable: &'static str, message: String) {
        self.mistakes.push(Mistake { variable, message });
    }

    fn text(&self, variable: &str) -> Option<&'a str> {
        self.env.get(variable).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    fn required(&mut self, variable: &'static str, remedy: &str) -> Option<&'a str> {
        let text = self.text(variable);
        if text.is_none() {
            self.mistake(variable, format!("not set; {remedy}"));
        }
        text
    }

    pub(super) fn tenant(&mut self, variable: &'static str) -> Option<TenantId> {
        let remedy = "set it to the tenant's id, a UUID";
        let text = self.required(variable, remedy)?;
        let tenant = text.parse().ok();
        if tenant.is_none() {
            self.mistake(variable, format!("{text:?} is no UUID; {remedy}"));
        }
        tenant
    }

    pub(super) fn sessions(&mut self, variable: &'static str) -> Option<PathBuf> {
        self.required(variable, "set it to the folder that holds the sessions of all tenants")
            .map(PathBuf::from)
    }

    pub(super) fn path(&mut self, variable: &'static str) -> Option<PathBuf> {
        self.required(
            variable,
            "TENANTRY_LINK needs it: set it to the file with the worker's token",
        )
        .map(PathBuf::from)
    }

    pub(super) fn optional_path(&self, variable: &str) -> Option<PathBuf> {
        self.text(variable).map(PathBuf::from)
    }

    pub(super) fn link(&mut self, variable: &'static str) -> Option<String> {
        let text = self.text(variable)?;
        let right = text.strip_prefix("unix:").is_some_and(|path| path.starts_with('/'))
            || text.strip_prefix("http://").is_some_and(|host| !host.is_empty());
        if !right {
            let message = format!("{text:?} is no address; write unix:/path or http://host:port");
            self.mistake(variable, message);
        }
        // Kept even when wrong, so that what the link needs besides is asked for too.
        Some(text.to_owned())
    }

    pub(super) fn whatsapp_url(&mut self, variable: &'static str) -> Option<String> {
        let text = self.text(variable)?;
        let host = text.strip_prefix("wss://").or_else(|| text.strip_prefix("ws://"));
        if host.is_none_or(str::is_empty) {
            self.mistake(
                variable,
                format!(
                    "{text:?} is no WebSocket address; write wss://host/path, or leave it out for WhatsApp itself"
                ),
            );
        }
        Some(text.to_owned())
    }

    pub(super) fn version(&mut self, variable: &'static str) -> Option<Version> {
        let text = self.text(variable)?;
        let mut parts = text.split('.').map(str::parse);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(first)), Some(Ok(second)), Some(Ok(third)), None) => {
                Some((first, second, third))
            }
            _ => {
                let message = format!("{text:?} is no version; write it like 2.3000.1027868167");
                self.mistake(variable, message);
                None
            }
        }
    }

    /// A whole number in `range`; `default` when it is not set or wrong.
    pub(super) fn number(
        &mut self,
        variable: &'static str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> u64 {
        let Some(text) = self.text(variable) else { return default };
        match text.parse().ok().filter(|number| range.contains(number)) {
            Some(number) => number,
            None => {
                let (low, high) = range.into_inner();
                self.mistake(
                    variable,
                    format!("{text:?} is no whole number from {low} to {high}; write one, or leave it out for {default}"),
                );
                default
            }
        }
    }

    /// The same as a time in milliseconds.
    pub(super) fn millis(
        &mut self,
        variable: &'static str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> Duration {
        Duration::from_millis(self.number(variable, range, default))
    }

    /// `true` or `false`; not set is `false`.
    pub(super) fn flag(&mut self, variable: &'static str) -> bool {
        match self.text(variable) {
            None | Some("false") => false,
            Some("true") => true,
            Some(text) => {
                self.mistake(variable, format!("{text:?} is neither true nor false"));
                false
            }
        }
    }

    pub(super) fn required_number(&mut self, variable: &'static str) -> Option<u64> {
        self.required(
            variable,
            "TENANTRY_LINK needs it: set it to the number of the worker's start",
        )?;
        Some(self.number(variable, 0..=u64::MAX, 0))
    }

    pub(super) fn factor(&mut self, variable: &'static str, default: f64) -> f64 {
        let Some(text) = self.text(variable) else { return default };
        match text.parse().ok().filter(|factor| (1.0..=100.0).contains(factor)) {
            Some(factor) => factor,
            None => {
                self.mistake(
                    variable,
                    format!("{text:?} is no number from 1 to 100; write one, or leave it out for {default}"),
                );
                default
            }
        }
    }
}
