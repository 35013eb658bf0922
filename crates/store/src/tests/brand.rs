use api::tenant::TenantId;

use super::{Place, new, undo};
use crate::{BrandRecord, Logo, StoreError, latest_schema};

on_both! {
    a_brand_is_kept_whole,
    taking_links_back_outlives_a_restart_and_a_change,
    the_database_tells_what_it_is,
    the_migration_can_be_undone,
}

fn brand() -> BrandRecord {
    let logo = Logo { kind: "image/png".to_owned(), bytes: vec![0x89, b'P', 0, 0xff] };
    BrandRecord {
        name: "Duka Cloud".to_owned(),
        colour: Some("#0f766e".to_owned()),
        logo: Some(logo),
    }
}

async fn a_brand_is_kept_whole(place: Place) {
    let store = place.open().await;
    assert_eq!(store.brand().await.unwrap(), None);
    store.put_brand(&brand()).await.unwrap();
    assert_eq!(place.open().await.brand().await.unwrap(), Some(brand()));
    let plain = BrandRecord { name: "Duka".to_owned(), colour: None, logo: None };
    store.put_brand(&plain).await.unwrap();
    assert_eq!(store.brand().await.unwrap(), Some(plain));
}

async fn taking_links_back_outlives_a_restart_and_a_change(place: Place) {
    let store = place.open().await;
    let id = store.create(new("Duka", None)).await.unwrap().id;
    let other = store.create(new("Other", None)).await.unwrap().id;
    assert_eq!(store.tenant(id).await.unwrap().pair_epoch, 0);
    let before = store.tenant(id).await.unwrap();
    for epoch in 1..=2 {
        let taken = store.take_pair_links_back(id).await.unwrap();
        assert_eq!((taken.pair_epoch, taken.config_version), (epoch, before.config_version));
    }
    let change = crate::TenantChange { name: Some("Duka Mpya".to_owned()), ..Default::default() };
    assert_eq!(store.update(id, change).await.unwrap().pair_epoch, 2);
    let again = place.open().await.tenants().await.unwrap();
    let epochs: Vec<_> = again.iter().map(|tenant| (tenant.id, tenant.pair_epoch)).collect();
    assert_eq!(epochs, [(id, 2), (other, 0)]);
    let unknown = store.take_pair_links_back(TenantId::generate()).await.unwrap_err();
    assert!(matches!(unknown, StoreError::UnknownTenant(_)));
}

async fn the_database_tells_what_it_is(place: Place) {
    let about = place.open().await.about().await.unwrap();
    assert_eq!(about.is_postgres, matches!(place, Place::Postgres(_)));
    assert!(about.version.starts_with(|first: char| first.is_ascii_digit()), "{}", about.version);
    assert!(about.size > 0 && about.migrations > 9);
    assert_eq!(about.schema, latest_schema());
}

async fn the_migration_can_be_undone(place: Place) {
    let store = place.open().await;
    let id = store.create(new("Duka", None)).await.unwrap().id;
    store.put_brand(&brand()).await.unwrap();
    store.take_pair_links_back(id).await.unwrap();
    undo(&store, "m0011_brand_and_pair_links").await;
    drop(store);
    let store = place.open().await;
    assert_eq!(store.brand().await.unwrap(), None);
    assert_eq!(store.tenant(id).await.unwrap().pair_epoch, 0);
}
