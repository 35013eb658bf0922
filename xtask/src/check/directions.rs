//! Which crate of the workspace may depend on which.

use serde_json::Value;

use super::Findings;

/// What each crate's product code may use of ours. A new crate, or a new edge, is a decision: it is
/// made here and in the architecture page, not in passing.
const PRODUCT: &[(&str, &[&str])] = &[
    ("api", &[]),
    ("chaos", &["supervisor"]),
    ("control", &["api", "store", "runtime", "rules", "sealing", "logging", "web"]),
    ("e2e", &["api", "pgtest", "whatsim"]),
    ("logging", &[]),
    ("pgtest", &[]),
    ("pm2", &["supervisor"]),
    ("rules", &[]),
    ("runtime", &["api", "supervisor"]),
    ("store", &["api"]),
    ("sealing", &[]),
    ("supervisor", &["logging"]),
    ("tenantry", &["control", "supervisor", "worker", "pm2", "api", "logging"]),
    ("whatsim", &[]),
    ("worker", &["api", "rules", "sealing", "logging"]),
    ("xtask", &["pgtest"]),
];

/// What tests may use on top of that.
const TESTS: &[(&str, &[&str])] =
    &[("control", &["pgtest"]), ("store", &["pgtest"]), ("worker", &["whatsim"])];

/// A dependency of one of our crates on another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    from: String,
    to: String,
    /// Whether only tests, examples and benchmarks have it.
    dev: bool,
}

/// The edges between the workspace's own crates.
pub fn edges(metadata: &Value) -> Vec<Edge> {
    let mut edges = Vec::new();
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    // Our own crates come from no registry.
    for package in packages.iter().filter(|package| package["source"].is_null()) {
        let dependencies = package["dependencies"].as_array().map(Vec::as_slice);
        for dependency in dependencies.unwrap_or_default() {
            if let (Some(from), Some(to), true) = (
                package["name"].as_str(),
                dependency["name"].as_str(),
                dependency["path"].is_string(),
            ) {
                let dev = dependency["kind"] == "dev";
                edges.push(Edge { from: from.to_owned(), to: to.to_owned(), dev });
            }
        }
    }
    edges
}

/// The edges that are not allowed, in words.
pub fn violations(edges: &[Edge]) -> Findings {
    edges.iter().filter(|edge| !allowed(edge)).map(words).collect()
}

fn allowed(edge: &Edge) -> bool {
    let listed = |table: &[(&str, &[&str])]| {
        let row = table.iter().find(|(from, _)| *from == edge.from);
        row.is_some_and(|(_, targets)| targets.contains(&edge.to.as_str()))
    };
    listed(PRODUCT) || (edge.dev && listed(TESTS))
}

fn words(edge: &Edge) -> String {
    let Edge { from, to, dev } = edge;
    let kind = if *dev { "tests of `" } else { "`" };
    format!("{kind}{from}` may not depend on `{to}` (see the table in this check)")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Edge, edges, violations};

    fn edge(from: &str, to: &str, dev: bool) -> Edge {
        Edge { from: from.to_owned(), to: to.to_owned(), dev }
    }

    #[test]
    fn only_planned_edges_pass() {
        assert_eq!(violations(&[edge("control", "store", false)]), [""; 0]);
        assert_eq!(violations(&[edge("worker", "store", false)]).len(), 1);
        assert_eq!(violations(&[edge("supervisor", "api", false)]).len(), 1);
        assert_eq!(violations(&[edge("newcomer", "api", false)]).len(), 1);
    }

    #[test]
    fn the_simulator_is_for_tests_of_the_worker() {
        assert_eq!(violations(&[edge("worker", "whatsim", true)]), [""; 0]);
        assert_eq!(violations(&[edge("worker", "whatsim", false)]).len(), 1);
        assert_eq!(violations(&[edge("store", "whatsim", true)]).len(), 1);
    }

    #[test]
    fn edges_are_path_dependencies_of_our_own_crates() {
        let metadata = json!({"packages": [
            {"name": "store", "source": null, "dependencies": [
                {"name": "api", "path": "/r/crates/api", "kind": null},
                {"name": "serde", "kind": null},
                {"name": "whatsim", "path": "/r/crates/whatsim", "kind": "dev"},
            ]},
            {"name": "serde", "source": "registry", "dependencies": [{"name": "serde_core"}]},
        ]});
        let expected = [edge("store", "api", false), edge("store", "whatsim", true)];
        assert_eq!(edges(&metadata), expected);
    }
}
