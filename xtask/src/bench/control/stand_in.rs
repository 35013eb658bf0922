//! A stand-in for the supervisor: it has a process for each tenant, and does nothing.

use std::io::{BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::http;

/// What a supervisor said of itself and of one process.
pub struct Words {
    info: Value,
    process: Value,
}

/// What the stand-in answers.
struct Answers {
    info: String,
    processes: String,
}

impl Words {
    /// What the supervisor at a socket says; it must have one process.
    pub fn of(socket: &Path) -> Result<Self> {
        let info = http::get(socket, "/v1/info")?;
        let processes = http::get(socket, "/v1/processes")?;
        let process = processes.get(0).context("the supervisor has no process")?.clone();
        Ok(Self { info, process })
    }
}

/// Listens at a socket from now until this program ends, with a process for each of these workers (a
/// tenant's id and the worker's name).
pub fn listen(socket: &Path, words: &Words, workers: &[(String, String)]) -> Result<()> {
    let mut processes = Vec::with_capacity(workers.len());
    for (number, (tenant, name)) in workers.iter().enumerate() {
        let mut process = words.process.clone();
        process["id"] = json!(number);
        process["name"] = json!(name);
        process["pid"] = json!(1_000_000 + number);
        process["incarnation"] = json!(number + 1);
        process["labels"]["tenant"] = json!(tenant);
        process["memory_bytes"] = json!(12_000_000);
        processes.push(process);
    }
    // With a line for each, as the supervisor's events have it.
    let lines: Vec<_> = processes.iter().map(Value::to_string).collect();
    let answers =
        Answers { info: words.info.to_string(), processes: format!("[{}]", lines.join(",\n")) };
    let _ = std::fs::remove_file(socket);
    let listener = UnixListener::bind(socket)?;
    let answers = Arc::new(answers);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = Arc::clone(&answers);
            // Its end is the other end's.
            std::thread::spawn(move || converse(stream, &answers));
        }
    });
    Ok(())
}

fn converse(stream: UnixStream, answers: &Answers) -> Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(head) = http::head(&mut reader)? {
        http::drain(&mut reader, head.length)?;
        let path = head.first.split_whitespace().nth(1).unwrap_or_default();
        let (status, body) = match path {
            "/v1/info" => ("200 OK", answers.info.as_str()),
            "/v1/processes" => ("200 OK", answers.processes.as_str()),
            "/v1/events" => return follow(reader.into_inner(), &answers.processes),
            _ => ("404 Not Found", r#"{"code":"not_found","message":"a stand-in"}"#),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        reader.get_mut().write_all(head.as_bytes())?;
        reader.get_mut().write_all(body.as_bytes())?;
    }
    Ok(())
}

/// Tells the whole picture once, and then nothing, until the other end goes.
fn follow(mut stream: UnixStream, processes: &str) -> Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")?;
    stream.write_all(
        format!("event: sync\ndata: {}\n\n", processes.replace('\n', "\ndata: ")).as_bytes(),
    )?;
    std::io::copy(&mut stream, &mut std::io::sink())?;
    Ok(())
}
