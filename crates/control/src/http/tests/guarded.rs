//! Every route of the document with every kind of credential, against what is meant to be.

use std::collections::BTreeMap;

use api::access::{OperatorRole, Permission, TenantRole};
use api::worker::HeartbeatMode;
use axum::http::Method;
use serde_json::{Value, json};

use super::people::{PASSWORD, Signed};
use super::stage::{ADMIN, Stage};
use crate::http::openapi;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Nobody,
    Wrong,
    WrongCookie,
    Expired,
    Locked,
    AdminToken,
    PairLink,
    PairLinkElsewhere,
    PairLinkOver,
    PairLinkTakenBack,
    PairLinkForged,
    Key(Permission),
    KeyHere(Permission),
    KeyElsewhere,
    Person(Role),
    Portal,
    PortalWrong,
    WorkerHere,
    WorkerOld,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Admin,
    Operator,
    Viewer,
    Owner,
    Staff,
    OwnerElsewhere,
}

/// What a route needs, written down here once more: by the path and method alone, and not taken from the
/// table that is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Nothing,
    Known,
    OwnAccount,
    Fleet(Permission),
    Here(Permission),
    Current(Permission),
    Worker,
}

fn need(method: &Method, path: &str) -> Need {
    use Permission::{Admin, Control, Pair, People, Read, Send, Settings};
    let reads = method == Method::GET;
    let of = |permission| Need::Here(permission);
    match path {
        "/health"
        | "/ready"
        | "/auth/methods"
        | "/auth/setup"
        | "/auth/sign-in"
        | "/auth/accept"
        | "/auth/forgot"
        | "/auth/pair-link"
        | "/brand"
        | "/brand/logo"
        | "/auth/oidc/start"
        | "/auth/oidc/callback" => Need::Nothing,
        _ if path.starts_with("/auth/") && path != "/auth/session" => Need::OwnAccount,
        _ if path == "/auth/session" || path.starts_with("/admin/rules/") => Need::Known,
        _ if path.starts_with("/link/") => Need::Worker,
        _ if path.starts_with("/admin/users")
            || path.starts_with("/admin/keys")
            || path.starts_with("/admin/brand")
            || path.starts_with("/admin/system")
            || path.starts_with("/admin/backups")
            || path.starts_with("/admin/audit") =>
        {
            Need::Fleet(Admin)
        }
        "/admin/tenants" if !reads => Need::Fleet(Settings),
        "/admin/tenants"
        | "/admin/events"
        | "/admin/fleet"
        | "/admin/fleet/tenants"
        | "/admin/fleet/stream"
        | "/metrics" => Need::Fleet(Read),
        _ => {
            let wanted = if path.ends_with("/people") || path.contains("/people/") {
                People
            } else if path.ends_with("/migrate")
                || (path == "/admin/tenants/{tenant}" && method == Method::DELETE)
            {
                Admin
            } else if path.ends_with("/session/reset")
                || path.ends_with("/pair-links")
                || path.contains("/worker/")
            {
                Control
            } else if path.ends_with("/qr") || path.contains("/session/") {
                Pair
            } else if reads || path.ends_with("/rules/test") {
                Read
            } else if path.ends_with("/messages") || path.ends_with("/media") {
                Send
            } else {
                Settings
            };
            if path.contains("/portal/") { Need::Current(wanted) } else { of(wanted) }
        }
    }
}

