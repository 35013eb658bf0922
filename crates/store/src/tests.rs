use std::collections::BTreeMap;
use std::path::PathBuf;

use api::link::{LinkEvent, LinkEventKind};
use api::records::Direction;
use api::session::SessionState;
use api::tenant::{TenantConfig, TenantId, TenantStatus};
use api::worker::{DesiredState, HeartbeatMode, RuntimeKind, WorkerStatus};
use chrono::{DateTime, SubsecRound as _, Utc};
use sea_orm_migration::MigratorTrait as _;
use tempfile::TempDir;
use uuid::Uuid;

use crate::migration::Migrator;
use crate::{
    AuditSelection, EventSelection, MessageSelection, NewAudit, NewEvent, NewTenant, Observed,
    SessionRecord, Store, StoreError, TenantChange,
};

/// Runs tests on both kinds of database. Each is a function of the [`Place`] that it has to itself.
macro_rules! on_both {
    ($($name:ident,)+) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Place::new()).await;
            })+
        }

        mod on_postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Place::postgres()).await;
            })+
        }
    };
}

mod audit;
mod brand;
mod deletions;
mod events;
mod messages;
mod moving;
mod opening;
mod outgoing;
mod people;
mod rules;
mod together;

on_both! {
    what_was_made_is_read_again_after_a_restart,
    a_create_that_fails_leaves_nothing,
    equal_names_at_once_get_different_slugs,
    a_change_is_whole_and_counts_the_settings,
    wanted_and_observed,
    link_events_are_taken_once,
    records_come_page_by_page,
    keys_are_replaced,
    the_last_page_has_no_next,
    equal_settings_are_no_new_version,
    tenants_may_go_while_they_are_read,
}

/// A database of a test's own.
enum Place {
    Sqlite(TempDir),
    Postgres(pgtest::Database),
}

impl Place {
    /// In a file.
    fn new() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// Of a server.
    fn postgres() -> Self {
        Self::Postgres(pgtest::Database::new())
    }

    fn url(&self) -> String {
        match self {
            Self::Sqlite(_) => format!("sqlite:{}", self.file().display()),
            Self::Postgres(database) => database.url(),
        }
    }

    fn file(&self) -> PathBuf {
        match self {
            Self::Sqlite(folder) => folder.path().join("t.db"),
            Self::Postgres(_) => panic!("a database of a server has no file"),
        }
    }

    async fn open(&self) -> Store {
        Store::open(&self.url()).await.unwrap()
    }
}

/// The time, as exact as PostgreSQL keeps it.
fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// Undoes this migration and all after it.
async fn undo(store: &Store, migration: &str) {
    let from = Migrator::migrations().iter().position(|it| it.name() == migration).unwrap();
    let steps = Migrator::migrations().len() - from;
    Migrator::down(store.db.pool(), Some(u32::try_from(steps).unwrap())).await.unwrap();
}

/// A tenant's events of every kind.
fn of(tenant: TenantId) -> EventSelection {
    EventSelection { tenant: Some(tenant), ..EventSelection::default() }
}

fn new(name: &str, phone: Option<&str>) -> NewTenant {
    let id = TenantId::generate();
    NewTenant {
        id,
        name: name.to_owned(),
        slug_base: name.to_lowercase(),
        phone: phone.map(|phone| phone.parse().unwrap()),
        worker_name: format!("worker-{id}"),
        runtime: RuntimeKind::Pm2,
        config: TenantConfig {
            greeting: "Karibu".to_owned(),
            rate_limit_max_per_minute: 10,
            command: Some(vec!["node".to_owned(), "bot.js".to_owned()]),
            cwd: None,
            env: BTreeMap::from([("KEY".to_owned(), "value".to_owned())]),
            heartbeat: HeartbeatMode::Process,
        },
    }
}

async fn what_was_made_is_read_again_after_a_restart(place: Place) {
    let made = place.open().await.create(new("Duka", Some("+254700000001"))).await.unwrap();
    let store = place.open().await;
    assert_eq!(store.tenants().await.unwrap(), std::slice::from_ref(&made));
    assert_eq!(store.tenant(made.id).await.unwrap(), made);
    assert_eq!(made.status, TenantStatus::New);
    assert_eq!(made.worker.desired, DesiredState::Stopped);
}

async fn a_create_that_fails_leaves_nothing(place: Place) {
    let store = place.open().await;
    let first = store.create(new("Duka", Some("+254700000001"))).await.unwrap();
    let error = store.create(new("Other", Some("+254700000001"))).await.unwrap_err();
    assert!(matches!(error, StoreError::PhoneTaken(_)), "{error}");
    // The worker's row is the last of all: its name is taken, and the rows before it must go.
    let mut twin = new("Twin", None);
    twin.worker_name = first.worker.name;
    store.create(twin).await.unwrap_err();
    assert_eq!(store.tenants().await.unwrap().len(), 1);
}

