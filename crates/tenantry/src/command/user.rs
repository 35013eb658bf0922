//! `tenantry user`: accounts of people.

use api::access::{OperatorRole, TenantRole};
use api::people::{Invitation, InviteUser, Membership, RoleChange, UpdateUser, UserView};
use clap::{Args, Subcommand, ValueEnum};

use crate::connection::{Environment, Reach};
use crate::reactor;
use crate::screen::{Screen, Tone};
use crate::text::{NONE, line, time, word};

/// The longest name that the table shows, in characters.
const LONGEST: usize = 60;

#[derive(Debug, Args)]
pub struct UserArgs {
    #[command(subcommand)]
    command: Option<UserCommand>,
    #[command(flatten)]
    reach: Reach,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// List all accounts
    #[command(visible_alias = "ls")]
    List,
    /// Make an account and invite its person: by e-mail, or with the link that is printed
    Invite(InviteArgs),
    /// Show an account
    Show(Named),
    /// Change what somebody may do, or lock an account
    Update(UpdateArgs),
    /// Delete an account; its sessions end
    Delete(Named),
    /// Print or send a link with which somebody chooses a new password
    Reset(Named),
    /// End all sessions of an account
    SignOut(Named),
    /// Have an account ask for no codes any more, for who has lost the authenticator
    RemoveTotp(Named),
}

#[derive(Debug, Args)]
struct Named {
    /// The account's address or id
    user: String,
}

#[derive(Debug, Args)]
struct InviteArgs {
    /// The address that the person will sign in with
    email: String,
    /// What the person is called
    #[arg(long)]
    name: Option<String>,
    /// A role among the operator's people
    #[arg(long, value_enum)]
    role: Option<Role>,
    /// A tenant (slug or id) whose owner the person is to be; may be given several times
    #[arg(long, value_name = "TENANT")]
    owner: Vec<String>,
    /// A tenant (slug or id) to whose staff the person is to belong; may be given several times
    #[arg(long, value_name = "TENANT")]
    staff: Vec<String>,
}

#[derive(Debug, Args)]
struct UpdateArgs {
    /// The account's address or id
    user: String,
    /// The new name
    #[arg(long)]
    name: Option<String>,
    /// The new role among the operator's people; none takes it away
    #[arg(long, value_enum)]
    role: Option<Role>,
    /// A tenant whose owner the person is to be; all other tenants that are not named are taken away
    #[arg(long, value_name = "TENANT")]
    owner: Vec<String>,
    /// A tenant to whose staff the person is to belong, in the same way
    #[arg(long, value_name = "TENANT")]
    staff: Vec<String>,
    /// Lock the account: nobody signs in to it, and its sessions end
    #[arg(long, conflicts_with = "unlock")]
    lock: bool,
    /// Unlock the account
    #[arg(long)]
    unlock: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    /// Everything
    Admin,
    /// To see, to send, to control workers and to change settings
    Operator,
    /// To see
    Viewer,
    /// No role
    None,
}

/// Carries the command out.
///
/// # Errors
/// Whatever the server or the connection says.
pub fn run(args: UserArgs, environment: &Environment, screen: &mut Screen) -> anyhow::Result<()> {
    let client = args.reach.client(environment)?;
    let json = args.json;
    reactor::block_on(async {
        match args.command.unwrap_or(UserCommand::List) {
            UserCommand::List => list(&client.users().await?, json, screen),
            UserCommand::Show(named) => list(&[client.user(&named.user).await?], json, screen),
            UserCommand::Invite(invite) => told(&client.invite(&wish(invite)).await?, json, screen),
            UserCommand::Reset(named) => told(&client.reset_user(&named.user).await?, json, screen),
            UserCommand::Update(update) => {
                let user = update.user.clone();
                list(&[client.update_user(&user, &change(update)).await?], json, screen)
            }
            UserCommand::Delete(named) => {
                client.delete_user(&named.user).await?;
                done(screen, json, &named.user, "is deleted")
            }
            UserCommand::SignOut(named) => {
                client.sign_out_user(&named.user).await?;
                done(screen, json, &named.user, "is signed out everywhere")
            }
            UserCommand::RemoveTotp(named) => {
                client.remove_user_totp(&named.user).await?;
                done(screen, json, &named.user, "signs in without a code now")
            }
        }
    })
}

