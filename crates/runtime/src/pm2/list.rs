//! What `pm2 jlist` prints, as far as it matters here.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::labels::Labels;

/// One process of PM2's list.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) pm_id: u64,
    /// 0 or absent: no process.
    #[serde(default)]
    pub(super) pid: Option<u32>,
    #[serde(default)]
    pub(super) monit: Monit,
    pub(super) pm2_env: Record,
}

/// What PM2 measured: of the main process alone.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(super) struct Monit {
    #[serde(default)]
    pub(super) memory: f64,
    #[serde(default)]
    pub(super) cpu: f64,
}

/// PM2's record of a process.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Record {
    pub(super) status: String,
    /// Present in what we have started.
    #[serde(default)]
    pub(super) env: Labels,
    /// When the last process was started, in milliseconds since 1970.
    #[serde(default)]
    pub(super) pm_uptime: Option<i64>,
    /// PM2 takes this away when it gives up.
    #[serde(default)]
    pub(super) created_at: Option<IgnoredAny>,
    #[serde(default)]
    pub(super) restart_time: Option<u32>,
    #[serde(default)]
    pub(super) exit_code: Option<i32>,
    /// Milliseconds from the last exit to the next start.
    #[serde(default)]
    pub(super) prev_restart_delay: Option<u64>,
    #[serde(default)]
    pub(super) kill_timeout: Option<u64>,
    #[serde(default)]
    pub(super) pm_out_log_path: Option<String>,
}

/// One entry, whatever it is: another program's may hold what we do not expect.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Known(Box<Item>),
    Strange(IgnoredAny),
}

impl Item {
    pub(super) fn is_worker(&self) -> bool {
        self.pm2_env.env.tenant.is_some()
    }

    /// The main process.
    pub(super) fn pid(&self) -> Option<u32> {
        self.pid.filter(|pid| *pid != 0)
    }
}

/// Finds the list in what `pm2 jlist` printed: PM2 writes its own news on lines before it. `None` when it is not
/// there.
pub(super) fn parse(printed: &str) -> Option<Vec<Item>> {
    let entries = printed
        .lines()
        .rev()
        .filter(|line| line.starts_with('['))
        .find_map(|line| serde_json::from_str::<Vec<Entry>>(line).ok())?;
    Some(
        entries
            .into_iter()
            .filter_map(|entry| match entry {
                Entry::Known(item) => Some(*item),
                Entry::Strange(_) => None,
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_list_is_found_behind_the_news() {
        let list = r#"[{"pid":7,"name":"a","pm_id":0,"monit":{"memory":4096,"cpu":0.1},"pm2_env":{"status":"online","created_at":null,"env":{"TENANTRY_PM2_TENANT":"t"}}},{"name":5}]"#;
        let printed = format!("[PM2] Spawning PM2 daemon\n\n{list}");
        let items = parse(&printed).unwrap();
        assert_eq!((items.len(), items[0].pid()), (1, Some(7)));
        assert!(items[0].is_worker() && items[0].pm2_env.created_at.is_none());
        assert_eq!(parse("[]").unwrap(), []);
        assert_eq!(parse("[PM2][ERROR] no"), None);
    }
}
