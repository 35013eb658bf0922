//! A worker that writes numbered lines and counts them: `talker FOLDER NAME PAUSE_MS BURST LONG_EVERY CHILD`.
//!
//! It refuses to be the second of its name, and leaves a note in the folder then.

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use chaos::counts::Counter;
use chaos::poll::rest;
use chaos::script::{Manner, line};
use rustix::fs::{FlockOperation, flock};
use supervisor::spec::INCARNATION_VAR;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, name, manner @ ..] = arguments.as_slice() else {
        return Err("usage: talker FOLDER NAME PAUSE_MS BURST LONG_EVERY CHILD".into());
    };
    let manner = Manner::from_arguments(manner).ok_or("four numbers are needed")?;
    let incarnation: u64 = std::env::var(INCARNATION_VAR)?.parse()?;
    let folder = Path::new(folder);
    // Given back by the kernel with its life, however that ends.
    let alone = File::create(folder.join(format!("{name}.lock")))?;
    let locked = flock(&alone, FlockOperation::NonBlockingLockExclusive).map_err(Into::into);
    let counter = match locked.and_then(|()| Counter::create(folder, name, incarnation)) {
        Ok(counter) => counter,
        Err(error) => {
            let note = format!("{name} {incarnation} is not alone: {error}\n");
            std::fs::write(folder.join(format!("{name}-{}.doubled", std::process::id())), note)?;
            return Err(error.into());
        }
    };
    if manner.child {
        Command::new("sleep").arg("600").spawn()?;
    }
    let pause = Duration::from_millis(manner.pause_ms);
    for number in 1.. {
        let text = line(name, incarnation, number, manner.long_every);
        counter.begin(number)?;
        write_all(format!("{text}\n").as_bytes())?;
        counter.finish(number)?;
        if number % manner.burst.max(1) == 0 {
            rest(pause);
        }
    }
    Ok(())
}

/// Past the library's buffer, which would write a line in two.
fn write_all(mut bytes: &[u8]) -> rustix::io::Result<()> {
    while !bytes.is_empty() {
        let written = rustix::io::write(std::io::stdout(), bytes)?;
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(())
}