fn places(owner: Vec<String>, staff: Vec<String>) -> Vec<Membership> {
    let of = |role| move |tenant| Membership { tenant, role };
    let owners = owner.into_iter().map(of(TenantRole::Owner));
    owners.chain(staff.into_iter().map(of(TenantRole::Staff))).collect()
}

fn wish(args: InviteArgs) -> InviteUser {
    let role = match args.role {
        Some(Role::Admin) => Some(OperatorRole::Admin),
        Some(Role::Operator) => Some(OperatorRole::Operator),
        Some(Role::Viewer) => Some(OperatorRole::Viewer),
        Some(Role::None) | None => None,
    };
    let tenants = places(args.owner, args.staff);
    InviteUser { email: args.email, name: args.name, role, tenants }
}

fn change(args: UpdateArgs) -> UpdateUser {
    let role = args.role.map(|role| match role {
        Role::Admin => RoleChange::Admin,
        Role::Operator => RoleChange::Operator,
        Role::Viewer => RoleChange::Viewer,
        Role::None => RoleChange::None,
    });
    let tenants = places(args.owner, args.staff);
    UpdateUser {
        name: args.name,
        role,
        tenants: (!tenants.is_empty()).then_some(tenants),
        disabled: (args.lock || args.unlock).then_some(args.lock),
    }
}

fn done(screen: &mut Screen, json: bool, user: &str, what: &str) -> anyhow::Result<()> {
    if json {
        return screen.json(&serde_json::json!({"success": true}));
    }
    Ok(screen.line(&format!("{} {what}", line(user, LONGEST)))?)
}

fn told(invitation: &Invitation, json: bool, screen: &mut Screen) -> anyhow::Result<()> {
    if json {
        return screen.json(invitation);
    }
    let email = &invitation.user.email;
    match &invitation.link {
        None => Ok(screen.line(&format!("{email} gets a letter with a link"))?),
        Some(link) => {
            let until = time(link.expires_at);
            screen.line(&format!("give {email} this link; it is good once, until {until}:"))?;
            Ok(screen.line(&link.url)?)
        }
    }
}

fn list(users: &[UserView], json: bool, screen: &mut Screen) -> anyhow::Result<()> {
    if json {
        return screen.json(&users);
    }
    if users.is_empty() {
        return Ok(screen.line("no accounts yet; open the link that the server prints when it starts, or invite somebody with `tenantry user invite`")?);
    }
    let rows: Vec<_> = users.iter().map(row).collect();
    let head = ["ADDRESS", "NAME", "ROLE", "TENANTS", "SIGN-IN", "LAST"];
    Ok(screen.table(&head, &rows)?)
}

fn row(user: &UserView) -> Vec<(String, Tone)> {
    let plain = |text: String| (text, Tone::Plain);
    let places: Vec<_> = user
        .tenants
        .iter()
        .map(|place| format!("{} ({})", place.name, word(&place.role)))
        .collect();
    let way = match (user.disabled, user.has_password, user.has_totp) {
        (true, _, _) => ("locked", Tone::Bad),
        (false, false, _) => ("invited", Tone::Faint),
        (false, true, false) => ("password", Tone::Plain),
        (false, true, true) => ("password, code", Tone::Good),
    };
    vec![
        plain(user.email.clone()),
        plain(line(&user.name, LONGEST)),
        plain(user.role.map_or_else(|| NONE.to_owned(), |role| word(&role))),
        plain(if places.is_empty() { NONE.to_owned() } else { line(&places.join(", "), 200) }),
        (way.0.to_owned(), way.1),
        (user.last_sign_in_at.map_or_else(|| NONE.to_owned(), time), Tone::Faint),
    ]
}
