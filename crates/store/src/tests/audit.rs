use api::audit::AuditVerification;
use api::tenant::TenantId;
use chrono::{TimeDelta, Utc};
use futures::future::join_all;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

use super::{Place, new, undo};
use crate::{AuditSelection, NewAudit, NewUpload, Store};

on_both! {
    entries_are_chained_by_whoever_writes_them_at_once,
    an_earlier_head_is_found_or_missed,
    the_database_refuses_changes,
    an_entry_that_the_head_does_not_know_is_found,
    entries_of_an_older_database_are_chained,
    entries_are_chosen,
}

fn entry(action: &str) -> NewAudit {
    NewAudit {
        actor: "admin-token".to_owned(),
        action: action.to_owned(),
        tenant: None,
        result: "ok".to_owned(),
        detail: "what: \"ü\"".to_owned(),
    }
}

async fn run(store: &Store, sql: &str) {
    store.db.execute_unprepared(sql).await.unwrap();
}

/// Takes the guards away, as somebody would who has the database.
async fn unguard(store: &Store) {
    for trigger in ["audit_log_unchanged", "audit_log_whole"] {
        run(store, &format!("DROP TRIGGER {trigger}")).await;
    }
}

async fn verify(store: &Store) -> AuditVerification {
    store.verify_audit(None).await.unwrap()
}

/// Seven entries about three tenants; the place must outlive the store.
async fn chained(place: &Place) -> Store {
    let store = place.open().await;
    for number in 0..7 {
        let tenant = (number % 2 == 0).then(TenantId::generate);
        store.append_audit(NewAudit { tenant, ..entry(&format!("test.{number}")) }).await.unwrap();
    }
    store
}

async fn entries_are_chained_by_whoever_writes_them_at_once(place: Place) {
    let store = place.open().await;
    let nothing = verify(&store).await;
    assert!(nothing.ok && nothing.entries == 0 && nothing.head == "0".repeat(64), "{nothing:?}");
    let id = store.create(new("Duka", None)).await.unwrap().id;
    let plain = (0..40).map(|_| async { store.append_audit(entry("test.a")).await.unwrap() });
    let inside = (0..20).map(|_| async {
        let (at, sha256) = (Utc::now(), String::new());
        let new = NewUpload { id: uuid::Uuid::now_v7(), tenant: id, sha256, size: 1, at };
        assert!(store.add_upload(&new, entry("media.upload"), 1000).await.unwrap());
    });
    tokio::join!(join_all(plain), join_all(inside));
    let whole = verify(&store).await;
    assert_eq!((whole.ok, whole.entries, whole.head_seq), (true, 60, 60), "{whole:?}");
    // Also for a program that is started later: times are the same when they are read again.
    assert_eq!(verify(&place.open().await).await, whole);
}

async fn an_earlier_head_is_found_or_missed(place: Place) {
    let store = chained(&place).await;
    let earlier = verify(&store).await;
    store.append_audit(entry("test.more")).await.unwrap();
    let found = store.verify_audit(Some(&earlier.head.to_uppercase())).await.unwrap();
    assert_eq!((found.ok, found.known_seq), (true, Some(7)));
    let missed = store.verify_audit(Some(&"a".repeat(64))).await.unwrap();
    assert_eq!((missed.ok, missed.known_seq, missed.broken), (false, None, None));
}

async fn the_database_refuses_changes(place: Place) {
    let store = chained(&place).await;
    for sql in [
        "UPDATE audit_log SET detail = 'another' WHERE seq = 3",
        "DELETE FROM audit_log WHERE seq = 3",
        "DELETE FROM audit_log",
    ] {
        let error = store.db.execute_unprepared(sql).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{sql}: {error}");
    }
    assert!(verify(&store).await.ok);
}

