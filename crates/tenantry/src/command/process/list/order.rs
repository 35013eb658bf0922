//! The order of the list: `--sort FIELD[:desc]`.

use std::cmp::Ordering;
use std::str::FromStr;

use supervisor::wire::ListRow;

use super::columns::phase;

/// A field to sort by, and which way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    field: Field,
    descending: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Id,
    Name,
    Namespace,
    Pid,
    Uptime,
    Restarts,
    Status,
    Cpu,
    Memory,
}

/// Every word for a field.
const FIELDS: [(&str, Field); 14] = [
    ("id", Field::Id),
    ("pm_id", Field::Id),
    ("name", Field::Name),
    ("namespace", Field::Namespace),
    ("pid", Field::Pid),
    ("uptime", Field::Uptime),
    ("restarts", Field::Restarts),
    ("restart", Field::Restarts),
    ("status", Field::Status),
    ("state", Field::Status),
    ("cpu", Field::Cpu),
    ("memory", Field::Memory),
    ("mem", Field::Memory),
    ("created", Field::Uptime),
];

impl FromStr for Order {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, way) = text.split_once(':').unwrap_or((text, "asc"));
        let field = FIELDS.iter().find(|(word, _)| *word == name).map(|(_, field)| *field);
        match (field, way) {
            (Some(field), "asc" | "desc") => Ok(Self { field, descending: way == "desc" }),
            (Some(_), _) => Err(format!("{way:?} is no order; say asc or desc")),
            (None, _) => Err("sort by id, name, namespace, pid, uptime, restarts, status, cpu or \
                              memory"
                .to_owned()),
        }
    }
}

impl Order {
    /// Sorts the rows; equal ones stay in the order of their ids.
    pub fn apply(&self, rows: &mut [ListRow]) {
        rows.sort_by(|a, b| {
            let order = self.field.compare(a, b);
            if self.descending { order.reverse() } else { order }
        });
    }
}

impl Field {
    fn compare(self, a: &ListRow, b: &ListRow) -> Ordering {
        match self {
            Self::Id => a.id.cmp(&b.id),
            Self::Name => a.name.cmp(&b.name),
            Self::Namespace => a.namespace.cmp(&b.namespace),
            Self::Pid => a.pid.cmp(&b.pid),
            // Whoever started later has been up for less.
            Self::Uptime => b.started_at.cmp(&a.started_at),
            Self::Restarts => a.restarts.cmp(&b.restarts),
            Self::Status => phase(a.state).cmp(phase(b.state)),
            Self::Cpu => a.cpu_percent.total_cmp(&b.cpu_percent),
            Self::Memory => a.memory_bytes.cmp(&b.memory_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Order;
    use crate::command::process::target::tests::row;

    #[test]
    fn rows_are_sorted_and_equal_ones_stay() {
        let mut rows = vec![row(0, "b", "x"), row(1, "a", "x"), row(2, "c", "x")];
        rows[1].memory_bytes = 7;
        let mut ids = |order: &str| -> Vec<u32> {
            order.parse::<Order>().unwrap().apply(&mut rows);
            rows.iter().map(|row| row.id).collect()
        };
        assert_eq!(ids("name"), [1, 0, 2]);
        assert_eq!(ids("name:desc"), [2, 0, 1]);
        assert_eq!(ids("memory:desc"), [1, 2, 0]);
        assert_eq!(ids("id:asc"), [0, 1, 2]);
        assert_eq!(ids("namespace"), [0, 1, 2]);
        assert!("nope".parse::<Order>().is_err());
        assert!("name:up".parse::<Order>().is_err());
    }
}
