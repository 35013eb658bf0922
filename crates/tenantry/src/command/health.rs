//! `tenantry health`: the control plane and its parts.

use std::process::ExitCode;

use crate::cli::ReadArgs;
use crate::connection::Environment;
use crate::reactor;
use crate::screen::{Screen, Tone};

/// What a part that is well says.
const OK: &str = "ok";

/// Prints the health. The exit code is 1 when a part is ill.
///
/// # Errors
/// Whatever the server or the connection says.
pub fn run(
    args: &ReadArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let client = args.reach.anonymous_client(environment)?;
    let health = reactor::block_on(async { Ok(client.health().await?) })?;
    if args.json {
        screen.json(&health)?;
    } else {
        let tone = |text: &str| if text == OK { Tone::Good } else { Tone::Bad };
        let mut rows = vec![
            vec![("server".to_owned(), Tone::Faint), (health.status.clone(), tone(&health.status))],
            vec![("version".to_owned(), Tone::Faint), (health.version.clone(), Tone::Plain)],
        ];
        rows.extend(
            health.parts.iter().map(|(part, state)| {
                vec![(part.clone(), Tone::Faint), (state.clone(), tone(state))]
            }),
        );
        screen.table(&[], &rows)?;
    }
    Ok(if health.status == OK { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
