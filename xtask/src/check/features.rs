//! Cargo features that no build of ours may switch on.

use serde_json::Value;

use super::Findings;

/// The families of crates that need a nightly compiler with their `simd` feature.
const NIGHTLY_WITH_SIMD: [&str; 3] = ["wacore", "waproto", "whatsapp-rust"];

/// Every forbidden feature that is resolved for any crate of the graph, or asked for by one of ours.
/// The second finds those behind an optional dependency or another platform.
pub fn violations(metadata: &Value) -> Findings {
    let mut findings = Findings::new();
    for node in items(&metadata["resolve"]["nodes"]) {
        let id = node["id"].as_str().unwrap_or_default();
        let name = package_name(id);
        for feature in items(&node["features"]).iter().filter_map(Value::as_str) {
            if let Some(reason) = forbidden(name, feature) {
                findings.push(format!("`{name}` is built with the feature `{feature}`: {reason}"));
            }
        }
    }
    let ours = items(&metadata["packages"]).iter().filter(|package| package["source"].is_null());
    for package in ours {
        let asks = package["name"].as_str().unwrap_or_default();
        for dependency in items(&package["dependencies"]) {
            let name = dependency["name"].as_str().unwrap_or_default();
            for feature in items(&dependency["features"]).iter().filter_map(Value::as_str) {
                if let Some(reason) = forbidden(name, feature) {
                    findings.push(format!("`{asks}` asks for `{name}/{feature}`: {reason}"));
                }
            }
        }
    }
    findings
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The package's name in an id such as `registry+https://…#serde@1.0.0` or `path+file://…/api#0.1.0`.
fn package_name(id: &str) -> &str {
    let (address, fragment) = id.rsplit_once('#').unwrap_or(("", id));
    match fragment.split_once('@') {
        Some((name, _)) => name,
        // Without a name in the fragment, the folder has the package's name.
        None => address.rsplit('/').next().unwrap_or(fragment),
    }
}

/// Why a crate may not have a feature; none when it may.
fn forbidden(package: &str, feature: &str) -> Option<&'static str> {
    if feature.starts_with("danger") {
        return Some("it weakens certificate checks, and no build may");
    }
    let nightly = NIGHTLY_WITH_SIMD.iter().any(|family| package.starts_with(family));
    (nightly && feature == "simd").then_some("it needs a nightly compiler")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{forbidden, package_name, violations};

    #[test]
    fn names_are_read_from_both_forms_of_id() {
        assert_eq!(package_name("registry+https://host/index#serde@1.0.0"), "serde");
        assert_eq!(package_name("path+file:///r/crates/api#0.1.0"), "api");
        assert_eq!(package_name("path+file:///r/crates/x#name@0.1.0"), "name");
    }

    #[test]
    fn danger_is_forbidden_everywhere_and_simd_where_it_needs_nightly() {
        assert!(forbidden("anything", "danger-skip-verification").is_some());
        assert!(forbidden("wacore-binary", "simd").is_some());
        assert!(forbidden("zerocopy", "simd").is_none());
        assert!(forbidden("whatsapp-rust", "tokio-runtime").is_none());
    }

    #[test]
    fn resolved_and_asked_for_features_are_both_seen() {
        let metadata = json!({
            "resolve": {"nodes": [{"id": "registry+x#whatsapp-rust@0.7.0", "features": ["simd"]}]},
            "packages": [
                {"name": "worker", "source": null, "dependencies": [
                    {"name": "wacore", "features": ["danger-x", "std"]}
                ]},
                {"name": "other", "source": "registry", "dependencies": [
                    {"name": "wacore", "features": ["danger-x"]}
                ]},
            ],
        });
        assert_eq!(violations(&metadata).len(), 2);
    }
}
