//! What a tenant may be: checks of everything that a caller says of one, all mistakes at once.

use std::collections::BTreeMap;
use std::path::Path;

use api::phone::Phone;
use api::problem::FieldError;
use api::worker::HeartbeatMode;

/// Longest display name, in characters.
pub const MAX_NAME: usize = 120;
/// Longest greeting, in characters: WhatsApp's own bound on a text is larger.
pub const MAX_GREETING: usize = 4096;
/// Most arguments of a tenant's own program, and longest argument in bytes.
const MAX_ARGS: usize = 256;
const MAX_ARG: usize = 32 * 1024;

/// Largest environment of a tenant's own program, in bytes: well within what `execve` takes.
const MAX_ENV: usize = 64 * 1024;
/// What the worker contract sets.
const RESERVED: &[&str] = &[
    "TENANT_ID",
    "SESSIONS_PATH",
    "HEARTBEAT_INTERVAL_MS",
    "RATE_LIMIT_MAX_PER_MINUTE",
    "WHATSAPP_URL",
    "WHATSAPP_VERSION",
    "WEBHOOK_ALLOW_PRIVATE",
];

/// Collects the mistakes of one request.
#[derive(Debug, Default)]
pub struct Mistakes(Vec<FieldError>);

impl Mistakes {
    /// Notes a mistake.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    /// `value` when no mistake was found, else all mistakes.
    ///
    /// # Errors
    /// The mistakes.
    pub fn none_or<T>(self, value: T) -> Result<T, Vec<FieldError>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }

    /// The display name without the blanks around it.
    pub fn name(&mut self, name: &str) -> String {
        let name = name.trim();
        if name.is_empty() {
            self.add("name", "must not be empty");
        } else if name.chars().count() > MAX_NAME {
            self.add("name", format!("must have at most {MAX_NAME} characters"));
        } else if name.chars().any(is_unfit) {
            self.add("name", "must not contain control characters such as line breaks");
        }
        name.to_owned()
    }

    /// The phone number in E.164 form.
    pub fn phone(&mut self, phone: &str) -> Option<Phone> {
        phone.parse().map_err(|error| self.add("phone", format!("{error}"))).ok()
    }

    /// The greeting as it is.
    pub fn greeting(&mut self, greeting: &str) -> String {
        if greeting.chars().count() > MAX_GREETING {
            self.add("greeting", format!("must have at most {MAX_GREETING} characters"));
        } else if greeting.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            self.add("greeting", "must not contain control characters other than line breaks");
        }
        greeting.to_owned()
    }

    /// The limit of answers in a minute.
    pub fn rate_limit(&mut self, limit: u32) -> u32 {
        if !(1..=600).contains(&limit) {
            self.add("rate_limit_max_per_minute", "must be from 1 to 600");
        }
        limit
    }

    /// The argument vector of a tenant's own program. The program must exist and be executable now:
    /// a mistake shows when it is made, not at night.
    pub fn command(&mut self, command: &[String], cwd: Option<&str>, path: &str) -> Vec<String> {
        if command.is_empty() || command[0].is_empty() {
            self.add("command", "must name a program");
        } else if command.len() > MAX_ARGS || command.iter().any(|arg| arg.len() > MAX_ARG) {
            self.add("command", format!("may have {MAX_ARGS} arguments of {MAX_ARG} bytes each"));
        } else if command.iter().any(|arg| arg.contains('\0')) {
            self.add("command", "must not contain NUL characters");
        } else if let Err(message) = executable(&command[0], cwd, path) {
            self.add("command", message);
        }
        command.to_vec()
    }

    /// The working directory of a tenant's own program.
    pub fn cwd(&mut self, cwd: &str) -> String {
        if !Path::new(cwd).is_absolute() {
            self.add("cwd", "must be an absolute path");
        } else if !Path::new(cwd).is_dir() {
            self.add("cwd", format!("{cwd} is not a directory"));
        }
        cwd.to_owned()
    }

    /// The sign of life: `tenantry worker` always uses the link.
    pub fn heartbeat(&mut self, heartbeat: HeartbeatMode, own_program: bool) -> HeartbeatMode {
        if heartbeat == HeartbeatMode::Process && !own_program {
            self.add("heartbeat", "can be `process` only together with the tenant's own command");
        }
        heartbeat
    }

    /// The environment of a tenant's own program. The names of the worker contract are ours.
    pub fn env(&mut self, env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        for (name, value) in env {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let begins_well = name.starts_with(|c: char| is_word(c) && !c.is_ascii_digit());
            if !begins_well || !name.chars().all(is_word) {
                self.add("env", format!("{name:?} is no name of an environment variable"));
            } else if name.starts_with("TENANTRY_") || RESERVED.contains(&name.as_str()) {
                self.add("env", format!("{name} is set by Tenantry itself"));
            } else if value.contains('\0') {
                self.add("env", format!("the value of {name} must not contain NUL characters"));
            }
        }
        if env.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MAX_ENV {
            self.add("env", format!("may have {MAX_ENV} bytes in all"));
        }
        env.clone()
    }
}

