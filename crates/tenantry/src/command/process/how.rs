//! Flags that say how an action is carried out.

use clap::Args;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Action")]
pub struct How {
    /// Act even where that makes a second copy
    #[arg(long, short)]
    pub force: bool,
    /// Take the shell's present variables over
    #[arg(long, short = 'a')]
    pub update_env: bool,
    /// Of a file, only these applications
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub only: Vec<String>,
    /// So many at the same time, for restarts and reloads [default: all, or one for reloads]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub parallel: Option<u16>,
    /// Show the logs afterwards
    #[arg(long)]
    pub attach: bool,
}
