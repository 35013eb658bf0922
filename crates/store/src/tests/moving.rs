use api::tenant::TenantId;
use api::worker::{DesiredState, RuntimeKind};

use super::{Place, new, undo};
use crate::StoreError;

on_both! {
    a_move_begins_a_generation_only_of_what_shall_run,
    workers_of_an_older_database_run_at_the_supervisor,
}

async fn a_move_begins_a_generation_only_of_what_shall_run(place: Place) {
    let store = place.open().await;
    let id = store.create(new("Duka", None)).await.unwrap().id;
    assert_eq!(store.tenant(id).await.unwrap().worker.runtime, RuntimeKind::Pm2);
    assert_eq!(store.move_worker(id, RuntimeKind::Local).await.unwrap(), 0, "never started");
    let generation = store.want_running(id).await.unwrap();
    assert_eq!(store.move_worker(id, RuntimeKind::Pm2).await.unwrap(), generation + 1);
    let worker = place.open().await.tenant(id).await.unwrap().worker;
    assert_eq!((worker.runtime, worker.desired), (RuntimeKind::Pm2, DesiredState::Running));
    assert_eq!(worker.generation, generation + 1);
    let nobody = store.move_worker(TenantId::generate(), RuntimeKind::Local).await;
    assert!(matches!(nobody, Err(StoreError::UnknownTenant(_))));
}

/// Before there was a choice, every worker ran at the supervisor.
async fn workers_of_an_older_database_run_at_the_supervisor(place: Place) {
    let store = place.open().await;
    let id = store.create(new("Duka", None)).await.unwrap().id;
    undo(&store, "m0002_runtime").await;
    let worker = place.open().await.tenant(id).await.unwrap().worker;
    assert_eq!(worker.runtime, RuntimeKind::Local);
}
