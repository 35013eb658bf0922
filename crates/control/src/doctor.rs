//! The doctor: this very program run as `tenantry doctor --json`, for what it looks at is the machine, and the
//! settings as a new server would take them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use api::system::DoctorReport;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::problem::{ApiError, Kind};

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest report, in bytes.
const MAX_OUTPUT: u64 = 1024 * 1024;
/// What of an error is told, in bytes.
const MAX_ERROR: u64 = 2 * 1024;

/// See the module.
pub struct Doctor {
    program: PathBuf,
    /// What stands before the arguments that say what to do.
    args: Vec<OsString>,
    patience: Duration,
    /// Held while it looks.
    at_work: Mutex<()>,
}

impl Doctor {
    /// A doctor that is this program.
    #[must_use]
    pub fn new(program: PathBuf) -> Self {
        Self { program, args: Vec::new(), patience: PATIENCE, at_work: Mutex::default() }
    }

    /// What it says of a home. A caller that hangs up ends it.
    ///
    /// # Errors
    /// [`Kind::AlreadyUnderWay`], [`Kind::DoctorFailed`].
    pub async fn look(&self, home: &Path) -> Result<DoctorReport, ApiError> {
        let Ok(_alone) = self.at_work.try_lock() else {
            let detail = "the doctor looks already for somebody; ask again when it has ended";
            return Err(ApiError::new(Kind::AlreadyUnderWay, detail));
        };
        let ended = tokio::time::timeout(self.patience, self.run(home)).await;
        let output = ended.map_err(|_| {
            let seconds = self.patience.as_secs();
            failed(&format!("it had not ended after {seconds} s and was stopped"))
        })??;
        serde_json::from_slice(&output.report).map_err(|error| {
            let said = String::from_utf8_lossy(&output.complaint);
            failed(&format!("it gave no report ({error}); it said: {}", said.trim()))
        })
    }

    async fn run(&self, home: &Path) -> Result<Output, ApiError> {
        let mut child = Command::new(&self.program)
            .args(&self.args)
            .arg("--home")
            .arg(home)
            .args(["doctor", "--json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(&format!("it could not be started: {error}")))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (report, complaint) = tokio::join!(read(out, MAX_OUTPUT), read(err, MAX_ERROR));
        // With problems its exit code is 1: what it says counts, not how it ends.
        let ended = child.wait().await;
        ended.map_err(|error| failed(&format!("it did not end: {error}")))?;
        Ok(Output { report, complaint })
    }
}

struct Output {
    report: Vec<u8>,
    complaint: Vec<u8>,
}

/// The beginning of what comes; the rest is read and dropped, or its writer would wait for ever.
async fn read(from: Option<impl AsyncRead + Unpin>, most: u64) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(mut from) = from {
        // What cannot be read is not there: the report then makes no sense, and that is told.
        let _ = (&mut from).take(most).read_to_end(&mut kept).await;
        let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
    }
    kept
}

fn failed(why: &str) -> ApiError {
    ApiError::new(Kind::DoctorFailed, format!("{why}; run `tenantry doctor` on the machine"))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub const WELL: &str = r#"echo '{"problems":0,"warnings":1,"findings":[{"check":"disk","level":"warning","found":"little room","meaning":"soon none","remedy":"make room"}]}'"#;

    /// A doctor that is a line of shell.
    pub fn that_says(line: &str) -> Doctor {
        let args = ["-c", line, "doctor"].map(OsString::from).to_vec();
        Doctor { args, ..Doctor::new("/bin/sh".into()) }
    }

    async fn look(doctor: &Doctor) -> Result<DoctorReport, ApiError> {
        doctor.look(Path::new("/nowhere")).await
    }

    #[tokio::test]
    async fn a_report_is_read_whatever_the_exit_code() {
        let report = look(&that_says(&format!("{WELL}; exit 1"))).await.unwrap();
        assert_eq!((report.warnings, report.findings[0].check.as_str()), (1, "disk"));
    }

    #[tokio::test]
    async fn it_is_told_the_home_as_arguments_of_their_own() {
        let line = r#"echo "$#|$1|$2|$3|$4" >&2"#;
        let home = Path::new("/a home; with $(odd) names");
        let error = that_says(line).look(home).await.unwrap_err();
        let said = "4|--home|/a home; with $(odd) names|doctor|--json";
        assert!(error.detail().contains(said), "{}", error.detail());
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told() {
        let cases = [
            ("echo nonsense; echo 'no settings' >&2; exit 1", "no settings"),
            ("head -c 3000000 /dev/zero", "no report"),
        ];
        for (line, said) in cases {
            let error = look(&that_says(line)).await.unwrap_err();
            assert_eq!(error.kind(), Kind::DoctorFailed);
            assert!(error.detail().contains(said), "{}", error.detail());
        }
        let error = look(&Doctor::new("/nowhere/tenantry".into())).await.unwrap_err();
        assert!(error.detail().contains("could not be started"), "{}", error.detail());
    }

    #[tokio::test]
    async fn it_works_for_one_at_a_time_and_not_for_ever() {
        let patience = Duration::from_millis(300);
        let doctor = Doctor { patience, ..that_says("exec sleep 60") };
        let (first, second) = tokio::join!(look(&doctor), look(&doctor));
        assert!(first.unwrap_err().detail().contains("was stopped"));
        assert_eq!(second.unwrap_err().kind(), Kind::AlreadyUnderWay);
    }
}