/// Characters that a display name must not have: control characters, line separators, and the
/// invisible ones that turn the direction of the text around it or that nobody can see. The joiners
/// stay: scripts and emoji need them.
fn is_unfit(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Whether `program` can be executed, looked up in `path` when it is a bare name.
fn executable(program: &str, cwd: Option<&str>, path: &str) -> Result<(), String> {
    let is_executable = |file: &Path| {
        file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
    };
    if !program.contains('/') {
        let found = path.split(':').any(|dir| is_executable(&Path::new(dir).join(program)));
        return found.then_some(()).ok_or_else(|| {
            format!("{program} is not found in PATH, or is not executable; give its full path")
        });
    }
    let file = match cwd {
        Some(cwd) => Path::new(cwd).join(program),
        None if Path::new(program).is_absolute() => program.into(),
        None => return Err(format!("{program} must be an absolute path, or give cwd as well")),
    };
    if !file.is_file() {
        return Err(format!("{} does not exist", file.display()));
    }
    is_executable(&file)
        .then_some(())
        .ok_or_else(|| format!("{} is not executable; chmod +x it", file.display()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Mistakes;

    const PATH: &str = "/usr/bin:/bin";

    fn refused(field: &str, check: impl FnOnce(&mut Mistakes)) {
        let mut mistakes = Mistakes::default();
        check(&mut mistakes);
        let errors = mistakes.none_or(()).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].field, field);
    }

    #[test]
    fn bad_names_are_refused() {
        for name in ["", "   ", "a\nb", "a\u{7}b", "a\u{202e}b", "\u{200b}", &"x".repeat(300)] {
            refused("name", |mistakes| drop(mistakes.name(name)));
        }
    }

    #[test]
    fn programs_that_cannot_run_are_refused() {
        for program in ["/no/such/program", "no-such-program", "/etc/passwd", "/etc", "./bot", ""] {
            refused("command", |mistakes| {
                mistakes.command(&[program.to_owned()], None, PATH);
            });
        }
        refused("command", |mistakes| drop(mistakes.command(&[], None, PATH)));
    }

    #[test]
    fn the_contract_cannot_be_overridden() {
        let env = BTreeMap::from([("TENANTRY_TOKEN_FILE".to_owned(), "x".to_owned())]);
        refused("env", |mistakes| drop(mistakes.env(&env)));
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let mut mistakes = Mistakes::default();
        mistakes.name("");
        mistakes.phone("nonsense");
        mistakes.rate_limit(0);
        mistakes.cwd("relative");
        assert_eq!(mistakes.none_or(()).unwrap_err().len(), 4);
    }

    #[test]
    fn what_is_good_passes() {
        let mut mistakes = Mistakes::default();
        assert_eq!(mistakes.name("  Duka la Ümit "), "Duka la Ümit");
        assert!(mistakes.phone("+254 700 000 001").is_some());
        mistakes.command(&["sh".to_owned(), "-c".to_owned(), "true".to_owned()], None, PATH);
        assert!(mistakes.none_or(()).is_ok());
    }
}