async fn equal_names_at_once_get_different_slugs(place: Place) {
    let store = place.open().await;
    let made = futures::future::join_all((0..8).map(|_| store.create(new("Duka", None)))).await;
    let mut slugs: Vec<_> = made.into_iter().map(|made| made.unwrap().slug).collect();
    slugs.sort();
    let wanted = ["duka", "duka-2", "duka-3", "duka-4", "duka-5", "duka-6", "duka-7", "duka-8"];
    assert_eq!(slugs, wanted);
}

async fn a_change_is_whole_and_counts_the_settings(place: Place) {
    let store = place.open().await;
    let one = store.create(new("One", Some("+254700000001"))).await.unwrap();
    let two = store.create(new("Two", None)).await.unwrap();
    let config = TenantConfig { greeting: "Hello".to_owned(), ..two.config.clone() };
    let change = TenantChange {
        name: Some("Second".to_owned()),
        phone: Some(one.phone.clone()),
        config: Some(config.clone()),
    };
    let error = store.update(two.id, change.clone()).await.unwrap_err();
    assert!(matches!(error, StoreError::PhoneTaken(_)), "{error}");
    assert_eq!(store.tenant(two.id).await.unwrap(), two, "nothing of it");

    let changed = store.update(two.id, TenantChange { phone: None, ..change }).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.slug.as_str()), ("Second", "two"));
    assert_eq!((&changed.config, changed.config_version), (&config, 2));
    let bare = TenantChange { phone: Some(None), ..TenantChange::default() };
    assert_eq!(store.update(one.id, bare.clone()).await.unwrap().phone, None);
    let stranger = store.update(TenantId::generate(), bare).await.unwrap_err();
    assert!(matches!(stranger, StoreError::UnknownTenant(_)));
}

async fn wanted_and_observed(place: Place) {
    let store = place.open().await;
    let id = store.create(new("Duka", None)).await.unwrap().id;
    assert_eq!(store.want_running(id).await.unwrap(), 1);
    assert_eq!(store.want_running(id).await.unwrap(), 2);
    assert_eq!(store.tenant(id).await.unwrap().worker.desired, DesiredState::Running);
    store.want_stopped(id).await.unwrap();
    let gone = TenantId::generate();
    assert!(matches!(store.want_running(gone).await, Err(StoreError::UnknownTenant(_))));
    assert!(matches!(store.want_stopped(gone).await, Err(StoreError::UnknownTenant(_))));

    let seen = now();
    let observed = |last_seen_at| Observed {
        tenant: id,
        status: WorkerStatus::Error,
        pid: Some(7),
        started_at: None,
        restarts: 3,
        last_error: Some("it broke".to_owned()),
        last_seen_at,
    };
    store.record_observed(&[observed(Some(seen)), observed(None)]).await.unwrap();
    let session = SessionRecord {
        state: SessionState::Connected,
        paired: true,
        jid: Some("1:2@s.whatsapp.net".to_owned()),
        connected_at: Some(seen),
    };
    store.record_sessions(&[(id, session.clone()), (gone, session.clone())]).await.unwrap();
    store.record_statuses(&[(id, TenantStatus::Error)]).await.unwrap();
    let record = store.tenant(id).await.unwrap();
    assert_eq!(record.worker.desired, DesiredState::Stopped);
    assert_eq!(record.worker.last_seen_at, Some(seen));
    assert_eq!(record.worker.last_error.as_deref(), Some("it broke"));
    assert_eq!((record.session, record.status), (session, TenantStatus::Error));
    store.forget_session(id).await.unwrap();
    assert_eq!(store.tenant(id).await.unwrap().session, SessionRecord::default());
}

fn message(seq: u64, id: &str) -> LinkEvent {
    LinkEvent {
        seq,
        at: now(),
        kind: LinkEventKind::Message {
            message_id: id.to_owned(),
            chat: "254711111111@s.whatsapp.net".to_owned(),
            direction: Direction::In,
            text: format!("text of {id}"),
        },
    }
}

