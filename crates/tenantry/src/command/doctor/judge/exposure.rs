//! Who can reach the server, and what keeps them out.

use crate::command::doctor::facts::{CertificateFact, Exposure};
use crate::command::doctor::finding::Finding;

const DAY: i64 = 86_400;
/// Certificates of the usual authorities last 90 days and are renewed 30 days before their end.
const EXPIRES_SOON: i64 = 21;
/// A password that other machines may try should have so many characters.
const LONG: usize = 14;
/// 128 bits in hexadecimal digits.
const LONG_KEY: usize = 32;

pub fn judge(exposure: &Exposure) -> Vec<Finding> {
    let mut findings = vec![reach(exposure)];
    findings.extend(exposure.certificate.as_ref().map(certificate));
    findings.extend(short(exposure));
    findings
}

fn reach(exposure: &Exposure) -> Finding {
    let check = "exposure";
    let behind_proxy = if exposure.proxies { ", and by clients of its proxies" } else { "" };
    match (exposure.remote, exposure.certificate.is_some()) {
        (true, false) => Finding::problem(
            check,
            "other machines reach the server, and it speaks plain HTTP",
            "who listens on the way reads tokens and sessions, and can use them",
            "set TLS_CERT and TLS_KEY, or BIND=127.0.0.1 with a proxy that speaks TLS before it",
        ),
        (true, true) if !exposure.limited => Finding::warning(
            check,
            "other machines reach the server, and may ask as often as they like",
            "one of them can take all of its time",
            "set RATE_LIMIT_PER_ADDRESS to its default of 100",
        ),
        (true, true) => Finding::ok(
            check,
            "other machines reach the server through TLS",
            "what is said cannot be read on the way",
        ),
        (false, _) => Finding::ok(
            check,
            format!("the server is reached from this machine alone{behind_proxy}"),
            "what is said between it and others is for them to keep closed",
        ),
    }
}

fn certificate(certificate: &CertificateFact) -> Finding {
    let check = "certificate";
    let path = certificate.path.display();
    let remedy = "renew it; the server takes the new files by itself";
    match &certificate.expires_s {
        Err(why) => Finding::problem(
            check,
            format!("{path}: {why}"),
            "the server does not start with it",
            "set TLS_CERT to a PEM file with the certificate",
        ),
        Ok(seconds) if *seconds <= 0 => Finding::problem(
            check,
            format!("{path} has expired"),
            "browsers and programs refuse to talk to the server",
            remedy,
        ),
        Ok(seconds) if *seconds < EXPIRES_SOON * DAY => Finding::warning(
            check,
            format!("{path} expires in {} days", seconds / DAY),
            "it should have been renewed by now",
            remedy,
        ),
        Ok(seconds) => Finding::ok(
            check,
            format!("{path} expires in {} days", seconds / DAY),
            "there is time to renew it",
        ),
    }
}

/// Secrets that are shorter than they should be where others may try them.
fn short(exposure: &Exposure) -> Vec<Finding> {
    let open = exposure.remote || exposure.proxies;
    let mut findings = Vec::new();
    if open && exposure.admin_password.is_some_and(|length| length < LONG) {
        findings.push(Finding::warning(
            "admin-password",
            format!("ADMIN_PASSWORD has fewer than {LONG} characters"),
            "it opens everything, and whoever reaches the server may try to guess it",
            "take it away and use people's own accounts, or make it longer",
        ));
    }
    if exposure.portal_key.is_some_and(|length| length < LONG_KEY) {
        findings.push(Finding::warning(
            "portal-key",
            format!("PORTAL_INTERNAL_KEY has fewer than {LONG_KEY} characters"),
            "it opens every tenant's portal, and machines guess it",
            "set it to the output of `openssl rand -hex 32`, here and in the portal",
        ));
    }
    findings
}
