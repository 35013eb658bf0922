//! The running server against its own OpenAPI document: whatever the document allows is asked, and every
//! answer must be one that the document knows.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use e2e::{Installation, Setup, program};

/// Requests that are made up for each operation, beside those that try every bound of it.
const EXAMPLES: &str = "10";

/// What is not asked: what workers say, streams that have no end, what waits for a worker, and what takes seconds.
const LEFT_OUT: &str = "^/link|/session/|/worker/|/logs|/stream$|/doctor$|^/auth/(oidc|sign-out)|^/admin/tenants/{tenant}$|/verify$";

fn schemathesis() -> PathBuf {
    // target/<profile>/tenantry → target/tools
    let target = program::program().ancestors().nth(2).unwrap().to_owned();
    let program = target.join("tools/schemathesis/bin/schemathesis");
    assert!(program.is_file(), "{} is missing: run `cargo xtask test`", program.display());
    program
}

#[tokio::test]
async fn every_answer_is_one_that_the_document_knows() {
    let setup = Setup { env: vec![("RATE_LIMIT_PER_ADDRESS".to_owned(), "0".to_owned())] };
    let stage = Installation::with(setup).await;
    let tenant = stage.tenant("Duka", "+254700000001").await;
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("schemathesis.toml");
    fs::write(&settings, "[parameters]\n\"path.tenant\" = \"duka\"\n").unwrap();
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance";
    let run = Command::new(schemathesis())
        .current_dir(folder.path())
        .args(["--config-file".as_ref(), settings.as_os_str()])
        .args(["run", &format!("{}/openapi.json", stage.url().unwrap())])
        .args(["--header", &format!("authorization: Bearer {}", stage.token())])
        .args(["--header", &format!("x-tenant-id: {}", tenant.id)])
        .args(["--exclude-deprecated", "--exclude-path-regex", LEFT_OUT, "--checks", checks])
        .args(["--phases", "coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", "1"])
        .args(["--suppress-health-check", "all", "--generation-database", "none"])
        .args(["--request-timeout", "20", "--continue-on-failure", "--no-color"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    let line = said.lines().find(|line| line.contains("generated,")).unwrap_or_default();
    let asked: u32 = line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0);
    assert!(asked > 1000, "it asked too little to prove anything: {said}");
}