async fn link_events_are_taken_once(place: Place) {
    let store = place.open().await;
    let id = store.create(new("Duka", None)).await.unwrap().id;
    let numbering = Uuid::now_v7();
    let note = LinkEvent {
        seq: 3,
        at: now(),
        kind: LinkEventKind::Note { name: "session.paired".to_owned(), detail: String::new() },
    };
    let first = [message(1, "A"), message(2, "B"), note];
    assert_eq!(store.accept_link_events(id, numbering, &first).await.unwrap().through, 3);
    // The answer was lost and the worker says it all again, with one more.
    let again = [message(2, "B"), message(4, "C")];
    assert_eq!(store.accept_link_events(id, numbering, &again).await.unwrap().through, 4);
    // The session was reset: the numbering begins again, and what was known before is not doubled.
    let reset = [message(1, "C"), message(2, "D")];
    assert_eq!(store.accept_link_events(id, Uuid::now_v7(), &reset).await.unwrap().through, 2);
    let ids: Vec<_> = store
        .messages(id, &MessageSelection::default(), None, 10)
        .await
        .unwrap()
        .items
        .into_iter()
        .map(|message| message.message_id)
        .collect();
    assert_eq!(ids, ["D", "C", "B", "A"]);
    assert_eq!(store.events(&of(id), 0, 10).await.unwrap().items.len(), 5);
    let stranger = store.accept_link_events(TenantId::generate(), numbering, &first).await;
    assert!(matches!(stranger, Err(StoreError::UnknownTenant(_))));
}

async fn records_come_page_by_page(place: Place) {
    let store = place.open().await;
    let id = store.create(new("Duka", None)).await.unwrap().id;
    for number in 0..5 {
        let event = NewEvent::new(Some(id), "test.event", &number.to_string());
        store.append_events(&[event]).await.unwrap();
        let entry = NewAudit {
            actor: "system".to_owned(),
            action: format!("test.{number}"),
            tenant: Some(id),
            result: "ok".to_owned(),
            detail: String::new(),
        };
        store.append_audit(entry).await.unwrap();
    }
    let (mut after, mut details) = (Some(0), Vec::new());
    while let Some(from) = after {
        let page = store.events(&of(id), from, 2).await.unwrap();
        details.extend(page.items.into_iter().map(|event| event.detail));
        after = page.next;
    }
    assert_eq!(details, ["0", "1", "2", "3", "4"]);
    let about = AuditSelection { tenant: Some(id), ..AuditSelection::default() };
    let newest = store.audit(&AuditSelection::default(), None, 2).await.unwrap();
    assert_eq!(newest.items[0].action, "test.4");
    let older = store.audit(&about, newest.next, 10).await.unwrap();
    assert_eq!(older.items[0].action, "test.2");
    // The audit log outlives its tenant; all else goes with it.
    store.delete(id).await.unwrap();
    assert_eq!(store.audit(&about, None, 10).await.unwrap().items.len(), 5);
    assert!(store.events(&EventSelection::default(), 0, 10).await.unwrap().items.is_empty());
    let too_late = [NewEvent::new(Some(id), "too.late", "")];
    assert!(store.append_events(&too_late).await.unwrap().is_empty());
}

async fn keys_are_replaced(place: Place) {
    let store = place.open().await;
    assert_eq!(store.installation_key("admin").await.unwrap(), None);
    store.put_installation_key("admin", "one").await.unwrap();
    store.put_installation_key("admin", "two").await.unwrap();
    assert_eq!(store.installation_key("admin").await.unwrap().as_deref(), Some("two"));
    store.ping().await.unwrap();
}

async fn the_last_page_has_no_next(place: Place) {
    let store = place.open().await;
    let id = store.create(new("Duka", None)).await.unwrap().id;
    for _ in 0..4 {
        store.append_events(&[NewEvent::new(Some(id), "test.event", "")]).await.unwrap();
    }
    let first = store.events(&EventSelection::default(), 0, 2).await.unwrap();
    assert_eq!((first.items.len(), first.next), (2, Some(first.items[1].seq)));
    let last = store.events(&EventSelection::default(), first.next.unwrap(), 2).await.unwrap();
    assert_eq!((last.items.len(), last.next), (2, None));
}

async fn equal_settings_are_no_new_version(place: Place) {
    let store = place.open().await;
    let made = store.create(new("Duka", None)).await.unwrap();
    let change = TenantChange { config: Some(made.config.clone()), ..TenantChange::default() };
    assert_eq!(store.update(made.id, change).await.unwrap().config_version, 1);
}

#[tokio::test]
async fn secrets_do_not_show() {
    let place = Place::new();
    let wish = new("Duka", None);
    let shown = format!("{wish:?}");
    let change = TenantChange { config: Some(wish.config.clone()), ..TenantChange::default() };
    let made = place.open().await.create(wish).await.unwrap();
    for text in [shown, format!("{made:?}"), format!("{change:?}")] {
        assert!(!text.contains("KEY") && !text.contains("Karibu"), "{text}");
    }
}

async fn tenants_may_go_while_they_are_read(place: Place) {
    let store = place.open().await;
    let ids: Vec<_> = futures::future::join_all((0..20).map(|_| store.create(new("Duka", None))))
        .await
        .into_iter()
        .map(|made| made.unwrap().id)
        .collect();
    let delete = async {
        for id in &ids {
            store.delete(*id).await.unwrap();
        }
    };
    let read = async { while !store.tenants().await.unwrap().is_empty() {} };
    tokio::join!(delete, read);
}
