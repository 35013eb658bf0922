use api::tenant::TenantId;
use api::worker::RuntimeKind;

use super::{Place, new};
use crate::Deletion;

on_both! {
    a_deletion_is_known_until_it_is_struck_off,
}

async fn a_deletion_is_known_until_it_is_struck_off(place: Place) {
    let store = place.open().await;
    let tenant = store.create(new("Duka", None)).await.unwrap().id;
    let of = |tenant: TenantId| Deletion {
        tenant,
        worker_name: format!("worker-{tenant}"),
        runtime: RuntimeKind::Pm2,
    };
    let other = TenantId::generate();
    for tenant in [tenant, other, tenant] {
        store.begin_deletion(&of(tenant)).await.unwrap();
    }
    store.delete(tenant).await.unwrap();
    // It outlives the tenant and the program.
    let store = place.open().await;
    assert_eq!(store.deletions().await.unwrap(), [of(tenant), of(other)]);
    store.end_deletion(tenant).await.unwrap();
    assert_eq!(store.deletions().await.unwrap(), [of(other)]);
}
