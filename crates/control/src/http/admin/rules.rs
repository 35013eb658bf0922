//! `/admin/tenants/{tenant}/rules` and `/admin/rules/templates`: reply rules.

use std::sync::Arc;

use api::link::Command;
use api::problem::FieldError;
use api::records::Page;
use api::rules::{
    NewWebhookSecret, PassedRule, RulesTemplate, RulesTest, RulesVerdict, RulesView, VerdictAction,
    WebhookSecret,
};
use axum::Json;
use axum::extract::{Path, State};
use chrono::Utc;
use rules::ready::{self, ReadyMade};
use rules::{Context, Decision, Incoming, Media, MediaSource, Mistake, Outcome, RuleSet, Rules};
use serde_json::Value;
use store::TenantRecord;

use crate::audit::audited;
use crate::fleet::Member;
use crate::http::body::Body;
use crate::http::link::worker_config;
use crate::http::scope::{By, Scope};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};
use crate::token;

type Plane = State<Arc<ControlPlane>>;

/// The reply rules.
#[utoipa::path(get, path = "", tag = "settings", responses((status = 200, description = "The reply rules.", body = RulesView)))]
pub async fn show(Scope(member): Scope) -> Json<RulesView> {
    Json(view(&member.snapshot().record))
}

fn view(record: &TenantRecord) -> RulesView {
    RulesView {
        version: record.config_version,
        rules: record.rules.as_deref().cloned(),
        webhook_secret: None,
    }
}

/// Replaces them, all or nothing.
#[utoipa::path(put, path = "", tag = "settings", request_body(content = Value, description = "A rule set, see docs/rules.md."), responses((status = 200, description = "The rules as they are now.", body = RulesView)))]
pub async fn set(
    State(plane): Plane,
    By(actor): By,
    Scope(member): Scope,
    Body(document): Body<Value>,
) -> Result<Json<RulesView>, ApiError> {
    let id = member.id;
    let work = {
        let plane = Arc::clone(&plane);
        async move { set_rules(&plane, &member, &document).await }
    };
    audited(&plane, actor, "rules.set", move |_| Some(id), work).await.map(Json)
}

async fn set_rules(
    plane: &ControlPlane,
    member: &Member,
    document: &Value,
) -> Result<RulesView, ApiError> {
    let (set, _) = admit(document)?;
    // As it was understood, so that what is stored is what every later program reads.
    let stored = serde_json::to_value(&set)
        .map_err(|error| ApiError::new(Kind::Internal, error.to_string()))?;
    let _one_at_a_time = member.settings.lock().await;
    let has_secret = member.snapshot().record.webhook_secret.is_some();
    let secret = if set.webhook.is_some() && !has_secret { Some(new_secret()?) } else { None };
    let record = plane.store.set_rules(member.id, Some(stored), secret.clone()).await?;
    let answer = RulesView { webhook_secret: secret.map(WebhookSecret), ..view(&record) };
    tell(plane, member, record, &format!("{} rules", set.rules.len()));
    Ok(answer)
}

/// Takes the reply rules away.
#[utoipa::path(delete, path = "", tag = "settings", responses((status = 200, description = "There are no rules; the greeting answers.", body = RulesView)))]
pub async fn clear(
    State(plane): Plane,
    By(actor): By,
    Scope(member): Scope,
) -> Result<Json<RulesView>, ApiError> {
    let id = member.id;
    let work = {
        let plane = Arc::clone(&plane);
        async move {
            let _one_at_a_time = member.settings.lock().await;
            let record = plane.store.set_rules(member.id, None, None).await?;
            let answer = view(&record);
            tell(&plane, &member, record, "no rules: the greeting answers");
            Ok(answer)
        }
    };
    audited(&plane, actor, "rules.clear", move |_| Some(id), work).await.map(Json)
}

