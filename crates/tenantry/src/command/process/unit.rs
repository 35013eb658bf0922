//! A unit of systemd that runs the supervisor.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What differs from unit to unit.
#[derive(Debug)]
pub struct Unit {
    /// The program, absolute.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Who it runs as.
    pub user: String,
    /// That user's home directory.
    pub user_home: PathBuf,
    /// Where programs are looked for.
    pub path: String,
    /// Whether to wait until the network is up.
    pub wait_for_network: bool,
}

impl Unit {
    /// The unit as a file.
    pub fn text(&self) -> String {
        let network =
            if self.wait_for_network { "network-online.target" } else { "network.target" };
        let mut command = quoted(&self.program.display().to_string());
        for argument in &self.arguments {
            let _ = write!(command, " {}", quoted(argument));
        }
        let mut text = format!("[Unit]\nDescription=Tenantry's supervisor of {}\n", self.user);
        let _ = writeln!(text, "After={network}");
        if self.wait_for_network {
            let _ = writeln!(text, "Wants={network}");
        }
        let environment = |name: &str, value: &str| quoted(&format!("{name}={value}"));
        let _ = write!(
            text,
            "\n[Service]\n\
             Type=notify\n\
             User={}\n\
             Environment={}\n\
             Environment={}\n\
             ExecStart={command}\n\
             # Only the supervisor ends: its processes go on, and the next one takes them over.\n\
             KillMode=process\n\
             Restart=always\n\
             RestartSec=100ms\n\
             # Each process gets a cgroup of its own below the unit's.\n\
             Delegate=yes\n\
             OOMScoreAdjust=-500\n\
             LimitNOFILE=1048576\n\
             LimitNPROC=infinity\n\
             TasksMax=infinity\n\
             \n[Install]\nWantedBy=multi-user.target\n",
            self.user,
            environment("PATH", &self.path),
            environment("HOME", &home(&self.user_home)),
        );
        text
    }
}

fn home(path: &Path) -> String {
    path.display().to_string()
}

/// A word as systemd reads it back: quoted, and with nothing that it would replace.
fn quoted(word: &str) -> String {
    let plain = !word.is_empty()
        && word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-=:@,+".contains(c));
    if plain {
        return word.to_owned();
    }
    let mut text = String::from("\"");
    for character in word.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '%' | '$' => text.extend([character, character]),
            '\n' => text.push_str("\\n"),
            character => text.push(character),
        }
    }
    text.push('"');
    text
}

/// Whether a word can stand in a unit's name and as a user.
pub fn is_plain_word(word: &str) -> bool {
    !word.is_empty()
        && !word.starts_with(['-', '.'])
        && word.chars().all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c))
}

#[cfg(test)]
mod tests {
    use super::{Unit, is_plain_word, quoted};

    #[test]
    fn the_unit_keeps_processes_when_the_supervisor_is_restarted() {
        let unit = Unit {
            program: "/opt/my tools/tenantry".into(),
            arguments: vec!["supervisor".into(), "--home".into(), "/site/a b/.tenantry".into()],
            user: "alice".into(),
            user_home: "/site/a b".into(),
            path: "/usr/bin:/bin".into(),
            wait_for_network: true,
        };
        let text = unit.text();
        for line in [
            "Type=notify",
            "User=alice",
            "KillMode=process",
            "Restart=always",
            "Delegate=yes",
            "Environment=PATH=/usr/bin:/bin",
            "Environment=\"HOME=/site/a b\"",
            "ExecStart=\"/opt/my tools/tenantry\" supervisor --home \"/site/a b/.tenantry\"",
            "After=network-online.target",
            "Wants=network-online.target",
            "WantedBy=multi-user.target",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn nothing_in_a_word_is_replaced_by_systemd() {
        assert_eq!(quoted("/a/b-c.d"), "/a/b-c.d");
        assert_eq!(quoted("50% $x \"q\" \\"), r#""50%% $$x \"q\" \\""#);
        assert_eq!(quoted(""), "\"\"");
        assert!(is_plain_word("www-data@1.x"));
        for bad in ["", "a b", "a\nb", "../x", "-x", "a/b"] {
            assert!(!is_plain_word(bad), "{bad}");
        }
    }
}
