use proptest::prelude::*;

use super::*;

fn spec(name: &str) -> Box<ProcessSpec> {
    let path = PathBuf::from("/tmp/x.log");
    Box::new(ProcessSpec::new(name, vec!["sleep".to_owned()], PathBuf::from("/"), path))
}

fn put(id: u32, name: &str) -> Entry {
    Entry::Put { id, spec: spec(name), desired: Desired::Running, incarnation: 1 }
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
    journal.append(Entry::Remove { id: 1 }).unwrap().wait().await.unwrap();
    drop(journal);
    let again = open(&path);
    let contents = again.contents();
    assert_eq!((contents.instance.as_str(), contents.next_id), (instance.as_str(), 2));
    assert_eq!(contents.processes.len(), 1);
    let kept = &contents.processes[&0];
    assert_eq!((kept.desired, kept.incarnation), (Desired::Stopped, 4));
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