/// Makes a new secret for the webhook.
#[utoipa::path(post, path = "", tag = "settings", responses((status = 200, description = "The new secret, which is not shown again.", body = NewWebhookSecret)))]
pub async fn renew_secret(
    State(plane): Plane,
    By(actor): By,
    Scope(member): Scope,
) -> Result<Json<NewWebhookSecret>, ApiError> {
    let id = member.id;
    let work = {
        let plane = Arc::clone(&plane);
        async move {
            let _one_at_a_time = member.settings.lock().await;
            let secret = new_secret()?;
            let record = plane.store.set_webhook_secret(member.id, secret.clone()).await?;
            tell(&plane, &member, record, "the webhook has a new secret");
            Ok(NewWebhookSecret { webhook_secret: WebhookSecret(secret) })
        }
    };
    audited(&plane, actor, "rules.secret", move |_| Some(id), work).await.map(Json)
}

/// Hands the new settings on: to what knows the tenant here, and to its worker.
fn tell(plane: &ControlPlane, member: &Member, record: TenantRecord, detail: &str) {
    let config = worker_config(&record);
    member.set_tenant(record);
    plane.recorder.event(member.id, "rules.changed", detail);
    // Nobody listens while the worker is down; its next heartbeat brings the settings.
    let _ = member.commands.send(Command::Config(config));
}

fn new_secret() -> Result<String, ApiError> {
    token::secret().map_err(|error| ApiError::new(Kind::Internal, error.to_string()))
}

/// Understands a document, or tells every mistake in it.
fn understood(document: &Value) -> Result<(RuleSet, Rules), Vec<Mistake>> {
    let set = rules::from_json(document)?;
    let ready = Rules::compile(&set)?;
    Ok((set, ready))
}

fn admit(document: &Value) -> Result<(RuleSet, Rules), ApiError> {
    understood(document).map_err(|mistakes| {
        let detail = match mistakes.len() {
            1 => "the rules have a mistake; those in use stay".to_owned(),
            count => format!("the rules have {count} mistakes; those in use stay"),
        };
        let error =
            |mistake: Mistake| FieldError { field: mistake.field, message: mistake.message };
        ApiError::fields(mistakes.into_iter().map(error).collect()).with_detail(detail)
    })
}

/// What the bot would do with a message that nobody wrote.
#[utoipa::path(post, path = "", tag = "settings", request_body = RulesTest, responses((status = 200, description = "What the bot would do, and why.", body = RulesVerdict)))]
pub async fn test(
    Scope(member): Scope,
    Body(test): Body<RulesTest>,
) -> Result<Json<RulesVerdict>, ApiError> {
    let record = member.snapshot().record;
    let rules = match test.rules.as_ref().or(record.rules.as_deref()) {
        Some(document) => admit(document)?.1,
        None if record.config.greeting.is_empty() => return Ok(Json(nothing_set())),
        None => Rules::greeting(&record.config.greeting),
    };
    let media = match &test.media {
        None => Media::Text,
        Some(word) => media(word)?,
    };
    let message = Incoming {
        text: &test.message,
        media,
        name: test.name.as_deref().unwrap_or_default(),
        number: test.number.as_deref().unwrap_or_default(),
        in_group: test.group,
    };
    let context = Context {
        now: test.at.unwrap_or_else(Utc::now),
        business: &record.name,
        first_contact: test.first_contact,
        opted_out: test.opted_out,
        handed_over_until: test.handed_over_until,
    };
    Ok(Json(verdict(rules.decide(&message, &context))))
}

fn media(word: &str) -> Result<Media, ApiError> {
    let found = Media::ALL.iter().find(|media| media.as_str() == word);
    found.copied().ok_or_else(|| {
        let known: Vec<&str> = Media::ALL.iter().map(|media| media.as_str()).collect();
        let message = format!("{word:?} is no kind of message; there are {}", known.join(", "));
        ApiError::fields(vec![FieldError { field: "media".to_owned(), message }])
    })
}

fn nothing_set() -> RulesVerdict {
    RulesVerdict {
        rule: None,
        reasons: vec!["there are no rules and no greeting".to_owned()],
        passed: Vec::new(),
        action: VerdictAction::Silent,
        reply: None,
        media: None,
        handover_minutes: None,
    }
}

