//! How many events a second the log takes, by how many share a transaction. `cargo bench -p store --bench events`.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "it prints figures and may fail")]

use std::time::{Duration, Instant};

use serde_json::json;
use store::{EventSelection, NewEvent, NewTenant, Store};
use tokio::runtime::Builder;

/// How long each size is tried.
const TRIAL: Duration = Duration::from_secs(3);

fn main() {
    // On the disk of the build, not in memory: a commit waits for the disk.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let url = format!("sqlite:{}", folder.path().join("bench.db").display());
    Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
        let store = Store::open(&url).await.unwrap();
        let tenant = store.create(tenant()).await.unwrap().id;
        println!("{:>10} {:>12} {:>14}", "batch", "events/s", "ms/transaction");
        for batch in [1, 8, 64, 512, 2048] {
            let event = NewEvent::new(Some(tenant), "message.in", "from 254711111111@s.whatsapp.net")
                .with(json!({"message_id": "3EB0C767D26A1D4F7A21", "chat": "254711111111@s.whatsapp.net"}));
            let events = vec![event; batch];
            let (begun, mut written, mut commits) = (Instant::now(), 0, 0_u32);
            while begun.elapsed() < TRIAL {
                written += store.append_events(&events).await.unwrap().len();
                commits += 1;
            }
            let took = begun.elapsed().as_secs_f64();
            let rate = f64::from(u32::try_from(written).unwrap()) / took;
            println!("{batch:>10} {rate:>12.0} {:>14.2}", took * 1000.0 / f64::from(commits));
        }
        let begun = Instant::now();
        let (mut after, mut read) = (0, 0_u32);
        while begun.elapsed() < TRIAL {
            let page = store.events(&EventSelection::default(), after, 256).await.unwrap();
            read += u32::try_from(page.items.len()).unwrap();
            after = page.next.unwrap_or(0);
        }
        println!("read {:.0} events/s in pages of 256", f64::from(read) / begun.elapsed().as_secs_f64());
    });
}

fn tenant() -> NewTenant {
    let id = api::TenantId::generate();
    NewTenant {
        id,
        name: "Bench".to_owned(),
        slug_base: "bench".to_owned(),
        phone: None,
        worker_name: format!("worker-{id}"),
        runtime: api::worker::RuntimeKind::Local,
        config: api::tenant::TenantConfig {
            greeting: String::new(),
            rate_limit_max_per_minute: 10,
            command: None,
            cwd: None,
            env: std::collections::BTreeMap::new(),
            heartbeat: api::worker::HeartbeatMode::Link,
        },
    }
}
