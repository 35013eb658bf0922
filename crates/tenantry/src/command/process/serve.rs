//! `serve`: a folder's files over HTTP, as a process like any other.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use pm2::App;

use super::apps::{self, Existing, Further};
use super::call::{Call, Output};
use super::how::How;
use super::list::View;
use super::options::ProcessOptions;
use super::start;
use super::static_server::DEFAULT_PORT;

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The folder
    #[arg(default_value = ".")]
    path: String,
    /// The port [default: 8080]
    #[arg(value_name = "PORT")]
    at: Option<u16>,
    /// The port
    #[arg(long, value_name = "PORT", conflicts_with = "at")]
    port: Option<u16>,
    /// Where to listen; 0.0.0.0 lets other machines in, as PM2 always does
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: String,
    /// Answer paths that do not exist with the home page, for applications of one page
    #[arg(long)]
    spa: bool,
    /// List folders that have no home page
    #[arg(long)]
    ftp: bool,
    /// Ask for this user name
    #[arg(long, value_name = "NAME", requires = "basic_auth_password")]
    basic_auth_username: Option<String>,
    /// Ask for this password
    #[arg(long, value_name = "PASSWORD", requires = "basic_auth_username")]
    basic_auth_password: Option<String>,
    /// PM2's measurement of pages, which nothing here does
    #[arg(long, hide = true)]
    monitor: Option<String>,
    /// Its name in lists [default: static-page-server-PORT]
    #[arg(long, short, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    pub output: Output,
}

/// Starts serving.
///
/// # Errors
/// When the folder does not exist, or the process cannot be started.
pub async fn run(args: &ServeArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let client = call.client()?;
    let app = app(args)?;
    call.launch(&client).await?;
    let context = apps::context(call, &ProcessOptions::default())?;
    let existing = Existing::new(client.specs().await?);
    let further = Further { always_new: args.how.force, update_env: true };
    let mut plan = apps::plan(&[app], &context, &existing, further)?;
    for spec in &mut plan.start {
        spec.secret_env.insert("PM2_SERVE_BASIC_AUTH_PASSWORD".to_owned());
    }
    let outcome = start::carry_out(plan, further.always_new, 0, &client, call).await?;
    start::finish(&args.how, &View::default(), outcome, "started", call).await
}

fn app(args: &ServeArgs) -> anyhow::Result<App> {
    let folder = std::fs::canonicalize(&args.path);
    let folder = folder.with_context(|| format!("cannot serve {}", args.path))?;
    let port = args.port.or(args.at).unwrap_or(DEFAULT_PORT);
    let name = args.name.clone().unwrap_or_else(|| format!("static-page-server-{port}"));
    let mut app = App::default();
    app.set("script", &"serve".into())?;
    app.set("name", &name.into())?;
    let env = app.env.get_or_insert_default();
    env.set("PM2_SERVE_PATH", &folder.to_string_lossy());
    env.set("PM2_SERVE_PORT", &port.to_string());
    env.set("PM2_SERVE_HOST", &args.host);
    for (name, on) in [("SPA", args.spa), ("FTP", args.ftp)] {
        if on {
            env.set(&format!("PM2_SERVE_{name}"), "true");
        }
    }
    if let (Some(user), Some(password)) = (&args.basic_auth_username, &args.basic_auth_password) {
        env.set("PM2_SERVE_BASIC_AUTH", "true");
        env.set("PM2_SERVE_BASIC_AUTH_USERNAME", user);
        env.set("PM2_SERVE_BASIC_AUTH_PASSWORD", password);
    }
    Ok(app)
}
