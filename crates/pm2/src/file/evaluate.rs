//! JavaScript, evaluated by Node.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::FileError;

/// How JavaScript is evaluated.
#[derive(Debug, Clone)]
pub struct Evaluate {
    /// The program, usually `node`.
    pub node: OsString,
    /// The longest that it may take.
    pub limit: Duration,
}

impl Default for Evaluate {
    fn default() -> Self {
        Self { node: OsString::from("node"), limit: Duration::from_secs(30) }
    }
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// A module, of either kind.
    Module,
    /// One expression: what PM2 takes a `.json` file for.
    Expression,
}

/// Loads the file named by its arguments, and writes a mark and then its value as JSON. What the file itself prints comes before
/// the mark or, when it goes on later, is cut off by the end of the program.
const SCRIPT: &str = r#"
const [file, mark, code] = process.argv.slice(-3);
const { pathToFileURL } = require('node:url');
const { readFileSync, writeSync } = require('node:fs');
const load = async () => {
  if (code === 'expression') {
    const text = '(' + readFileSync(file, 'utf8') + '\n)';
    return require('node:vm').runInThisContext(text, { filename: file });
  }
  try {
    return require(file);
  } catch (error) {
    if (error.code !== 'ERR_REQUIRE_ESM' && error.code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
    return import(pathToFileURL(file).href);
  }
};
load().then(async (loaded) => {
  let value = await loaded;
  if (value && value.default !== undefined) value = await value.default;
  const bytes = Buffer.from('\n' + mark + JSON.stringify(value ?? null) + mark + '\n');
  for (let at = 0; at < bytes.length;) {
    try { at += writeSync(1, bytes, at); } catch (error) { if (error.code !== 'EAGAIN') throw error; }
  }
  process.exit(0);
}).catch((error) => { console.error(error); process.exit(1); });
"#;

/// The most that is read of what Node prints.
const LARGEST: u64 = 32 << 20;

/// Evaluates a file. Its working directory and environment are the caller's, as in PM2.
pub(super) fn run(
    path: &Path,
    code: Code,
    shown: &str,
    evaluate: &Evaluate,
) -> Result<Value, FileError> {
    let read = |why| FileError::Read { path: shown.to_owned(), why };
    let failed = |why: String| FileError::Evaluate { path: shown.to_owned(), why };
    let file = path.canonicalize().map_err(read)?;
    // Something that no module prints by chance.
    let mark = format!("<tenantry-{}-{:x}>", std::process::id(), &raw const file as usize);
    let mut child = Command::new(&evaluate.node)
        .args(["-e", SCRIPT, "--"])
        .arg(&file)
        .arg(&mark)
        .arg(if code == Code::Module { "module" } else { "expression" })
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|why| FileError::NoNode {
            path: shown.to_owned(),
            node: evaluate.node.to_string_lossy().into_owned(),
            why,
        })?;
    let answer = output_of(&mut child, evaluate.limit);
    // It may have gone by itself; then there is nothing to end.
    let _gone = child.kill();
    let status = child.wait().map_err(|why| failed(why.to_string()))?;
    let Some((output, errors)) = answer else {
        let limit = evaluate.limit.as_secs_f64();
        return Err(failed(format!("it took longer than {limit} s")));
    };
    let mut pieces = output.split(mark.as_str());
    match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(_), Some(json), Some(_)) => {
            serde_json::from_str(json).map_err(|why| failed(why.to_string()))
        }
        _ if errors.trim().is_empty() => Err(failed(format!("it ended with {status}"))),
        _ => Err(failed(last_lines(&errors))),
    }
}

/// Takes both streams, each on a thread of its own. `None` when time is up.
fn output_of(child: &mut Child, limit: Duration) -> Option<(String, String)> {
    let output = collect(child.stdout.take()?);
    let errors = collect(child.stderr.take()?);
    let deadline = Instant::now() + limit;
    let left = || deadline.saturating_duration_since(Instant::now());
    let output = output.recv_timeout(left()).ok()?;
    Some((output, errors.recv_timeout(left()).ok()?))
}

fn collect(stream: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error is all there is.
        let _partial = stream.take(LARGEST).read_to_end(&mut bytes);
        // Nobody waits any more once time is up.
        let _late = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// The end of what Node said, which is where it says what is wrong.
fn last_lines(text: &str) -> String {
    const MOST: usize = 20;
    let lines: Vec<&str> = text.trim().lines().collect();
    lines.get(lines.len().saturating_sub(MOST)..).unwrap_or_default().join("\n")
}