/// What is answered: let through (whatever comes of it then), or refused by this code.
fn meant(who: Who, need: Need, reads: bool) -> Result<(), (u16, &'static str)> {
    const UNAUTHORIZED: Result<(), (u16, &str)> = Err((401, "unauthorized"));
    const FORBIDDEN: Result<(), (u16, &str)> = Err((403, "forbidden"));
    const HIDDEN: Result<(), (u16, &str)> = Err((404, "unknown_tenant"));
    use Permission::{Admin, Control, Pair, People, Read, Send, Settings};
    if need == Need::Nothing {
        return Ok(());
    }
    // Fleet-wide, or of the tenant that is asked for, or of another one.
    enum Place {
        Fleet,
        Here,
        Elsewhere,
    }
    let (place, has): (Place, &[Permission]) = match who {
        Who::Nobody | Who::Wrong | Who::WrongCookie | Who::Expired | Who::Locked => {
            return UNAUTHORIZED;
        }
        Who::PairLinkOver | Who::PairLinkTakenBack | Who::PairLinkForged => return UNAUTHORIZED,
        Who::WorkerHere | Who::WorkerOld => {
            return match (need, who) {
                (Need::Worker, Who::WorkerHere) => Ok(()),
                (Need::Worker, _) => Err((409, "stale_generation")),
                _ => UNAUTHORIZED,
            };
        }
        Who::PortalWrong => return UNAUTHORIZED,
        Who::Portal => {
            return match need {
                Need::Current(Read | Control | Pair) if reads => Ok(()),
                Need::Current(_) => FORBIDDEN,
                _ => UNAUTHORIZED,
            };
        }
        Who::AdminToken | Who::Person(Role::Admin) => (Place::Fleet, &[Admin]),
        Who::Person(Role::Operator) => (Place::Fleet, &[Read, Send, Control, Settings]),
        Who::Person(Role::Viewer) => (Place::Fleet, &[Read]),
        Who::Person(Role::Owner) => (Place::Here, &[Read, Send, Control, Settings, People]),
        Who::Person(Role::Staff) => (Place::Here, &[Read, Send]),
        Who::Person(Role::OwnerElsewhere) => {
            (Place::Elsewhere, &[Read, Send, Control, Settings, People])
        }
        Who::Key(Read) => (Place::Fleet, &[Read]),
        Who::Key(Send) => (Place::Fleet, &[Send]),
        Who::Key(Pair) => (Place::Fleet, &[Pair]),
        Who::Key(Control) => (Place::Fleet, &[Control]),
        Who::Key(Settings) => (Place::Fleet, &[Settings]),
        Who::Key(_) => (Place::Fleet, &[Admin]),
        Who::KeyHere(Read) => (Place::Here, &[Read]),
        Who::KeyHere(Send) => (Place::Here, &[Send]),
        Who::PairLink => (Place::Here, &[Pair]),
        Who::PairLinkElsewhere => (Place::Elsewhere, &[Pair]),
        Who::KeyHere(Pair) => (Place::Here, &[Pair]),
        Who::KeyHere(Control) => (Place::Here, &[Control]),
        Who::KeyHere(_) => (Place::Here, &[Settings]),
        Who::KeyElsewhere => (Place::Elsewhere, &[Read, Send, Control, Settings]),
    };
    let may = |permission| {
        has.contains(&permission)
            || has.contains(&Admin)
            || permission == Pair && has.contains(&Control)
    };
    match (need, place) {
        (Need::Known, _) => Ok(()),
        (Need::OwnAccount, _) if matches!(who, Who::Person(_)) => Ok(()),
        (Need::OwnAccount, _) => FORBIDDEN,
        (Need::Worker, _) => UNAUTHORIZED,
        (Need::Fleet(wanted), Place::Fleet) if may(wanted) => Ok(()),
        (Need::Fleet(_), _) => FORBIDDEN,
        (Need::Here(_) | Need::Current(_), Place::Elsewhere) => HIDDEN,
        (Need::Here(wanted) | Need::Current(wanted), _) if may(wanted) => Ok(()),
        (Need::Here(_) | Need::Current(_), _) => FORBIDDEN,
        (Need::Nothing, _) => Ok(()),
    }
}

type Headers = Vec<(String, String)>;

async fn everybody(stage: &Stage) -> BTreeMap<Who, Headers> {
    let one = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let bearer = |token: &str| one("authorization", &format!("Bearer {token}"));
    let here = stage.plane.fleet.find("here").unwrap().id;
    let mut all = BTreeMap::from([
        (Who::Nobody, Vec::new()),
        (Who::Wrong, bearer("tnt_0000000000000000000000000000000000")),
        (Who::WrongCookie, one("cookie", "tenantry_session=0123456789abcdef")),
        (Who::AdminToken, bearer(ADMIN)),
        (Who::Portal, one("x-portal-key", "the-portal-key-of-tests")),
        (Who::PortalWrong, one("x-portal-key", "another-portal-key-of-tests")),
        (Who::WorkerHere, bearer(&stage.worker(here))),
    ]);
    let old = crate::token::Bearer { tenant: here, generation: 0 };
    all.insert(Who::WorkerOld, bearer(&stage.plane.link_key.token(old)));
    for scope in Permission::SCOPES {
        all.insert(Who::Key(scope), bearer(&stage.key(&[scope], None).await));
        if scope != Permission::Admin {
            all.insert(Who::KeyHere(scope), bearer(&stage.key(&[scope], Some("here")).await));
        }
    }
    let others = [Permission::Read, Permission::Send, Permission::Control, Permission::Settings];
    all.insert(Who::KeyElsewhere, bearer(&stage.key(&others, Some("elsewhere")).await));
    all.insert(Who::Expired, bearer(&stage.expired_key().await));
    let links = [
        (Who::PairLink, stage.pair_link("here", 60)),
        (Who::PairLinkElsewhere, stage.pair_link("elsewhere", 60)),
        (Who::PairLinkOver, stage.pair_link("here", -1)),
        (Who::PairLinkTakenBack, stage.pair_link_of_epoch("here", 1)),
        (Who::PairLinkForged, stage.pair_link("here", 60).replace("tnp_", "tnp_00")),
    ];
    all.extend(links.map(|(who, token)| (who, bearer(&token))));
    let people = [
        (Role::Admin, Some(OperatorRole::Admin), None),
        (Role::Operator, Some(OperatorRole::Operator), None),
        (Role::Viewer, Some(OperatorRole::Viewer), None),
        (Role::Owner, None, Some(("here", TenantRole::Owner))),
        (Role::Staff, None, Some(("here", TenantRole::Staff))),
        (Role::OwnerElsewhere, None, Some(("elsewhere", TenantRole::Owner))),
    ];
    for (role, of_fleet, of_tenant) in people {
        let email = format!("{role:?}@example.com").to_lowercase();
        stage.person(&email, of_fleet, of_tenant).await;
        all.insert(Who::Person(role), stage.sign_in(&email, PASSWORD).await.unwrap().headers());
    }
    stage.person("locked@example.com", Some(OperatorRole::Admin), None).await;
    let locked: Signed = stage.sign_in("locked@example.com", PASSWORD).await.unwrap();
    all.insert(Who::Locked, locked.headers());
    let path = "/admin/users/locked@example.com";
    let admin = [("authorization", format!("Bearer {ADMIN}"))];
    let headers: Vec<_> = admin.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = stage.ask(Method::PATCH, path, &headers, Some(json!({"disabled": true}))).await;
    assert_eq!(answer.status, 200);
    all
}

