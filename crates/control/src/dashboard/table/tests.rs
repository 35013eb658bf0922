#![allow(clippy::unwrap_used, reason = "a test may fail")]

use api::fleet::HeartbeatHealth;
use api::session::SessionState;
use api::tenant::TenantStatus;
use api::worker::{DesiredState, RuntimeKind, WorkerStatus};
use proptest::prelude::*;

use super::*;

pub fn row(tenant: u8, restarts: u64) -> FleetRow {
    FleetRow {
        id: TenantId(Uuid::from_u128(u128::from(tenant))),
        slug: format!("t{tenant}"),
        name: String::new(),
        phone: None,
        status: TenantStatus::Active,
        worker: WorkerStatus::Running,
        desired: DesiredState::Running,
        session: SessionState::Connected,
        heartbeat: HeartbeatHealth::OnTime,
        attention: None,
        restarts,
        cpu_percent: None,
        memory_bytes: None,
        started_at: None,
        runtime: RuntimeKind::Local,
    }
}

fn epoch() -> Uuid {
    Uuid::from_u128(7)
}

#[test]
fn a_cursor_is_read_as_it_is_written_and_nothing_else_is() {
    let cursor = Cursor { epoch: epoch(), seq: 42 };
    assert_eq!(cursor.to_string().parse(), Ok(cursor));
    for text in ["", "1", ".", "x.1", "00000000000000000000000000000007.", "7.1", "abc.-1"] {
        assert_eq!(text.parse::<Cursor>(), Err(NoCursor), "{text}");
    }
}

#[test]
fn what_is_not_known_is_not_told() {
    let mut table = Table::new(epoch());
    table.update([row(1, 0)]);
    let cursor = table.cursor();
    assert_eq!(table.since(cursor), Some(FleetChanges::default()));
    assert_eq!(table.since(Cursor { epoch: Uuid::from_u128(8), ..cursor }), None, "another life");
    assert_eq!(table.since(Cursor { seq: cursor.seq + 1, ..cursor }), None, "not yet");
    assert_eq!(table.since(Cursor { seq: 0, ..cursor }), None, "before all");
    table.clear();
    assert_eq!(table.since(cursor), None, "nobody looked");
    assert_eq!(table.rows().count(), 0);
    table.update([row(1, 0)]);
    assert_eq!(table.since(cursor), None);
    assert_eq!(table.since(table.cursor()), Some(FleetChanges::default()));
}

#[test]
fn traces_of_tenants_that_are_no_more_have_a_bound() {
    let mut table = Table::new(epoch());
    let many = u16::try_from(TRACES).unwrap() + 2;
    let numbered =
        |number: u16| FleetRow { id: TenantId(Uuid::from_u128(u128::from(number))), ..row(0, 0) };
    table.update((0..many).map(numbered));
    let all = table.cursor();
    table.update((1..many).map(numbered));
    let first_gone = table.cursor();
    assert_eq!(table.since(all).unwrap().removed, [numbered(0).id]);
    table.update([]);
    assert_eq!(table.since(all), None, "the first trace is gone");
    let gone = table.since(first_gone);
    assert_eq!(gone.as_ref().map(|changes| changes.removed.len()), None, "as are some of these");
    assert_eq!(table.removed.len(), TRACES);
}

proptest! {
    #[test]
    fn who_goes_by_the_cursor_has_all_rows_and_is_told_no_more(
        steps in prop::collection::vec((prop::collection::vec((0_u8..6, 0_u64..3), 0..6), any::<bool>(), 0_u8..20), 1..40),
    ) {
        let mut table = Table::new(epoch());
        let mut known: BTreeMap<TenantId, FleetRow> = BTreeMap::new();
        let mut cursor = table.cursor();
        for (rows, looks, luck) in steps {
            let rows: BTreeMap<_, _> =
                rows.into_iter().map(|(tenant, restarts)| (tenant, row(tenant, restarts))).collect();
            if luck == 0 {
                table.clear();
            }
            table.update(rows.values().cloned());
            if !looks {
                continue;
            }
            match table.since(cursor) {
                None => known = table.rows().map(|row| (row.id, row.clone())).collect(),
                Some(changes) => {
                    for tenant in changes.removed {
                        known.remove(&tenant);
                    }
                    for row in changes.changed {
                        known.insert(row.id, row);
                    }
                }
            }
            cursor = table.cursor();
            prop_assert!(known.values().eq(rows.values()));
            prop_assert_eq!(table.since(cursor), Some(FleetChanges::default()));
        }
    }

    #[test]
    fn only_what_differs_is_told(before in prop::collection::vec(0_u64..3, 5), after in prop::collection::vec(0_u64..3, 5)) {
        let mut table = Table::new(epoch());
        let rows = |restarts: &[u64]| -> Vec<_> {
            (0_u8..).zip(restarts).map(|(tenant, restarts)| row(tenant, *restarts)).collect()
        };
        table.update(rows(&before));
        let cursor = table.cursor();
        table.update(rows(&after));
        let differs = rows(&after).into_iter().zip(rows(&before)).filter(|(new, old)| new != old);
        let changed: Vec<_> = differs.map(|(new, _)| new).collect();
        prop_assert_eq!(table.cursor() == cursor, changed.is_empty());
        prop_assert_eq!(table.since(cursor), Some(FleetChanges { changed, removed: Vec::new() }));
    }
}