fn verdict(decision: Decision) -> RulesVerdict {
    use VerdictAction as Action;
    let (action, reply, media, handover_minutes) = match decision.outcome {
        Outcome::Reply(text) => (Action::Reply, Some(text), None, None),
        Outcome::Media { file, caption } => {
            let caption = Some(caption).filter(|caption| !caption.is_empty());
            let (MediaSource::Url(place) | MediaSource::File(place)) = file.source;
            (Action::Media, caption, Some(place), None)
        }
        Outcome::HandOver { minutes, reply } => (Action::HandOver, reply, None, Some(minutes)),
        Outcome::Webhook => (Action::Webhook, None, None, None),
        Outcome::Ignore => (Action::Ignore, None, None, None),
        Outcome::OptOut(text) => (Action::OptOut, Some(text), None, None),
        Outcome::OptIn(text) => (Action::OptIn, Some(text), None, None),
        Outcome::Silent(_) => (Action::Silent, None, None, None),
    };
    let passed = |(rule, because)| PassedRule { rule, because };
    RulesVerdict {
        rule: decision.rule,
        reasons: decision.reasons,
        passed: decision.passed.into_iter().map(passed).collect(),
        action,
        reply,
        media,
        handover_minutes,
    }
}

/// The ready-made sets.
#[utoipa::path(get, path = "", tag = "settings", responses((status = 200, description = "The ready-made sets.", body = Page<RulesTemplate>)))]
pub async fn templates() -> Json<Page<RulesTemplate>> {
    Json(Page { items: ready::ALL.iter().map(listed).collect(), next: None })
}

fn listed(ready: &ReadyMade) -> RulesTemplate {
    let (name, about) = (ready.name.to_owned(), ready.about.to_owned());
    RulesTemplate { name, about, toml: None, rules: None }
}

/// A ready-made rule set.
#[utoipa::path(get, path = "", tag = "settings", responses((status = 200, description = "The set.", body = RulesTemplate), (status = 404, description = "`unknown_template`", body = api::Problem)))]
pub async fn template(Path(name): Path<String>) -> Result<Json<RulesTemplate>, ApiError> {
    let ready = ready::find(&name).ok_or_else(|| {
        let known: Vec<&str> = ready::ALL.iter().map(|ready| ready.name).collect();
        let detail = format!("there is no template {name:?}; there are {}", known.join(", "));
        ApiError::new(Kind::UnknownTemplate, detail)
    })?;
    let rules = rules::from_toml(ready.toml).ok().and_then(|set| serde_json::to_value(set).ok());
    Ok(Json(RulesTemplate { toml: Some(ready.toml.to_owned()), rules, ..listed(ready) }))
}

#[cfg(test)]
mod tests {
    use api::rules::VerdictAction;
    use serde_json::json;

    use super::{admit, understood, verdict};
    use rules::{Context, Incoming, Media};

    #[test]
    fn mistakes_of_form_and_of_meaning_are_told() {
        let told = |document| understood(&document).unwrap_err();
        assert_eq!(told(json!({"rules": [{"name": "a"}]}))[0].field, "rules[0].action");
        let twice = told(json!({"rules": [
            {"name": "a", "match": {"regex": ["("]}, "action": {"reply": "{nam}"}}]}));
        assert_eq!(twice.len(), 2, "{twice:?}");
        let refused = admit(&json!({"rules": []})).unwrap_err();
        assert_eq!(refused.detail(), "the rules have a mistake; those in use stay");
    }

    #[test]
    fn a_verdict_says_what_is_sent_and_why() {
        let document = json!({"rules": [
            {"name": "a", "match": {"keywords": ["x"]}, "action": "ignore"},
            {"name": "file", "action": {"media": {"file": "m.pdf", "kind": "document"}}}]});
        let rules = admit(&document).unwrap().1;
        let message =
            Incoming { text: "hi", media: Media::Text, name: "", number: "", in_group: false };
        let context = Context {
            now: chrono::Utc::now(),
            business: "",
            first_contact: false,
            opted_out: false,
            handed_over_until: None,
        };
        let verdict = verdict(rules.decide(&message, &context));
        assert_eq!(
            (verdict.action, verdict.media.as_deref()),
            (VerdictAction::Media, Some("m.pdf"))
        );
        assert_eq!((verdict.rule.as_deref(), verdict.reply), (Some("file"), None));
        assert_eq!(verdict.passed[0].because, "none of its keywords as a word");
    }
}
