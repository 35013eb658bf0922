use api::pacing::Pacing;
use api::tenant::TenantId;
use serde_json::json;

use super::{Place, new, undo};
use crate::{StoreError, TenantChange};

on_both! {
    rules_are_a_version_of_the_settings_and_survive,
    a_new_name_is_a_new_version_and_the_same_name_is_none,
    a_database_from_before_the_rules_is_taken_over,
    a_tenants_pacing_survives_and_is_the_default_before_it_is_set,
}

async fn rules_are_a_version_of_the_settings_and_survive(place: Place) {
    let store = place.open().await;
    let made = store.create(new("Duka", None)).await.unwrap();
    assert_eq!((made.config_version, &made.rules, &made.webhook_secret), (1, &None, &None));
    let rules = json!({"rules": [{"name": "a", "action": "ignore"}]});
    let secret = Some("s".to_owned());
    let set = store.set_rules(made.id, Some(rules.clone()), secret).await.unwrap();
    assert_eq!((set.config_version, set.rules.as_deref()), (2, Some(&rules)));
    // Another change of the settings leaves them alone, and a secret outlives the rules.
    let mut config = made.config.clone();
    config.greeting = "Hello".to_owned();
    let change = TenantChange { config: Some(config), ..TenantChange::default() };
    let changed = store.update(made.id, change).await.unwrap();
    assert_eq!((changed.config_version, changed.rules.as_deref()), (3, Some(&rules)));
    let cleared = place.open().await.set_rules(made.id, None, None).await.unwrap();
    assert_eq!((cleared.config_version, &cleared.rules), (4, &None));
    assert_eq!(cleared.webhook_secret.map(|secret| secret.0).as_deref(), Some("s"));
    let renewed = store.set_webhook_secret(made.id, "t".to_owned()).await.unwrap();
    assert_eq!(renewed.config_version, 5);
    assert_eq!(renewed.webhook_secret.map(|secret| secret.0).as_deref(), Some("t"));
    assert_eq!(renewed.config.greeting, "Hello");
    let nobody = store.set_rules(TenantId::generate(), None, None).await;
    assert!(matches!(nobody, Err(StoreError::UnknownTenant(_))));
}

async fn a_new_name_is_a_new_version_and_the_same_name_is_none(place: Place) {
    let store = place.open().await;
    let made = store.create(new("Duka", None)).await.unwrap();
    let named =
        |name: &str| TenantChange { name: Some(name.to_owned()), ..TenantChange::default() };
    assert_eq!(store.update(made.id, named("Duka")).await.unwrap().config_version, 1);
    let renamed = store.update(made.id, named("Soko")).await.unwrap();
    assert_eq!((renamed.config_version, renamed.name.as_str()), (2, "Soko"));
}

async fn a_database_from_before_the_rules_is_taken_over(place: Place) {
    let store = place.open().await;
    let made = store.create(new("Duka", None)).await.unwrap();
    undo(&store, "m0003_rules").await;
    let found = place.open().await.tenant(made.id).await.unwrap();
    assert_eq!(found, made);
}

async fn a_tenants_pacing_survives_and_is_the_default_before_it_is_set(place: Place) {
    let store = place.open().await;
    let made = store.create(new("Duka", None)).await.unwrap();
    assert_eq!(made.pacing, Pacing::default());
    let off = store.set_pacing(made.id, &Pacing::off()).await.unwrap();
    assert_eq!(off.config_version, made.config_version + 1);
    assert_eq!(place.open().await.tenant(made.id).await.unwrap().pacing, Pacing::off());
    let nobody = store.set_pacing(TenantId::generate(), &Pacing::off()).await;
    assert!(matches!(nobody, Err(StoreError::UnknownTenant(_))));
}
