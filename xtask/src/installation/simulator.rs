//! The simulated WhatsApp network: `whatsim serve` and its HTTP interface.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::home::Home;
use super::http::Service;
use super::program::{Program, command};
use super::wait;

/// How long the simulator may take until it listens.
const PATIENCE: Duration = Duration::from_secs(20);

/// The running simulator.
pub struct Simulator {
    process: Program,
    program: PathBuf,
    ws_url: String,
    http_url: String,
    server_key: String,
}

impl Simulator {
    /// Starts the simulator on free ports and waits until it listens.
    pub fn start(program: &Path, home: &Home) -> Result<Self> {
        Self::start_at(program, home, 0)
    }

    /// The same with its HTTP interface, and so its panel, at this port.
    pub fn start_at(program: &Path, home: &Home, http_port: u16) -> Result<Self> {
        let (out, log) = (home.own("whatsim.json"), home.own("whatsim.log"));
        let state = home.own("whatsim");
        let mut call = command(program, home);
        let http_port = http_port.to_string();
        call.args(["serve", "--ws-port", "0", "--http-port", &http_port, "--state-dir"]).arg(state);
        let mut process = Program::start("whatsim", &mut call, &out, &log)?;
        let ready = wait::until("whatsim to listen", PATIENCE, || {
            process.check()?;
            ready_line(&std::fs::read_to_string(&out)?)
        })?;
        let [ws_url, http_url, server_key] = ready;
        Ok(Self { process, program: program.to_path_buf(), ws_url, http_url, server_key })
    }

    /// Where bots connect.
    pub fn ws_url(&self) -> &str {
        &self.ws_url
    }

    /// Where phones and contacts are moved from.
    pub fn http_url(&self) -> &str {
        &self.http_url
    }

    /// An error when the simulator has ended.
    pub fn check(&mut self) -> Result<()> {
        self.process.check()
    }

    /// Makes a WhatsApp account with a phone that can scan.
    pub fn add_account(&self, phone: &str) -> Result<()> {
        self.post("/accounts", &json!({"phone": phone}))
    }

    /// Makes an account that is called so; one with that number may be there already. Gives whether it
    /// is new.
    pub fn add_named_account(&self, name: &str, phone: &str) -> Result<bool> {
        let body = json!({"name": name, "phone": phone});
        let answer = Service::at(&self.http_url)?.request("POST", "/accounts", Some(&body))?;
        match (answer.status, answer.body["code"].as_str()) {
            (201, _) => Ok(true),
            (_, Some("number_taken")) => Ok(false),
            (status, _) => {
                bail!("an account for {name} was answered with {status}: {}", answer.body)
            }
        }
    }

    /// Says what the screen in front of an account's phone shows: the text of a QR code, or none.
    pub fn show(&self, phone: &str, code: Option<&str>) -> Result<()> {
        let path = format!("/accounts/{phone}/screen");
        Service::at(&self.http_url)?.demand("PUT", &path, Some(&json!({"code": code}))).map(drop)
    }

    /// Makes a person who writes to bots.
    pub fn add_contact(&self, name: &str, phone: &str) -> Result<()> {
        self.post("/contacts", &json!({"name": name, "phone": phone}))
    }

    /// Scans a bot's QR code with the phone of an account.
    pub fn scan(&self, code: &str, phone: &str) -> Result<()> {
        self.post("/scan", &json!({"qr": code, "phone": phone}))
    }

    /// Lets a contact write to an account.
    pub fn write(&self, contact: &str, account: &str, text: &str) -> Result<()> {
        self.post(&format!("/contacts/{contact}/messages"), &json!({"to": account, "text": text}))
    }

    /// The texts that a contact has received, oldest first.
    pub fn received(&self, contact: &str) -> Result<Vec<String>> {
        let path = format!("/contacts/{contact}/messages");
        Ok(received_texts(&Service::at(&self.http_url)?.demand("GET", &path, None)?))
    }

    /// Makes the session folder of a bot that trusts this simulator. An older one goes: its login is
    /// with an account of an earlier simulator, which keeps none.
    pub fn prepare(&self, folder: &Path) -> Result<()> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        self.renew(folder)
    }

    /// Makes a session trust this simulator, whose login was deleted; what else is in its folder stays.
    pub fn renew(&self, folder: &Path) -> Result<()> {
        let output = std::process::Command::new(&self.program)
            .args(["prepare", "--server-key", &self.server_key])
            .arg(folder)
            .output()
            .context("cannot run whatsim prepare")?;
        if !output.status.success() {
            bail!("whatsim prepare failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }

    fn post(&self, path: &str, body: &Value) -> Result<()> {
        Service::at(&self.http_url)?.demand("POST", path, Some(body)).map(drop)
    }
}

/// The three values of the line that the simulator prints when it listens; none before that.
fn ready_line(out: &str) -> Result<Option<[String; 3]>> {
    let Some((line, _)) = out.split_once('\n') else {
        return Ok(None);
    };
    let ready: Value = serde_json::from_str(line).context("whatsim's first line is not JSON")?;
    let text = |name: &str| {
        let value = ready[name].as_str().map(str::to_owned);
        value.with_context(|| format!("whatsim's first line has no {name}"))
    };
    Ok(Some([text("ws_url")?, text("http_url")?, text("server_key")?]))
}

/// The texts in the simulator's list of what a contact received.
fn received_texts(list: &Value) -> Vec<String> {
    let items = list["received"].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| item["text"].as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ready_line, received_texts};

    #[test]
    fn the_simulator_is_ready_with_its_first_whole_line() {
        assert!(ready_line("").unwrap().is_none());
        assert!(ready_line("{\"ws_url\":").unwrap().is_none());
        let line = "{\"ws_url\":\"ws://a\",\"http_url\":\"http://b\",\"server_key\":\"c\"}\n";
        assert_eq!(ready_line(line).unwrap().unwrap(), ["ws://a", "http://b", "c"]);
        assert!(ready_line("{}\n").is_err());
    }

    #[test]
    fn received_texts_keep_their_order() {
        let list = json!({"received": [{"text": "one"}, {"text": "two"}], "sent": []});
        assert_eq!(received_texts(&list), ["one", "two"]);
        assert_eq!(received_texts(&json!({})), [""; 0]);
    }
}
