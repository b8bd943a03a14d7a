//! The official OpenAI client for Python completes its first day against `breakwater dev`.

#![allow(clippy::disallowed_methods, reason = "a test outside of the process has no clock but the system's")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of a test may fail and tell"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for the start: a bound against hanging.
const PATIENCE: Duration = Duration::from_secs(60);

struct Dev(Child);

impl Drop for Dev {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has then said.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Makes the virtual environment with the client once, below the target directory.
fn python() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let venv = target.join("openai-client");
    let python = venv.join("bin/python");
    let requirements = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/clients/requirements.txt");
    let marker = venv.join("installed");
    let wanted = std::fs::read_to_string(requirements).expect("requirements.txt is in the repository");
    if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&venv));
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
        .arg(requirements));
    std::fs::write(marker, wanted).expect("the environment was just made");
    python
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}\n{said}",
        output.status,
        String::from_utf8_lossy(&output.stdout)
    );
    println!("{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_official_openai_client_completes_its_first_day() {
    let python = python();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("dev-{}", std::process::id()));
    let ready = folder.join("ready.json");
    drop(std::fs::remove_dir_all(&folder));
    let child = Command::new(env!("CARGO_BIN_EXE_breakwater"))
        .args(["dev", "--proxy-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
        .arg("--data-dir")
        .arg(folder.join("data"))
        .arg("--ready-file")
        .arg(&ready)
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary was built for this test");
    let mut dev = Dev(child);
    let begin = Instant::now();
    while !ready.exists() {
        assert_eq!(
            dev.0.try_wait().expect("a child of ours"),
            None,
            "breakwater dev ended before it was ready"
        );
        assert!(begin.elapsed() < PATIENCE, "breakwater dev was not ready after {PATIENCE:?}");
        std::thread::yield_now();
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/clients/openai_client.py");
    run(Command::new(python).arg(script).arg(&ready));
    drop(dev);
    drop(std::fs::remove_dir_all(&folder));
}
