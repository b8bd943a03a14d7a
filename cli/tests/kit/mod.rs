//! `breakwater dev` as a process of its own, and commands as its clients.

#![allow(clippy::disallowed_methods, reason = "a test outside of the process has no clock but the system's")]
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail and tell")]
#![allow(dead_code, reason = "no test file uses all of it")]

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// Longest wait for a start or an end: a bound against hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks for the ready file: leaves the processor to whoever is to write it.
const POLL: Duration = Duration::from_millis(5);

/// An empty directory of one test, removed at the end.
pub(crate) struct Folder(PathBuf);

/// A running `breakwater dev`.
pub(crate) struct Dev {
    child: Child,
    pub(crate) ready: Value,
}

/// What a command left: its exit code and what it wrote where.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path).expect("the target directory can be written to");
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file and returns its path.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("the folder is ours");
        std::fs::write(&path, bytes).expect("the folder is ours");
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A `breakwater` that takes nothing from the environment of whoever runs the tests.
pub(crate) fn breakwater() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_breakwater"));
    for name in ["BREAKWATER_SERVER", "BREAKWATER_TOKEN", "BREAKWATER_CA", "BREAKWATER_LOG"] {
        command.env_remove(name);
    }
    command
}

/// Arguments of a `dev` on free ports with its data in the folder.
pub(crate) fn dev_command(folder: &Folder) -> Command {
    let mut command = breakwater();
    command.args(["dev", "--proxy-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir"]);
    command.arg(folder.path("data"));
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Said {
    run_with(command, "")
}

/// Runs a command with a text on stdin.
pub(crate) fn run_with(command: &mut Command, stdin: &str) -> Said {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built for this test");
    let mut pipe = child.stdin.take().expect("stdin is a pipe");
    let text = stdin.to_owned();
    // A command that fails early reads nothing: no error of ours.
    let writer = thread::spawn(move || drop(pipe.write_all(text.as_bytes())));
    let output = child.wait_with_output().expect("a child of ours");
    writer.join().expect("it only writes");
    Said {
        code: output.status.code().unwrap_or_else(|| panic!("{command:?}: {}", output.status)),
        stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
    }
}

impl Dev {
    /// Starts one and waits until traffic can flow.
    pub(crate) fn start(folder: &Folder) -> Self {
        let ready_file = folder.path("ready.json");
        drop(std::fs::remove_file(&ready_file));
        let file = |name| std::fs::File::create(folder.path(name)).expect("the folder is ours");
        let mut command = dev_command(folder);
        command.arg("--ready-file").arg(&ready_file);
        let child = command.stdin(Stdio::null()).stdout(file("dev.out")).stderr(file("dev.err")).spawn();
        let mut dev = Self { child: child.expect("the binary was built for this test"), ready: Value::Null };
        let begin = Instant::now();
        while !ready_file.exists() {
            let ended = dev.child.try_wait().expect("a child of ours");
            let said = || std::fs::read_to_string(folder.path("dev.err")).unwrap_or_default();
            assert_eq!(ended, None, "dev ended before it was ready: {}", said());
            assert!(begin.elapsed() < PATIENCE, "dev was not ready in time: {}", said());
            thread::park_timeout(POLL);
        }
        let text = std::fs::read_to_string(&ready_file).expect("it is there");
        dev.ready = serde_json::from_str(&text).expect("it is whole as soon as it is there");
        dev
    }

    /// Returns a text of the ready file.
    pub(crate) fn says(&self, key: &str) -> &str {
        self.ready.get(key).and_then(Value::as_str).unwrap_or_else(|| panic!("no {key} in {}", self.ready))
    }

    /// A command that calls this one.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = breakwater();
        command.env("BREAKWATER_SERVER", self.says("admin_url"));
        command.env("BREAKWATER_TOKEN", self.says("admin_token"));
        command.args(arguments);
        command
    }

    /// Runs a command against this one.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        run(&mut self.command(arguments))
    }

    /// Runs a command that must succeed, and returns its data.
    pub(crate) fn data(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        said.stdout
    }

    /// Runs a command that must succeed, and returns its data as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let text = self.data(&[arguments, &["-o", "json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("a child of ours");
        self.child.wait().expect("a child of ours");
    }

    /// Asks the proxy. Returns the status, the call's id, and the body.
    pub(crate) fn ask(&self, model: &str, prompt: &str) -> (u16, String, Value) {
        let body = serde_json::json!({"model": model, "messages": [{"role": "user", "content": prompt}]});
        let request = http::Request::post(format!("{}/v1/chat/completions", self.says("proxy_url")))
            .header("authorization", format!("Bearer {}", self.says("api_key")))
            .header("content-type", "application/json")
            .body(http_body_util::Full::new(bytes::Bytes::from(body.to_string())))
            .expect("a request");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let executor = hyper_util::rt::TokioExecutor::new();
            let client = hyper_util::client::legacy::Client::builder(executor).build_http();
            let reply = client.request(request).await.expect("the proxy answers");
            let id = reply.headers().get("x-breakwater-request-id").expect("every answer has it");
            let id = id.to_str().expect("text").to_owned();
            let status = reply.status().as_u16();
            let body = http_body_util::BodyExt::collect(reply.into_body()).await.expect("a whole body");
            (status, id, serde_json::from_slice(&body.to_bytes()).expect("JSON"))
        })
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has then said.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Said {
    /// Holds a failure to its exit code, to words on stderr and to nothing on stdout.
    pub(crate) fn fails(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.stdout, "", "a failure has no data");
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is not in {}", self.stderr);
        }
    }
}
