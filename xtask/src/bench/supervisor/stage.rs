//! Where one contender runs once: a folder, the programs that it is to run, and their end.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

use super::members;
use super::programs::Programs;
use crate::installation::home::Home;
use crate::installation::{leftovers, program};
use crate::terminal::complain;

/// How often what is still there is told to end before its pids are named to the person.
const SWEEPS: usize = 5;

/// A program that the contender is to run.
pub struct App {
    pub name: String,
    pub program: PathBuf,
    pub arguments: Vec<String>,
    /// The file for its output, in a folder of its own, that must not be rotated; where absent, its
    /// output goes where the contender sends it by itself.
    pub log: Option<PathBuf>,
}

/// A copy of the tiny program.
fn tiny(programs: &Programs, notes: &Path, number: usize) -> App {
    App {
        name: format!("tiny-{number}"),
        program: programs.tiny.clone(),
        arguments: vec![notes.join(number.to_string()).display().to_string()],
        log: None,
    }
}

/// A fresh place for one run. Dropped, everything that was started in it ends, and it makes room for the next.
///
/// It is not deleted, only moved aside within the folder that it is in: ext4 looks at every inode that was deleted in the last
/// minutes before it gives one out, so that whoever comes after thousands of deleted files would make his four times as slowly.
pub struct Stage {
    home: Home,
    apps: Vec<App>,
    /// How many commands were called so far.
    calls: Cell<usize>,
}

impl Stage {
    /// A stage in the empty or missing `folder` for so many copies of the tiny program.
    pub fn of_tiny(folder: &Path, programs: &Programs, count: usize) -> Result<Self> {
        Self::new(folder, |notes, _| {
            (0..count).map(|number| tiny(programs, notes, number)).collect()
        })
    }

    /// A stage for a program, number 0, that writes so many megabytes (10^6 bytes) to its log at each
    /// signal, and for so many copies of the tiny program beside it.
    pub fn of_writer(
        folder: &Path,
        programs: &Programs,
        megabytes: u64,
        beside: usize,
    ) -> Result<Self> {
        Self::new(folder, |notes, path| {
            let mut apps = vec![App {
                name: "writer".to_owned(),
                program: programs.writer.clone(),
                arguments: vec![notes.join("0").display().to_string(), megabytes.to_string()],
                // s6-log chooses this name itself.
                log: Some(path.join("log").join("current")),
            }];
            apps.extend((1..=beside).map(|number| tiny(programs, notes, number)));
            apps
        })
    }

    fn new(folder: &Path, apps: impl FnOnce(&Path, &Path) -> Vec<App>) -> Result<Self> {
        let home = Home::claim(folder, false)?;
        let notes = home.path().join("notes");
        std::fs::create_dir(&notes)?;
        let apps = apps(&notes, home.path());
        Ok(Self { home, apps, calls: Cell::new(0) })
    }

    /// The folder, absolute.
    pub fn path(&self) -> &Path {
        self.home.path()
    }

    /// Where every program notes its beginning, in a file that bears its number.
    pub fn notes(&self) -> PathBuf {
        self.path().join("notes")
    }

    /// What the contender is to run.
    pub fn apps(&self) -> &[App] {
        &self.apps
    }

    /// Writes a file of the contender's, with the folders that lead to it.
    pub fn write(&self, name: impl AsRef<Path>, text: &str) -> Result<PathBuf> {
        let file = self.path().join(name);
        let folder = file.parent().context("a file has a folder")?;
        std::fs::create_dir_all(folder)?;
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }

    /// Files for what a command says on stdout and stderr, other ones at each call.
    pub fn words(&self) -> [PathBuf; 2] {
        let number = self.calls.replace(self.calls.get() + 1);
        ["out", "err"].map(|stream| self.path().join(format!("call-{number}.{stream}")))
    }

    /// A call of `program` that is known as belonging here, and so is whatever it starts.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = program::command(program, &self.home);
        command.current_dir(self.path());
        command
    }

    /// Gives the folder another name. Of what was logged there is too much to keep.
    fn move_aside(&self) -> Result<()> {
        for log in self.apps.iter().filter_map(|app| app.log.as_deref()).filter(|log| log.exists())
        {
            std::fs::remove_file(log)?;
        }
        let aside = |number: usize| self.path().with_extension(number.to_string());
        let free = (0..).map(aside).find(|path| !path.exists()).context("there is a free name")?;
        Ok(std::fs::rename(self.path(), free)?)
    }

    /// Ends everything that was started here.
    fn sweep(&self) -> Result<()> {
        for _ in 0..SWEEPS {
            // A supervisor may have started something between the look and its own end.
            leftovers::end(self.path())?;
            // The holder of a supervisor's pipes has no environment by which it would have been found.
            for helper in members::supervising(self.path(), &[])? {
                if let Some(pid) = i32::try_from(helper.pid).ok().and_then(Pid::from_raw) {
                    let _ = kill_process(pid, Signal::KILL);
                }
            }
            if members::of(self.path())?.is_empty() {
                return Ok(());
            }
        }
        let left: Vec<u32> = members::of(self.path())?.iter().map(|member| member.pid).collect();
        anyhow::ensure!(left.is_empty(), "these processes do not end: {left:?}");
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let swept = self.sweep().and_then(|()| self.move_aside());
        if let Err(error) = swept {
            complain(format_args!("{}: {error:#}", self.path().display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::programs::Programs;
    use super::Stage;

    #[test]
    fn what_was_started_on_a_stage_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let (tiny, writer) = ("/bin/tiny".into(), "/bin/writer".into());
        let programs = Programs { tiny, writer, spawnloop: "/bin/spawnloop".into() };
        let path = folder.path().join("stage");
        let stage = Stage::of_tiny(&path, &programs, 2).unwrap();
        assert_eq!(stage.apps()[1].name, "tiny-1");
        let mut child = stage.command("/bin/sleep".as_ref()).arg("600").spawn().unwrap();
        drop(stage);
        assert!(!child.wait().unwrap().success());
        assert!(!path.exists());
    }
}
