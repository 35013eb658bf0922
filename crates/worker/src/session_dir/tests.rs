use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_second_worker_is_told_who_holds_the_session() {
    let sessions = tempfile::tempdir().unwrap();
    let tenant = TenantId::generate();
    let held = SessionDir::hold(sessions.path(), tenant).unwrap();
    let refused = SessionDir::hold(sessions.path(), tenant).unwrap_err().to_string();
    let pid = std::process::id();
    assert!(refused.contains(&format!("another worker (pid {pid}) holds")), "{refused}");
    drop(held);
    SessionDir::hold(sessions.path(), tenant).unwrap();
}

#[test]
fn sessions_of_two_tenants_do_not_meet() {
    let sessions = tempfile::tempdir().unwrap();
    let one = SessionDir::hold(sessions.path(), TenantId::generate()).unwrap();
    let other = SessionDir::hold(sessions.path(), TenantId::generate()).unwrap();
    assert_ne!(one.path(), other.path());
}

#[test]
fn directories_and_files_that_others_may_read_are_made_private() {
    let sessions = tempfile::tempdir().unwrap();
    let tenant = TenantId::generate();
    let path = sessions.path().join(tenant.to_string());
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    fs::write(path.join("bot.db"), "").unwrap();
    fs::set_permissions(path.join("bot.db"), Permissions::from_mode(0o644)).unwrap();
    let dir = SessionDir::hold(sessions.path(), tenant).unwrap();
    let file = dir.private_file("bot.db").unwrap();
    assert_eq!((mode(dir.path()), mode(&file)), (0o700, 0o600));
}

#[test]
fn a_sessions_path_that_is_no_folder_is_an_error_that_names_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let refused = SessionDir::hold(file.path(), TenantId::generate()).unwrap_err().to_string();
    assert!(refused.contains("SESSIONS_PATH"), "{refused}");
}
