//! A disk that takes nothing more.

use super::*;

/// Lets the database have no more pages than it has, or as many as it wants.
fn fill(store: &BotStore, is_full: bool) {
    let connection = store.lock();
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let most = if is_full { pages } else { i64::from(i32::MAX) };
    connection.pragma_update(None, "max_page_count", most).unwrap();
}

#[test]
fn what_a_full_disk_does_not_take_is_not_half_there_and_is_taken_later() {
    let (_dir, store) = open();
    let now = Utc::now();
    store.receive(&[message("a", "1")], now).unwrap();
    fill(&store, true);
    let small = message("b", "2");
    let large = Incoming { text: "x".repeat(50_000), ..message("c", "3") };
    let refused = store.receive(&[small.clone(), large.clone()], now).unwrap_err().to_string();
    assert!(refused.contains("full") && refused.contains("check the disk"), "{refused}");
    let pending = store.next_pending().unwrap().unwrap();
    let mut long = answer("A");
    long.answer.as_mut().unwrap().text = "y".repeat(50_000);
    assert!(store.settle(&pending, &long, now).is_err());
    assert_eq!(store.next_pending().unwrap(), Some(pending.clone()));
    assert_eq!(store.due(now).unwrap(), []);
    assert_eq!(messages(&store, Direction::In), ["1"]);

    fill(&store, false);
    assert_eq!(store.receive(&[small, large], now).unwrap(), 2);
    assert_eq!(messages(&store, Direction::In), ["1", "2", "3"]);
    assert!(store.settle(&pending, &long, now).unwrap().is_some());
}