#[tokio::test]
async fn every_change_is_found_where_it_is() {
    let other = TenantId::generate().0.simple();
    let changes = [
        ("UPDATE audit_log SET actor = 'nobody' WHERE seq = 3".to_owned(), 3),
        ("UPDATE audit_log SET action = 'test.x' WHERE seq = 3".to_owned(), 3),
        (format!("UPDATE audit_log SET tenant_id = x'{other}' WHERE seq = 3"), 3),
        ("UPDATE audit_log SET tenant_id = NULL WHERE seq = 3".to_owned(), 3),
        ("UPDATE audit_log SET result = 'internal' WHERE seq = 3".to_owned(), 3),
        ("UPDATE audit_log SET detail = detail || ' ' WHERE seq = 3".to_owned(), 3),
        ("UPDATE audit_log SET at = '2026-01-01 00:00:00+00:00' WHERE seq = 3".to_owned(), 3),
        ("UPDATE audit_log SET prev_hash = hash WHERE seq = 3".to_owned(), 3),
        ("UPDATE audit_log SET hash = prev_hash WHERE seq = 3".to_owned(), 3),
        ("UPDATE audit_log SET seq = 99 WHERE seq = 3".to_owned(), 4),
        ("UPDATE audit_log SET seq = -seq WHERE seq = 1".to_owned(), -1),
        ("DELETE FROM audit_log WHERE seq = 1".to_owned(), 2),
        ("DELETE FROM audit_log WHERE seq = 3".to_owned(), 4),
        ("DELETE FROM audit_log WHERE seq = 7".to_owned(), 7),
        ("DELETE FROM audit_log".to_owned(), 7),
        // Two that change places.
        (
            "UPDATE audit_log SET seq = 50 WHERE seq = 3; UPDATE audit_log SET seq = 3 WHERE seq = 4; UPDATE audit_log SET seq = 4 WHERE seq = 50".to_owned(),
            3,
        ),
        // One that was put in.
        (
            "INSERT INTO audit_log SELECT 0, actor, action, tenant_id, result, detail, at, prev_hash, hash FROM audit_log WHERE seq = 1; UPDATE audit_log SET seq = seq + 1000; UPDATE audit_log SET seq = seq - 999".to_owned(),
            2,
        ),
        // In the place of the first, before it, and behind the last.
        ("INSERT INTO audit_log SELECT -1, actor, action, tenant_id, result, detail, at, prev_hash, hash FROM audit_log WHERE seq = 1".to_owned(), -1),
        ("INSERT INTO audit_log SELECT 8, actor, action, tenant_id, result, detail, at, prev_hash, hash FROM audit_log WHERE seq = 7".to_owned(), 8),
    ];
    for (sql, at) in changes {
        let place = Place::new();
        let store = chained(&place).await;
        unguard(&store).await;
        run(&store, &sql).await;
        let found = verify(&store).await;
        assert!(!found.ok, "{sql}");
        assert_eq!(found.broken.map(|entry| entry.seq), Some(at), "{sql}");
    }
}

/// Whoever computes hashes as we do and forgets the head is found too.
async fn an_entry_that_the_head_does_not_know_is_found(place: Place) {
    let store = chained(&place).await;
    let before = store
        .db
        .query_one_raw(Statement::from_string(DbBackend::Sqlite, "SELECT hash FROM audit_head"));
    let hash: String = before.await.unwrap().unwrap().try_get_by_index(0).unwrap();
    store.append_audit(entry("test.forged")).await.unwrap();
    run(&store, &format!("UPDATE audit_head SET seq = 7, hash = '{hash}'")).await;
    let found = verify(&store).await;
    assert_eq!((found.ok, found.broken.map(|entry| entry.seq)), (false, Some(8)));
}

async fn entries_of_an_older_database_are_chained(place: Place) {
    let store = place.open().await;
    undo(&store, "m0009_audit_chain").await;
    for seq in [1, 2, 5] {
        // With more digits than other databases keep, as earlier programs wrote them.
        let sql = format!(
            "INSERT INTO audit_log (seq, actor, action, result, detail, at) VALUES ({seq}, 'a', 'b', 'ok', '', '2026-01-02 03:04:05.123456789+00:00')"
        );
        run(&store, &sql).await;
    }
    store.db.pool().close_by_ref().await.unwrap();
    let store = place.open().await;
    store.append_audit(entry("test.more")).await.unwrap();
    let whole = verify(&store).await;
    assert_eq!((whole.ok, whole.entries, whole.head_seq), (true, 4, 6), "{whole:?}");
}

async fn entries_are_chosen(place: Place) {
    let store = place.open().await;
    let tenant = Some(TenantId::generate());
    let entries = [
        entry("tenant.create"),
        NewAudit { tenant, ..entry("worker.start") },
        NewAudit { actor: "system".to_owned(), tenant, ..entry("worker.stop") },
        NewAudit { result: "internal".to_owned(), ..entry("workers.x") },
    ];
    for entry in entries {
        store.append_audit(entry).await.unwrap();
    }
    let any = AuditSelection::default;
    let (past, future) = (Utc::now() - TimeDelta::hours(1), Utc::now() + TimeDelta::hours(1));
    let cases = [
        (any(), &[4, 3, 2, 1][..]),
        (AuditSelection { tenant, ..any() }, &[3, 2]),
        (AuditSelection { actor: Some("system".to_owned()), ..any() }, &[3]),
        (AuditSelection { actions: "worker.*".parse().unwrap(), ..any() }, &[3, 2]),
        (AuditSelection { result: Some("internal".to_owned()), ..any() }, &[4]),
        (AuditSelection { since: Some(past), until: Some(future), ..any() }, &[4, 3, 2, 1]),
        (AuditSelection { since: Some(future), ..any() }, &[]),
        (AuditSelection { until: Some(past), ..any() }, &[]),
    ];
    for (selection, wanted) in cases {
        let found = store.audit(&selection, None, 10).await.unwrap().items;
        let found: Vec<_> = found.iter().map(|entry| entry.seq).collect();
        assert_eq!(found, wanted, "{selection:?}");
        let mut forward = store.audit_after(&selection, 0, 10).await.unwrap().items;
        forward.reverse();
        assert_eq!(forward.iter().map(|entry| entry.seq).collect::<Vec<_>>(), wanted);
    }
}
