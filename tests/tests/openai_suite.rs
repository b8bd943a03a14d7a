//! The official test suite of OpenAI's client for Python, through the proxy, against a mock that checks every request against
//! OpenAI's API description: whatever the suite sends passes, whatever the API answers is read by the strict client.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use breakwater_tests::caller::Caller;
use breakwater_tests::cluster::Cluster;
use breakwater_tests::environments::{node, once, python, run, scripts};
use breakwater_tests::manifests::tenant;
use breakwater_tests::phases::phase;
use serde_json::json;

/// The suite's version; the client's of `clients/requirements.txt`.
const VERSION: &str = "3.52.0";
/// The files of the suite for what a gateway serves.
const FILES: [&str; 7] = [
    "tests/api_resources/chat/test_completions.py",
    "tests/api_resources/test_responses.py",
    "tests/api_resources/responses",
    "tests/api_resources/test_embeddings.py",
    "tests/api_resources/test_models.py",
    "tests/api_resources/test_completions.py",
    "tests/api_resources/test_moderations.py",
];
/// Every model that those files ask for.
const MODELS: [&str; 5] = [
    "gpt-3.5-turbo-instruct",
    "gpt-6-astra",
    "model",
    "omni-moderation-2024-09-26",
    "text-embedding-3-small",
];
/// The tests in those files.
const ALL: usize = 450;

/// The suite as it is published, unpacked below `target`.
fn suite(target: &Path, python: &Path) -> PathBuf {
    let folder = target.join(format!("openai-suite-{VERSION}"));
    once(&folder, &[&scripts().join("requirements.txt")], || {
        let mut pip = Command::new(python);
        pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        pip.args(["--no-binary", "openai", &format!("openai=={VERSION}"), "--dest"]);
        run(pip.arg(&folder));
        let packed = folder.join(format!("openai-{VERSION}.tar.gz"));
        run(Command::new("tar").arg("xzf").arg(packed).arg("-C").arg(&folder));
    });
    folder.join(format!("openai-{VERSION}"))
}

/// The API's description: the published one that `BREAKWATER_OPENAI_SPEC` names, else one made from the client's types.
fn spec(target: &Path, python: &Path) -> PathBuf {
    if let Some(path) = std::env::var_os("BREAKWATER_OPENAI_SPEC") {
        return path.into();
    }
    let (path, maker) = (target.join("openai-spec.json"), scripts().join("openai_spec.py"));
    run(Command::new(python).arg(maker).arg(&path));
    path
}

/// The mock's program for this machine, the only one that npm installs. Not the script that starts it: it would be that script
/// that is killed, and the mock would stay.
fn mock(node: &Path) -> PathBuf {
    let folder = node.join("node_modules/@stdy");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let programs =
        entries.map(|entry| entry.expect("an entry of a folder that was listed").path().join("bin/steady"));
    programs.into_iter().find(|program| program.is_file()).expect("npm installed the mock for this machine")
}

/// The mock, as the suite's own `scripts/mock` starts it; ended when dropped.
struct Steady(Child);

impl Steady {
    fn start(target: &Path, port: u16, spec: &Path) -> Self {
        let mut command = Command::new(mock(&node(target)));
        command.args(["--host", "127.0.0.1", "-p", &port.to_string()]);
        for (what, side) in [("array", "query"), ("array", "form"), ("object", "query"), ("object", "form")] {
            command.arg(format!("--validator-{side}-{what}-format=brackets"));
        }
        let child = command.arg(spec).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(child.expect("npm installed it"))
    }
}

impl Drop for Steady {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has then said.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}

/// Waits until the mock answers: it reads a description of megabytes first.
async fn healthy(port: u16, steady: &mut Steady) {
    let caller = Caller::new(([127, 0, 0, 1], port).into(), "");
    for _ in 0..1200 {
        assert_eq!(steady.0.try_wait().expect("a child of ours"), None, "the mock ended before it was ready");
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            assert_eq!(caller.get("/_x-steady/health").await.status, 200);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the mock was not ready in a minute");
}

/// The number before `word` in pytest's last line.
fn counted(report: &str, word: &str) -> usize {
    let last = report.lines().rev().find(|line| line.contains(" in ")).unwrap_or_default();
    let words: Vec<&str> = last.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let found = words.windows(2).find(|pair| pair[1] == word).and_then(|pair| pair[0].parse().ok());
    found.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_openai_suite_passes_through_the_proxy() {
    phase("environments");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let python = python(target);
    let suite = suite(target, &python);
    let port = free_port();
    let mut steady = Steady::start(target, port, &spec(target, &python));
    healthy(port, &mut steady).await;
    phase("the suite");
    let provider = json!({"provider": {"name": "openai", "spec": {
        "type": "openai", "base_url": format!("http://127.0.0.1:{port}"),
        "credentials": [{"name": "main", "api_key": "sk-test"}],
        "circuit_breaker": {"threshold": 1000, "open_ttl": "100ms", "failure_ratio": "0%"},
    }}});
    let route = json!({"route": {"name": "all", "spec": {
        "aliases": MODELS, "endpoint": {"provider": "openai", "model": "gpt-6-astra"}, "provider_state": true,
    }}});
    let cluster = Cluster::start(vec![provider, route, tenant("acme", &["all"])]).await;
    let mut pytest = tokio::process::Command::new(&python);
    pytest.args(["-m", "pytest", "-q", "-n", "2", "--durations=0", "-p", "suite_key"]).args(FILES);
    pytest.env("TEST_API_BASE_URL", format!("http://{}/v1", cluster.proxy().addr()));
    pytest.env("BREAKWATER_KEY", cluster.key()).env("PYTHONPATH", scripts());
    let output = pytest.current_dir(&suite).output().await.expect("the environment has pytest");
    let report = String::from_utf8_lossy(&output.stdout);
    let passed = counted(&report, "passed");
    println!("{passed} of {ALL} pass");
    if passed < ALL {
        println!("{report}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!((passed, counted(&report, "failed")), (ALL, 0), "all pass, and none is skipped");
    cluster.shutdown().await;
}
