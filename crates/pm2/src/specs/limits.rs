//! Who it runs as, and what the kernel holds it to.

use std::path::Path;

use supervisor::wire::{Confinement, Limits, ProcessSpec};
use uzers::os::unix::UserExt as _;

use super::Wrong;
use crate::app::App;

/// Who a process runs as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct User {
    uid: Option<u32>,
    gid: Option<u32>,
    groups: Vec<u32>,
    /// The user's home.
    pub(super) home: Option<String>,
}

/// Looks the user and the group up.
pub(super) fn user(app: &App) -> Result<User, Wrong> {
    let mut found = User::default();
    if let Some(name) = &app.uid {
        let user = match name.parse() {
            Ok(uid) => uzers::get_user_by_uid(uid),
            Err(_) => uzers::get_user_by_name(name),
        };
        match (user, name.parse()) {
            (Some(user), _) => {
                let gid = user.primary_group_id();
                let groups = uzers::get_user_groups(user.name(), gid).unwrap_or_default();
                found.uid = Some(user.uid());
                found.gid = Some(gid);
                found.groups = groups.iter().map(uzers::Group::gid).collect();
                found.home = Some(user.home_dir().to_string_lossy().into_owned());
            }
            // A number needs no entry, and then belongs to no groups.
            (None, Ok(uid)) => (found.uid, found.gid) = (Some(uid), Some(uid)),
            (None, Err(_)) => return Err(("uid", format!("there is no user {name:?}"))),
        }
    }
    if let Some(name) = &app.gid {
        let by_name = || uzers::get_group_by_name(name).map(|group| group.gid());
        let gid = name.parse().ok().or_else(by_name);
        found.gid = Some(gid.ok_or_else(|| ("gid", format!("there is no group {name:?}")))?);
    }
    Ok(found)
}

/// Writes both into a description.
pub(super) fn apply(app: &App, user: &User, cwd: &Path, spec: &mut ProcessSpec) {
    let all = |paths: &[String]| paths.iter().map(|path| cwd.join(path)).collect();
    spec.limits = Limits {
        rlimits: app.rlimits.clone().unwrap_or_default().0,
        nice: app.nice,
        uid: user.uid,
        gid: user.gid,
        groups: user.groups.clone(),
        memory_max: app.memory_max.map(|bytes| bytes.0),
        cpu_max_percent: app.cpu_max.map(|percent| percent.0),
        no_new_privs: app.no_new_privs.unwrap_or(false),
        confinement: app
            .confine
            .as_ref()
            .map(|paths| Confinement { read: all(&paths.read), write: all(&paths.write) }),
    };
}
