//! `list`: all processes at a glance.

pub mod columns;
mod layout;
mod order;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use chrono::Utc;
use clap::Args;
use supervisor::wire::ListRow;

use self::columns::{Surroundings, columns, memory, phase, uptime};
use self::layout::{Cell, Look, table};
use self::order::Order;
use super::batch::Outcome;
use super::call::{Call, Output};
use crate::called::Called;
use crate::text::clean;

/// The widest cell, in characters; a name alone can be longer.
const WIDEST: usize = 40;
/// Time between two looks with `--watch`.
const PAUSE: Duration = Duration::from_millis(900);
/// Moves the cursor home and clears the screen (ECMA-48).
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub view: View,
    /// Look again every second until Ctrl-C
    #[arg(long)]
    watch: bool,
}

/// How lists are shown.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct View {
    /// Print one value a line, without a table
    #[arg(long, short = 'm')]
    mini_list: bool,
    /// Sort by id, name, namespace, pid, uptime, restarts, status, cpu or memory; `:desc` turns it round
    #[arg(long, value_name = "FIELD[:desc]")]
    sort: Option<Order>,
}

/// Prints the list.
///
/// # Errors
/// When the supervisor answers nonsense, or the output is gone.
pub async fn run(args: &ListArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let client = call.client()?;
    loop {
        let rows = call.rows(&client).await?;
        if args.watch && call.screen.size().is_some() {
            call.screen.write(CLEAR)?;
        }
        print(&args.view, rows, call)?;
        if !args.watch {
            return Ok(ExitCode::SUCCESS);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Prints the list of all processes once.
///
/// # Errors
/// As [`run`].
pub async fn all(view: &View, call: &mut Call<'_>) -> anyhow::Result<()> {
    let rows = call.rows(&call.client()?).await?;
    print(view, rows, call)
}

/// Prints these rows as the call wants it.
///
/// # Errors
/// When the output is gone.
pub fn print(view: &View, mut rows: Vec<ListRow>, call: &mut Call<'_>) -> anyhow::Result<()> {
    match &view.sort {
        Some(order) => order.apply(&mut rows),
        None => rows.sort_by_key(|row| row.id),
    }
    if call.output.json {
        return call.screen.json(&rows);
    }
    let around = Surroundings { now: Utc::now(), users: users(&rows) };
    let text = if view.mini_list { mini(&rows, &around) } else { full(&rows, &around, call) };
    Ok(call.screen.write(&text)?)
}

/// Shows what became of the processes of an action: as PM2 does the whole list, else on a terminal those alone.
///
/// # Errors
/// When the output is gone.
pub async fn after_action(
    view: &View,
    outcome: &Outcome,
    call: &mut Call<'_>,
) -> anyhow::Result<()> {
    let own = call.place.called() == Called::Tenantry;
    if own && call.screen.size().is_none() {
        return Ok(());
    }
    let mut rows = call.rows(&call.client()?).await?;
    if own {
        rows.retain(|row| outcome.done.iter().any(|done| done.id == row.id));
    }
    if rows.is_empty() && own {
        return Ok(());
    }
    print(view, rows, call)
}

fn full(rows: &[ListRow], around: &Surroundings, call: &Call<'_>) -> String {
    let size = call.screen.size();
    let columns = columns(size.map(|size| size.columns));
    let head: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let cells: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| columns.iter().map(|column| (column.cell)(row, around)).collect())
        .collect();
    // Scripts look for PM2's table in its output; others are served better without lines.
    let boxed = size.is_some() || call.place.called() != Called::Tenantry;
    table(&head, &cells, Look { boxed, colours: call.screen.colours(), widest: WIDEST })
}

/// PM2's list without a table.
fn mini(rows: &[ListRow], around: &Surroundings) -> String {
    let mut text = String::new();
    for row in rows {
        let pid = row.pid.unwrap_or(0);
        let _ = writeln!(
            text,
            "+--- {}\nnamespace : {}\nversion : {}\npid : {pid}\npm2 id : {}\nstatus : {}\nmode : \
             fork\nrestarted : {}\nuptime : {}\nmemory usage : {}\nwatching : {}\n",
            clean(&row.name),
            clean(&row.namespace),
            if row.version.is_empty() { "N/A".to_owned() } else { clean(&row.version) },
            row.id,
            phase(row.state),
            row.restarts,
            uptime(row, around.now),
            memory(row.memory_bytes),
            if row.watching { "yes" } else { "no" },
        );
    }
    text
}

/// The names of the users that processes run as. Each is looked up once.
fn users(rows: &[ListRow]) -> BTreeMap<Option<u32>, String> {
    let mut users = BTreeMap::new();
    for row in rows {
        users.entry(row.uid).or_insert_with(|| {
            let uid = row.uid.unwrap_or_else(|| rustix::process::getuid().as_raw());
            uzers::get_user_by_uid(uid)
                .map_or_else(|| uid.to_string(), |user| user.name().to_string_lossy().into_owned())
        });
    }
    users
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;

    use super::columns::Surroundings;
    use super::mini;
    use crate::command::process::target::tests::row;

    #[test]
    fn the_list_without_a_table_has_one_value_a_line() {
        let around = Surroundings { now: DateTime::UNIX_EPOCH, users: BTreeMap::new() };
        let text = mini(&[row(3, "web", "shop")], &around);
        assert!(text.starts_with("+--- web\nnamespace : shop\n"), "{text}");
        assert!(text.contains("\npm2 id : 3\nstatus : online\n"), "{text}");
    }
}
