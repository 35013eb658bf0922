use proptest::prelude::*;

use super::*;
use crate::spec::Env;

fn spec(name: &str) -> Arc<ProcessSpec> {
    let path = PathBuf::from("/tmp/x.log");
    Arc::new(ProcessSpec::new(name, vec!["sleep".to_owned()], PathBuf::from("/"), path))
}

fn put(id: u32, name: &str) -> Entry {
    Entry::Put { id, spec: spec(name), base: None, desired: Desired::Running, incarnation: 1 }
}

fn open(path: &Path) -> Journal {
    Journal::open(path).unwrap()
}

#[tokio::test]
async fn what_was_confirmed_is_there_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut journal = open(&path);
    let instance = journal.contents().instance.clone();
    journal.append(put(0, "a")).unwrap().wait().await.unwrap();
    journal.append(put(1, "b")).unwrap().wait().await.unwrap();
    let stop = Entry::Desire { id: 0, desired: Desired::Stopped, incarnation: 4 };
    journal.append(stop).unwrap().wait().await.unwrap();
    journal.append(Entry::Remove { id: 1, incarnation: 9 }).unwrap().wait().await.unwrap();
    drop(journal);
    let again = open(&path);
    let contents = again.contents();
    assert_eq!((contents.instance.as_str(), contents.next_id), (instance.as_str(), 2));
    assert_eq!(contents.processes.len(), 1);
    let kept = &contents.processes[&0];
    assert_eq!((kept.desired, kept.incarnation), (Desired::Stopped, 4));
    assert_eq!(contents.used_incarnations, 9);
}

#[tokio::test]
async fn numbers_begin_anew_only_when_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(&dir.path().join("journal"));
    let _ = journal.append(put(0, "a")).unwrap();
    let _ = journal.append(put(1, "b")).unwrap();
    let _ = journal.append(Entry::Remove { id: 1, incarnation: 3 }).unwrap();
    assert_eq!(journal.contents().next_id, 2);
    let _ = journal.append(Entry::Remove { id: 0, incarnation: 5 }).unwrap();
    assert_eq!((journal.contents().next_id, journal.contents().used_incarnations), (0, 5));
}

#[tokio::test]
async fn a_shared_environment_is_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut journal = open(&path);
    let value = "v".repeat(1000);
    let variables = Arc::new(Env::from([("SHARED".to_owned(), value.clone())]));
    for id in 0..100 {
        let mut spec = ProcessSpec::clone(&spec(&format!("p{id}")));
        // Equal, not identical, as when each request brings its own copy.
        spec.base_env = Arc::new(Env::clone(&variables));
        let (kept, _durable) = journal.put(id, Arc::new(spec), Desired::Running, 0).unwrap();
        assert_eq!(kept.variable("SHARED"), Some(value.as_str()));
    }
    let mut stop = None;
    for _ in 0..5000 {
        let entry = Entry::Desire { id: 0, desired: Desired::Running, incarnation: 1 };
        stop = Some(journal.append(entry).unwrap());
    }
    stop.unwrap().wait().await.unwrap();
    drop(journal);
    assert_eq!(fs::read_to_string(&path).unwrap().matches(&value).count(), 1);
    let again = open(&path);
    let processes = &again.contents().processes;
    assert_eq!(processes.len(), 100);
    let first = &processes[&0].spec.base_env;
    assert!(processes.values().all(|kept| Arc::ptr_eq(&kept.spec.base_env, first)));
    assert_eq!(**first, *variables);
}

#[tokio::test]
async fn a_damaged_line_costs_only_itself_and_a_copy_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut journal = open(&path);
    journal.append(put(0, "a")).unwrap().wait().await.unwrap();
    journal.append(put(1, "b")).unwrap().wait().await.unwrap();
    drop(journal);
    let text = fs::read_to_string(&path).unwrap().replacen("\"a\"", "\"z\"", 1);
    fs::write(&path, text).unwrap();
    let again = open(&path);
    assert_eq!(again.contents().processes.keys().collect::<Vec<_>>(), [&1]);
    assert!(path.with_extension("damaged").exists());
}

#[tokio::test]
async fn the_file_stays_small_however_often_things_change() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut journal = open(&path);
    let _ = journal.append(put(0, "a")).unwrap();
    let mut last = None;
    for incarnation in 0..10_000 {
        let entry = Entry::Desire { id: 0, desired: Desired::Running, incarnation };
        last = Some(journal.append(entry).unwrap());
        if incarnation % 1000 == 0 {
            last.take().unwrap().wait().await.unwrap();
        }
    }
    last.unwrap().wait().await.unwrap();
    assert!(fs::metadata(&path).unwrap().len() < 500_000);
    drop(journal);
    assert_eq!(open(&path).contents().processes[&0].incarnation, 9999);
}

proptest! {
    /// Wherever a power cut tears the file, what is before stays and nothing else appears.
    #[test]
    fn any_cut_leaves_a_prefix(cut in 0_usize..2000) {
        let entries: Vec<Entry> = (0..6).map(|id| put(id, &format!("p{id}"))).collect();
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        for entry in &entries {
            bytes.extend(encode(entry).unwrap());
            ends.push(bytes.len());
        }
        let cut = cut.min(bytes.len());
        let reading = replay(&bytes[..cut]);
        prop_assert_eq!(reading.damaged_lines, 0);
        let whole = ends.iter().filter(|end| **end <= cut).count();
        prop_assert_eq!(reading.contents.processes.len(), whole);
    }
}