/// The routes of the document: method and path.
fn routes() -> Vec<(Method, String)> {
    let document = serde_json::to_value(openapi::document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let methods: Vec<_> = item.as_object().unwrap().keys().cloned().collect();
        let methods = methods.into_iter().filter(|name| name != "parameters");
        let path = path.clone();
        methods.map(move |name| (name.to_uppercase().parse().unwrap(), path.clone()))
    };
    let mut routes: Vec<(Method, String)> = paths.iter().flat_map(of_path).collect();
    // A start ends the generation that the worker's token is good for.
    routes.sort_by_key(|(_, path)| !path.starts_with("/link/"));
    routes
}

/// A path with its parameters filled in. What is destroyed must not be there.
fn filled(path: &str, message: &str) -> String {
    path.replace("{tenant}", "here")
        .replace("{message}", message)
        .replace("{user}", "nobody@example.com")
        .replace("{key}", "0190a0b0-0000-7000-8000-000000000000")
        .replace("{session}", "0190a0b0-0000-7000-8000-000000000000")
        .replace("{id}", "0190a0b0-0000-7000-8000-000000000000")
        .replace("{name}", "none")
}

#[tokio::test]
async fn every_route_lets_in_who_may_and_nobody_else() {
    let settings = [("portal_internal_key", "the-portal-key-of-tests"), ("lifecycle_wait_ms", "0")];
    let stage = Stage::with(&settings).await;
    let here = stage.tenant("here", HeartbeatMode::Link).await;
    stage.tenant("elsewhere", HeartbeatMode::Link).await;
    let sent = stage.send("here", Some("k"), json!({"to": "+254700000001", "text": "hi"})).await;
    let message = sent.body["id"].as_str().unwrap().to_owned();
    let everybody = everybody(&stage).await;
    let routes = routes();
    assert!(routes.len() > 100, "{}", routes.len());
    let mut wrong = Vec::new();
    for (method, template) in &routes {
        // It would end the tenant, the session or the link that the rest is tried with.
        let destroys = (*method == Method::DELETE
            && (template == "/admin/tenants/{tenant}" || template.ends_with("/pair-links")))
            || template.starts_with("/auth/sign-out");
        let need = need(method, template);
        for (who, headers) in &everybody {
            let meant = meant(*who, need, *method == Method::GET);
            if destroys && meant.is_ok() {
                continue;
            }
            let mut headers: Vec<_> =
                headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let id = here.to_string();
            headers.push(("x-tenant-id", &id));
            let path = filled(template, &message);
            let answer = stage.outcome(method.clone(), &path, &headers).await;
            let code = (answer.0, answer.1.as_str());
            let hidden = template == "/v1/messages/{message}" && code == (404, "unknown_message");
            let right = match meant {
                Err((404, _)) if hidden => true,
                Err(meant) => code == meant,
                // Let through: what the handler says of this senseless request is another matter.
                Ok(()) => {
                    let refusals = ["unauthorized", "forbidden", "csrf_token", "unknown_tenant"];
                    !refusals.contains(&code.1) && code.0 < 500 || code.0 == 503
                }
            };
            if !right {
                wrong.push(format!("{method} {template} by {who:?}: {code:?}, meant {meant:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn a_browser_needs_its_token_for_every_change() {
    let stage = Stage::new().await;
    stage.tenant("here", HeartbeatMode::Link).await;
    stage.person("admin@example.com", Some(OperatorRole::Admin), None).await;
    let signed = stage.sign_in("admin@example.com", PASSWORD).await.unwrap();
    for (method, template) in routes() {
        if method == Method::GET || need(&method, &template) == Need::Nothing {
            continue;
        }
        for csrf in [None, Some("wrong"), Some("")] {
            let mut headers = vec![("cookie", signed.cookie.as_str())];
            headers.extend(csrf.map(|token| ("x-csrf-token", token)));
            let (status, code) =
                stage.outcome(method.clone(), &filled(&template, "x"), &headers).await;
            let wanted = if template.starts_with("/link/") { "unauthorized" } else { "csrf_token" };
            assert_eq!(code, wanted, "{method} {template} with {csrf:?}: {status}");
        }
    }
}
