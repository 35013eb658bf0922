//! A server keeps what it has over a kill, and ends with its owner.

use std::path::Path;
use std::time::Instant;

use pgtest::Cluster;

#[test]
fn a_server_ends_with_its_owner_and_is_no_more() {
    let begun = Instant::now();
    let mut cluster = Cluster::start();
    println!("started in {:?}", begun.elapsed());
    let first = cluster.pid();
    cluster.kill();
    let begun = Instant::now();
    cluster.start_again();
    println!("started again in {:?}", begun.elapsed());
    assert_ne!(cluster.pid(), first);
    let pid = cluster.pid();
    cluster.freeze();
    cluster.thaw();
    let begun = Instant::now();
    drop(cluster);
    println!("ended in {:?}", begun.elapsed());
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}
