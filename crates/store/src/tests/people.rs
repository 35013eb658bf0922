use api::access::{OperatorRole, Permission, TenantRole};
use chrono::Duration;
use uuid::Uuid;

use super::{Place, new, now, undo};
use crate::{BrowserSession, KeyRecord, LinkKind, StoreError, UserRecord};

on_both! {
    accounts_come_back_as_they_were,
    an_address_is_one_accounts,
    a_link_is_good_once_and_the_newest_alone,
    what_belongs_to_an_account_or_a_tenant_goes_with_it,
    the_token_of_an_older_database_stays_good,
}

fn user(email: &str) -> UserRecord {
    UserRecord {
        id: Uuid::now_v7(),
        email: email.to_owned(),
        name: "Amina".to_owned(),
        role: Some(OperatorRole::Operator),
        memberships: Vec::new(),
        password_hash: None,
        totp_secret: None,
        totp_step: 0,
        disabled: false,
        created_at: now(),
        last_sign_in_at: None,
    }
}

fn session(user: Uuid, hash: &str) -> BrowserSession {
    BrowserSession {
        id: Uuid::now_v7(),
        user,
        hash: hash.to_owned(),
        address: Some("192.0.2.1".to_owned()),
        agent: None,
        created_at: now(),
        seen_at: now(),
        expires_at: now() + Duration::days(1),
    }
}

async fn accounts_come_back_as_they_were(place: Place) {
    let store = place.open().await;
    let tenant = store.create(new("Duka", None)).await.unwrap().id;
    let mut amina = user("amina@example.com");
    amina.memberships = vec![(tenant, TenantRole::Owner)];
    store.create_user(&amina).await.unwrap();
    store.create_user(&user("juma@example.com")).await.unwrap();
    amina.role = None;
    amina.memberships = vec![(tenant, TenantRole::Staff)];
    amina.password_hash = Some("hash".to_owned());
    (amina.totp_secret, amina.totp_step) = (Some("sealed".to_owned()), 7);
    (amina.disabled, amina.last_sign_in_at) = (true, Some(now()));
    store.save_user(&amina).await.unwrap();
    let users = place.open().await.users().await.unwrap();
    assert_eq!((users.len(), &users[0]), (2, &amina));
    let unknown = store.save_user(&user("nobody@example.com")).await.unwrap_err();
    assert!(matches!(unknown, StoreError::UnknownUser(_)), "{unknown}");
    let shown = format!("{amina:?}");
    assert!(!shown.contains("hash") && !shown.contains("sealed"), "{shown}");
}

async fn an_address_is_one_accounts(place: Place) {
    let store = place.open().await;
    let two = [user("amina@example.com"), user("amina@example.com")];
    let (one, other) = tokio::join!(store.create_user(&two[0]), store.create_user(&two[1]));
    assert!(one.is_ok() != other.is_ok());
    let error = one.and(other).unwrap_err();
    assert!(matches!(error, StoreError::EmailTaken(_)), "{error}");
    assert_eq!(store.users().await.unwrap().len(), 1);
}

async fn a_link_is_good_once_and_the_newest_alone(place: Place) {
    let store = place.open().await;
    let mut amina = user("amina@example.com");
    store.create_user(&amina).await.unwrap();
    store.add_browser_session(&session(amina.id, "cookie")).await.unwrap();
    let soon = now() + Duration::hours(1);
    store.put_link(amina.id, LinkKind::Invitation, "old", soon).await.unwrap();
    store.put_link(amina.id, LinkKind::Reset, "new", soon).await.unwrap();
    assert_eq!(store.link("old", now()).await.unwrap(), None);
    assert_eq!(store.link("new", soon).await.unwrap(), None, "it has expired");
    assert_eq!(store.link("new", now()).await.unwrap(), Some((amina.id, LinkKind::Reset)));
    amina.password_hash = Some("hash".to_owned());
    assert!(!store.use_link("old", now(), &amina).await.unwrap());
    assert!(!store.use_link("new", soon, &amina).await.unwrap());
    assert!(store.users().await.unwrap()[0].password_hash.is_none());
    let use_it = || store.use_link("new", now(), &amina);
    let (one, two) = tokio::join!(use_it(), use_it());
    assert!(one.unwrap() != two.unwrap());
    assert_eq!(store.users().await.unwrap(), [amina]);
    assert!(store.browser_sessions().await.unwrap().is_empty());
}

async fn what_belongs_to_an_account_or_a_tenant_goes_with_it(place: Place) {
    let store = place.open().await;
    let tenant = store.create(new("Duka", None)).await.unwrap().id;
    let mut amina = user("amina@example.com");
    amina.memberships = vec![(tenant, TenantRole::Owner)];
    store.create_user(&amina).await.unwrap();
    let mut key = KeyRecord {
        id: Uuid::now_v7(),
        name: "shop".to_owned(),
        prefix: "tnt_0123".to_owned(),
        hash: "one".to_owned(),
        scopes: vec![Permission::Read, Permission::Send],
        tenant: Some(tenant),
        created_by: "system".to_owned(),
        created_at: now(),
        expires_at: Some(now() + Duration::days(1)),
        last_used_at: None,
    };
    store.add_api_key(&key).await.unwrap();
    let of_tenant = key.clone();
    (key.id, key.hash, key.tenant) = (Uuid::now_v7(), "two".to_owned(), None);
    store.add_api_key(&key).await.unwrap();
    key.last_used_at = Some(now());
    store.note_api_keys(&[(key.id, now())]).await.unwrap();
    let keys = store.api_keys().await.unwrap();
    assert_eq!(keys[0].scopes, of_tenant.scopes);
    assert!(keys[1].last_used_at.is_some());
    let (kept, gone) = (session(amina.id, "kept"), session(amina.id, "gone"));
    store.add_browser_session(&kept).await.unwrap();
    store.add_browser_session(&gone).await.unwrap();
    let later = now() + Duration::minutes(5);
    store.note_browser_sessions(&[(kept.id, later)], now()).await.unwrap();
    store.end_browser_sessions(&[gone.id]).await.unwrap();
    let seen: Vec<_> =
        store.browser_sessions().await.unwrap().into_iter().map(|it| it.seen_at).collect();
    assert_eq!(seen, [later]);
    store.delete(tenant).await.unwrap();
    assert_eq!(store.api_keys().await.unwrap().len(), 1);
    assert!(store.users().await.unwrap()[0].memberships.is_empty());
    assert!(store.delete_api_key(key.id).await.unwrap());
    assert!(!store.delete_api_key(key.id).await.unwrap());
    store.delete_user(amina.id).await.unwrap();
    assert!(store.browser_sessions().await.unwrap().is_empty());
    assert!(matches!(store.delete_user(amina.id).await, Err(StoreError::UnknownUser(_))));
}

async fn the_token_of_an_older_database_stays_good(place: Place) {
    let store = place.open().await;
    store.put_installation_key("admin", "hash").await.unwrap();
    undo(&store, "m0007_people").await;
    let store = place.open().await;
    assert_eq!(store.installation_key("admin").await.unwrap().as_deref(), Some("hash"));
    assert!(store.api_keys().await.unwrap().is_empty());
}
