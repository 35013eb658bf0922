//! Which processes the list shows, and in which order.

use std::cmp::Ordering;

use supervisor::wire::Phase;

use super::process::Process;
use crate::text::word;

/// A column of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    #[default]
    Id,
    Name,
    Namespace,
    Status,
    Cpu,
    Memory,
    Uptime,
    Restarts,
}

impl Column {
    /// All, from left to right.
    pub const ALL: [Self; 8] = [
        Self::Id,
        Self::Name,
        Self::Namespace,
        Self::Status,
        Self::Cpu,
        Self::Memory,
        Self::Uptime,
        Self::Restarts,
    ];

    /// What stands above it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Namespace => "namespace",
            Self::Status => "status",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Uptime => "uptime",
            Self::Restarts => "↺",
        }
    }
}

/// The order of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    pub column: Column,
    /// Whether the largest comes first.
    pub descending: bool,
}

impl Order {
    /// By the next column; what is used or counted begins with the largest.
    pub fn next(self) -> Self {
        let at = Column::ALL.iter().position(|column| *column == self.column).unwrap_or_default();
        let column = Column::ALL[(at + 1) % Column::ALL.len()];
        let descending =
            matches!(column, Column::Cpu | Column::Memory | Column::Uptime | Column::Restarts);
        Self { column, descending }
    }

    /// The same turned round.
    pub const fn reversed(self) -> Self {
        Self { descending: !self.descending, ..self }
    }

    /// How two processes stand to each other; the id decides between equals, so that rows do not jump.
    pub fn compare(self, a: &Process, b: &Process) -> Ordering {
        let (a, b) = (&a.row, &b.row);
        let order = match self.column {
            Column::Id => a.id.cmp(&b.id),
            Column::Name => a.name.cmp(&b.name).then(a.instance.cmp(&b.instance)),
            Column::Namespace => a.namespace.cmp(&b.namespace),
            Column::Status => severity(a.state).cmp(&severity(b.state)),
            Column::Cpu => a.cpu_percent.total_cmp(&b.cpu_percent),
            Column::Memory => a.memory_bytes.cmp(&b.memory_bytes),
            // The later it started, the shorter it has been running; what does not run has no uptime.
            Column::Uptime => {
                a.pid.is_some().cmp(&b.pid.is_some()).then(b.started_at.cmp(&a.started_at))
            }
            Column::Restarts => a.restarts.cmp(&b.restarts),
        };
        let order = if self.descending { order.reverse() } else { order };
        order.then(a.id.cmp(&b.id))
    }
}

/// What needs attention comes first when sorted by status.
const fn severity(state: Phase) -> u8 {
    match state {
        Phase::Errored => 0,
        Phase::WaitingRestart => 1,
        Phase::Launching => 2,
        Phase::Stopping => 3,
        Phase::Online => 4,
        Phase::Stopped => 5,
    }
}

/// The state in PM2's words.
pub fn state_words(state: Phase) -> String {
    word(&state).replace('_', " ")
}

/// Whether a process is shown when this is looked for: all words must be found in what the list says of it, without regard to
/// case.
pub fn matches(process: &Process, filter: &str) -> bool {
    let row = &process.row;
    let text = format!("{} {} {} {}", row.id, row.name, row.namespace, state_words(row.state));
    let text = text.to_lowercase();
    filter.to_lowercase().split_whitespace().all(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use supervisor::wire::ListRow;

    use super::*;
    use crate::command::monit::sample;

    fn sorted(order: Order, mut processes: Vec<Process>) -> Vec<u32> {
        processes.sort_by(|a, b| order.compare(a, b));
        processes.iter().map(|process| process.row.id).collect()
    }

    fn three() -> Vec<Process> {
        let row = |id, name, cpu_percent, started_at, state, pid| ListRow {
            cpu_percent,
            started_at: Some(started_at),
            state,
            pid,
            ..sample::row(id, name)
        };
        vec![
            Process::of_row(row(1, "b", 9.0, 50, Phase::Online, Some(7))),
            Process::of_row(row(2, "a", 1.0, 10, Phase::Online, Some(8))),
            Process::of_row(row(3, "c", 0.0, 0, Phase::Errored, None)),
        ]
    }

    #[test]
    fn each_column_orders_by_what_it_shows() {
        let by = |column, descending| sorted(Order { column, descending }, three());
        assert_eq!(by(Column::Id, true), [3, 2, 1]);
        assert_eq!(by(Column::Name, false), [2, 1, 3]);
        assert_eq!(by(Column::Cpu, true), [1, 2, 3]);
        assert_eq!(by(Column::Status, false), [3, 1, 2]);
        assert_eq!(by(Column::Uptime, true), [2, 1, 3]);
        assert_eq!(by(Column::Uptime, false), [3, 1, 2]);
    }

    #[test]
    fn the_next_column_comes_round_to_the_first() {
        let mut order = Order::default();
        let mut seen = Vec::new();
        for _ in Column::ALL {
            seen.push(order.column);
            order = order.next();
        }
        assert_eq!(seen, Column::ALL);
        assert_eq!(order, Order::default());
    }

    #[test]
    fn a_filter_looks_for_all_its_words() {
        let process = Process::of_row(sample::row(12, "Acme-Bot"));
        for found in ["", "acme", "12", "DEFAULT bot", "online"] {
            assert!(matches(&process, found), "{found}");
        }
        for missed in ["stopped", "acme other"] {
            assert!(!matches(&process, missed), "{missed}");
        }
    }

    proptest! {
        #[test]
        fn every_order_is_total(
            values in proptest::collection::vec((0_u8..3, 0_u8..3, any::<bool>()), 0..20),
            column in proptest::sample::select(Column::ALL.to_vec()),
            descending: bool,
        ) {
            let processes: Vec<_> = (0..).zip(&values).map(|(id, (a, b, up))| {
                Process::of_row(ListRow {
                    cpu_percent: f64::from(*a),
                    restarts: (*b).into(),
                    pid: up.then_some(1),
                    started_at: Some((*b).into()),
                    ..sample::row(id, &a.to_string())
                })
            }).collect();
            let order = Order { column, descending };
            for a in &processes {
                for b in &processes {
                    prop_assert_eq!(order.compare(a, b), order.compare(b, a).reverse());
                    prop_assert_eq!(order.compare(a, b).is_eq(), a.row.id == b.row.id);
                }
            }
        }
    }
}
