//! Does what a supervisor looks at, for as long as it is let: `behave VERB ARGUMENT...`.
//!
//! - `notify TEXT`: sends the text to `NOTIFY_SOCKET`;
//! - `beat MS FILE`: sends `WATCHDOG=1` every so many milliseconds, until the file is there;
//! - `serve PORT FILE`: answers HTTP on 127.0.0.1, with 200 until the file is there, then with 500;
//! - `allocate MIB`: uses so much memory.
//!
//! Then it rests as a service would. For trying out readiness, liveness and limits without a program of one's own; this
//! package's tests do just that.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::time::Duration;

/// Far longer than anyone looks at it, but one that was forgotten ends by itself.
const REST: Duration = Duration::from_secs(600);
const MIB: usize = 1 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // Held until the end, as a program's memory is.
    let mut memory = Vec::new();
    match arguments.as_slice() {
        ["notify", text] => notify(text)?,
        ["beat", pause, until] => {
            let pause = Duration::from_millis(pause.parse()?);
            while !Path::new(until).exists() {
                notify("WATCHDOG=1")?;
                std::thread::sleep(pause);
            }
        }
        ["serve", port, until] => serve(port.parse()?, Path::new(until))?,
        ["allocate", mib] => memory.resize(mib.parse::<usize>()? * MIB, 1_u8),
        _ => {
            return Err(
                "usage: behave notify TEXT | beat MS FILE | serve PORT FILE | allocate MIB".into(),
            );
        }
    }
    writeln!(std::io::stdout(), "resting with {} bytes", memory.len())?;
    std::thread::sleep(REST);
    Ok(())
}

fn notify(text: &str) -> Result<(), Box<dyn Error>> {
    let socket = std::env::var("NOTIFY_SOCKET")?;
    let address = match socket.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(&socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(text.as_bytes(), &address)?;
    Ok(())
}

fn serve(port: u16, until: &Path) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    for caller in listener.incoming() {
        let mut caller = caller?;
        let status = if until.exists() { "500 Internal Server Error" } else { "200 OK" };
        // Whoever only looks whether the port is open says nothing and is gone.
        let _ = caller.read(&mut [0; 1024]);
        let _ =
            write!(caller, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    }
    Ok(())
}
