//! Real clients against the proxy, each with upstreams of its own format and of the others that replay recordings: plain answers,
//! streams gathered by the clients' own helpers, calls of tools and the turn after them, errors. What the clients read must be what
//! the recordings say.

use std::path::Path;

use breakwater_tests::cluster::Cluster;
use breakwater_tests::environments::{node, python, scripts};
use breakwater_tests::manifests::tenant;
use breakwater_tests::phases::phase;
use serde_json::{Value, json};

#[path = "clients/truth.rs"]
mod truth;
#[path = "clients/upstreams.rs"]
mod upstreams;

/// The scripts and how many steps each has against one upstream.
const PYTHON: [(&str, usize); 5] = [
    ("sdk_openai.py", 10),
    ("sdk_anthropic.py", 5),
    ("sdk_gemini.py", 5),
    ("sdk_bedrock.py", 5),
    ("sdk_frameworks.py", 18),
];
const NODE: [(&str, usize); 3] = [("sdk_openai.mjs", 10), ("sdk_anthropic.mjs", 5), ("sdk_ai.mjs", 20)];
/// Runs a script against the cluster and returns its lines of report.
async fn report(mut command: tokio::process::Command) -> Vec<String> {
    let output = command.output().await.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{out}");
    // Clients may warn among the lines of the report.
    let told = |line: &&str| line.starts_with("ok ") || line.starts_with("FAILED ");
    let lines: Vec<String> = out.lines().filter(told).map(str::to_owned).collect();
    let failed = lines.iter().any(|line| line.starts_with("FAILED"));
    assert_eq!(output.status.success(), !failed, "{}", String::from_utf8_lossy(&output.stderr));
    if failed {
        println!("{}", String::from_utf8_lossy(&output.stderr));
    }
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_clients_read_what_was_recorded_whatever_the_upstream_speaks() {
    phase("environments");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (python, modules) = (python(target), node(target));
    phase("upstreams");
    let upstreams = upstreams::start().await;
    let names: Vec<String> = upstreams.iter().map(|upstream| format!("to-{}", upstream.format)).collect();
    let mut manifests: Vec<Value> = upstreams.iter().map(|upstream| upstream.provider.clone()).collect();
    for (upstream, name) in upstreams.iter().zip(&names) {
        let endpoint = json!({"provider": upstream.format, "model": "vendor-model-1"});
        manifests.push(json!({"route": {"name": name, "spec": {"aliases": [name], "endpoint": endpoint}}}));
    }
    manifests.push(tenant("acme", &names.iter().map(String::as_str).collect::<Vec<_>>()));
    let cluster = Cluster::start(manifests).await;
    let truths: serde_json::Map<String, Value> =
        upstreams.iter().map(|upstream| (upstream.format.to_owned(), upstream.truths.clone())).collect();
    let proxy = format!("http://{}", cluster.proxy().addr());
    let plan = target.join(format!("clients-{}.json", std::process::id()));
    let written = json!({"proxy": proxy, "key": cluster.key(), "upstreams": truths});
    std::fs::write(&plan, written.to_string()).expect("below the target directory one may write");
    let mut wrong = Vec::new();
    let program = python.with_file_name("node");
    let node = NODE.map(|(script, steps)| (program.clone(), modules.join(script), steps));
    let python = PYTHON.map(|(script, steps)| (python.clone(), scripts().join(script), steps));
    for (interpreter, script, steps) in python.into_iter().chain(node) {
        phase(&script.display().to_string());
        let mut command = tokio::process::Command::new(interpreter);
        command.arg(&script).arg(&plan);
        let lines = report(command).await;
        assert_eq!(lines.len(), steps * upstreams.len(), "{} ran all its steps", script.display());
        wrong.extend(lines.into_iter().filter(|line| line.starts_with("FAILED")));
    }
    assert!(wrong.is_empty(), "{} steps failed:\n{}", wrong.len(), wrong.join("\n"));
    assert!(upstreams.iter().all(|upstream| !upstream.llm.asked().is_empty()), "every upstream was asked");
    drop(std::fs::remove_file(plan));
    cluster.shutdown().await;
}
