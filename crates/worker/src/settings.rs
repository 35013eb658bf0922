//! The tenant's settings as the worker uses them: with its rules ready to decide.

use std::sync::Arc;

use api::link::WorkerConfig;
use rules::{Mistake, Rules};

use crate::pacing::Pace;

/// The settings in use.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the control plane sent.
    pub wire: WorkerConfig,
    /// What messages are decided by; `None`: nothing is answered.
    pub rules: Option<Arc<Rules>>,
    /// When messages may go out.
    pub pace: Arc<Pace>,
}

impl Settings {
    /// Makes settings ready. Rules that this program does not understand (a newer control plane may
    /// send them) are told in words; those in use before go on to be used.
    #[must_use]
    pub fn new(wire: WorkerConfig, earlier: Option<&Self>) -> (Self, Option<String>) {
        let mut told: Vec<String> = Vec::new();
        let mut tell = |mistakes: Vec<Mistake>| {
            told.extend(mistakes.iter().take(3).map(ToString::to_string));
        };
        let rules = ready(&wire).map(|rules| rules.map(Arc::new)).unwrap_or_else(|mistakes| {
            tell(mistakes);
            earlier.and_then(|earlier| earlier.rules.clone())
        });
        let max = wire.rate_limit_max_per_minute;
        let pace = Pace::new(&wire.pacing, max).map(Arc::new).unwrap_or_else(|mistakes| {
            tell(mistakes);
            earlier.map(|earlier| Arc::clone(&earlier.pace)).unwrap_or_default()
        });
        (Self { wire, rules, pace }, (!told.is_empty()).then(|| told.join("; ")))
    }
}

fn ready(wire: &WorkerConfig) -> Result<Option<Rules>, Vec<Mistake>> {
    match &wire.rules {
        Some(rules) => Rules::compile(&rules::from_json(rules)?).map(Some),
        None if wire.greeting.is_empty() => Ok(None),
        None => Ok(Some(Rules::greeting(&wire.greeting))),
    }
}

#[cfg(test)]
mod tests {
    use api::link::WorkerConfig;
    use serde_json::json;

    use super::Settings;

    #[test]
    fn rules_come_before_the_greeting_and_bad_ones_leave_the_old_in_use() {
        let greeting = WorkerConfig { greeting: "hello".to_owned(), ..WorkerConfig::default() };
        let (first, told) = Settings::new(greeting.clone(), None);
        assert!(first.rules.is_some() && told.is_none());
        let rules = json!({"rules": [{"name": "a", "action": "ignore"}]});
        let (second, told) =
            Settings::new(WorkerConfig { rules: Some(rules), ..greeting.clone() }, Some(&first));
        assert!(told.is_none());
        let bad = WorkerConfig { rules: Some(json!({"rules": [{"name": "a"}]})), ..greeting };
        let (third, told) = Settings::new(bad, Some(&second));
        assert!(told.unwrap().contains("rules[0].action"));
        let same = |one: &Settings, two: &Settings| {
            std::sync::Arc::ptr_eq(one.rules.as_ref().unwrap(), two.rules.as_ref().unwrap())
        };
        assert!(same(&third, &second));
        assert!(Settings::new(WorkerConfig::default(), Some(&second)).0.rules.is_none());
    }
}
