//! The OpenAPI document, made from the table of routes: what each handler says of itself, who may
//! (`guard.rs`), and the answers that every route of its kind can give.

use std::collections::BTreeMap;

use api::problem::Problem;
use axum::routing::get;
use axum::{Json, Router};
use utoipa::openapi::path::{
    HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn, PathItem, PathsBuilder,
};
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required,
    ResponseBuilder,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::Routes;
use super::credential::COOKIE;
use super::guard::Access;
use super::routes::{PORTAL_ALIAS, ROUTES, Route};

/// What stands at the head of the document.
const ABOUT: &str = "Tenantry runs one WhatsApp bot for each customer. Every error is a problem document \
                     (RFC 9457) with a stable `code`; docs/errors.md lists them. Not affiliated with WhatsApp.";

/// The document's own route.
pub fn routes() -> Routes {
    Router::new().route("/openapi.json", get(async || Json(document())))
}

/// The document.
#[must_use]
pub fn document() -> OpenApi {
    let mut schemas: BTreeMap<String, RefOr<Schema>> = BTreeMap::new();
    schemas.insert("Problem".to_owned(), Problem::schema());
    let mut of_problem = Vec::new();
    Problem::schemas(&mut of_problem);
    schemas.extend(of_problem);
    let mut paths = PathsBuilder::new();
    for route in ROUTES {
        let mut used = Vec::new();
        (route.schemas)(&mut used);
        schemas.extend(used);
        paths = paths.path(route.path, PathItem::new(method(route), operation(route, route.path)));
        if matches!(route.access, Access::Current(_)) {
            let path = format!("{PORTAL_ALIAS}{}", route.path);
            let mut alias = operation(route, &path);
            alias.deprecated = Some(utoipa::openapi::Deprecated::True);
            paths = paths.path(path, PathItem::new(method(route), alias));
        }
    }
    let components = ComponentsBuilder::new().schemas_from_iter(schemas);
    let components = security_schemes()
        .into_iter()
        .fold(components, |components, (name, scheme)| components.security_scheme(name, scheme));
    let license =
        LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0"));
    let info = InfoBuilder::new()
        .title("Tenantry")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(license.build()));
    OpenApiBuilder::new()
        .info(info.build())
        .paths(paths.build())
        .components(Some(components.build()))
        .build()
}

fn method(route: &Route) -> HttpMethod {
    route.method.clone()
}

/// A route as the document shows it.
fn operation(route: &Route, path: &str) -> Operation {
    let mut operation = (route.operation)();
    operation.operation_id = Some(operation_id(route, path));
    let own = operation.parameters.take().unwrap_or_default();
    let own = own.into_iter().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    });
    let mut parameters = path_parameters(path);
    parameters.extend(own.filter(|it| it.parameter_in != ParameterIn::Path));
    if matches!(route.access, Access::Current(_)) {
        parameters.push(tenant_header());
    }
    let has_query = parameters.iter().any(|it| it.parameter_in == ParameterIn::Query);
    operation.parameters = Some(parameters.into_iter().map(RefOr::T).collect());
    operation.security = Some(security(route.access));
    for (status, response) in &mut operation.responses.responses {
        if status.starts_with(['4', '5']) {
            as_problem(response);
        }
    }
    let has_body = operation.request_body.is_some();
    for (status, codes) in usual_problems(route.access, path, has_body, has_query) {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| problem(codes));
    }
    operation
}

/// Unique, and made of the route alone: `get_admin_tenants_tenant_status`.
fn operation_id(route: &Route, path: &str) -> String {
    let method = match route.method {
        HttpMethod::Post => "post",
        HttpMethod::Put => "put",
        HttpMethod::Patch => "patch",
        HttpMethod::Delete => "delete",
        _ => "get",
    };
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(method.to_owned(), |id, word| format!("{id}_{word}"))
}

fn text() -> Schema {
    Schema::Object(ObjectBuilder::new().schema_type(Type::String).build())
}

fn path_parameters(path: &str) -> Vec<Parameter> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameter = |name: &str| {
        let about = match name {
            "tenant" => "The tenant's id or slug.",
            "user" => "The account's id or address.",
            _ => "Its id or name.",
        };
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(about))
            .schema(Some(text()))
            .build()
    };
    names.map(parameter).collect()
}

fn tenant_header() -> Parameter {
    ParameterBuilder::new()
        .name("x-tenant-id")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The tenant's id: for a foreign portal, and for who belongs to several."))
        .schema(Some(text()))
        .build()
}

/// The names of the credentials, and how each is shown.
fn security_schemes() -> Vec<(&'static str, SecurityScheme)> {
    let header = |name: &str| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(name)));
    vec![
        ("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer))),
        ("api_key", header("x-api-key")),
        ("admin_password", header("x-admin-password")),
        ("portal_key", header("x-portal-key")),
        ("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE)))),
        ("worker", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer))),
    ]
}

fn security(access: Access) -> Vec<SecurityRequirement> {
    let schemes: &[&str] = match access {
        Access::Anybody => return vec![SecurityRequirement::default()],
        Access::Worker => &["worker"],
        Access::Current(_) => &["cookie", "bearer", "api_key", "portal_key"],
        Access::Person => &["cookie"],
        _ => &["bearer", "api_key", "cookie", "admin_password"],
    };
    let none: [&str; 0] = [];
    schemes.iter().map(|scheme| SecurityRequirement::new(*scheme, none)).collect()
}

/// What any route of this kind can answer besides what it says itself.
fn usual_problems(
    access: Access,
    path: &str,
    has_body: bool,
    has_query: bool,
) -> Vec<(&'static str, &'static str)> {
    let mut problems = vec![
        ("429", "`too_many_requests`, `too_many_sign_ins`, `queue_full`, `uploads_full`"),
        ("503", "`store_unavailable`, `runtime_unavailable`: try again after `Retry-After`"),
    ];
    if access != Access::Anybody {
        problems.push(("401", "`unauthorized`"));
        problems.push(("403", "`forbidden`, `csrf_token`, `portal_disabled`, `portal_address`"));
    }
    if matches!(access, Access::Tenant(_) | Access::Current(_)) {
        problems.push(("404", "`unknown_tenant`"));
    } else if path.contains('{') {
        problems.push(("404", "There is no such thing; `code` says what."));
    }
    if has_body || has_query || matches!(access, Access::Current(_)) {
        problems.push((
            "400",
            "`malformed_json`, `invalid_query`, `tenant_not_named`, `idempotency_key_missing`",
        ));
    }
    if has_body {
        problems.push(("413", "`body_too_large`"));
        problems.push(("415", "`unsupported_media_type`"));
        problems.push(("422", "`invalid_body`, `invalid_field`: `errors` names each field"));
    }
    problems
}

/// Every error but that of `/ready` is a problem document, which has a media type of its own.
fn as_problem(response: &mut RefOr<utoipa::openapi::Response>) {
    let RefOr::T(response) = response else { return };
    let is_problem = |content: &RefOr<utoipa::openapi::Content>| match content {
        RefOr::T(content) => matches!(
            &content.schema,
            Some(RefOr::Ref(to)) if to.ref_location.ends_with("/Problem")
        ),
        RefOr::Ref(_) => false,
    };
    if response.content.get("application/json").is_some_and(is_problem)
        && let Some(content) = response.content.swap_remove("application/json")
    {
        response.content.insert("application/problem+json".to_owned(), content);
    }
}

fn problem(codes: &str) -> RefOr<utoipa::openapi::Response> {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new().description(codes);
    RefOr::T(response.content("application/problem+json", content).build())
}
