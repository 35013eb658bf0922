//! The crash test and the chaos test in a form that ends soon. `cargo xtask chaos` goes on longer.

use chaos::chaos::chapter;
use chaos::crash::{Crash, crash};
use chaos::stage::Programs;

fn programs() -> Programs {
    Programs {
        supervisor: env!("CARGO_BIN_EXE_chaos").into(),
        talker: env!("CARGO_BIN_EXE_talker").into(),
    }
}

#[tokio::test]
async fn kills_of_the_supervisor_harm_nobody() {
    let test = Crash { workers: 200, kills: 40, seed: rand::random() };
    let report = crash(&programs(), &test).await.unwrap_or_else(|error| panic!("{error:#}"));
    println!("{report}");
    assert_eq!(report.supervisor_kills, 40);
    // All workers have written all the time.
    assert!(report.lines > 2000, "{report}");
    let (median, _) = report.adoption();
    assert!(median.as_secs() < 5, "{report}");
}

#[tokio::test]
async fn every_promise_holds_in_chaos() {
    let seed = rand::random();
    let report = chapter(&programs(), seed, 6).await.unwrap_or_else(|error| panic!("{error:#}"));
    println!("seed {seed}: {report}");
    assert_eq!(report.full_disks, 2);
}
