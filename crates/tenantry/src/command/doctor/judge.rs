//! From facts to findings: what is well, what is not, and what to do about it.

mod exposure;
mod installation;
mod machine;

use super::facts::Facts;
use super::finding::Finding;

/// All findings, the machine's first.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = machine::judge(facts);
    findings.extend(installation::judge(facts));
    findings.extend(facts.settings.exposure.iter().flat_map(exposure::judge));
    findings
}

#[cfg(test)]
mod tests;
