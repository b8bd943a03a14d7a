//! The simulator's own paths, by which a drill switches faults while calls run.

use breakwater_common::limits;
use http::Method;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::{
    answer::Answer,
    fault::{Fault, FaultError},
    shared::Shared,
};

/// Everything below is ours, in every dialect.
pub(super) const ROOT: &str = "/simulator/";

/// Answers a request below [`ROOT`].
pub(super) async fn answer(shared: &Shared, method: &Method, path: &str, body: Incoming) -> Answer {
    match (method, path.strip_prefix(ROOT).unwrap_or_default()) {
        (&Method::GET, "faults") => Answer::json(200, &shared.describe_faults()),
        (&Method::DELETE, "faults") => set(shared, Vec::new()),
        (&Method::PUT | &Method::POST, "faults") => {
            let Ok(body) = Limited::new(body, limits::MANIFEST_BYTES_MAX).collect().await else {
                return refused(413, "the body is too large");
            };
            match read(&String::from_utf8_lossy(&body.to_bytes())) {
                Ok(faults) => set(shared, faults),
                Err(error) => refused(400, &error.to_string()),
            }
        }
        (&Method::GET, "counts") => {
            let counts = shared.counts();
            let (connections, calls, completed) = (counts.connections, counts.calls, counts.completed);
            Answer::json(200, &json!({"connections": connections, "calls": calls, "completed": completed}))
        }
        (_, "faults") => refused(405, "use GET, PUT or DELETE"),
        (_, "counts") => refused(405, "use GET"),
        _ => refused(404, "the simulator's own paths are /simulator/faults and /simulator/counts"),
    }
}

/// Reads faults: one a line, or a JSON array of texts.
fn read(text: &str) -> Result<Vec<Fault>, FaultError> {
    let listed: Option<Vec<String>> = serde_json::from_str(text).ok();
    let lines = listed.unwrap_or_else(|| text.lines().map(str::to_owned).collect());
    lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).map(str::parse).collect()
}

fn set(shared: &Shared, faults: Vec<Fault>) -> Answer {
    shared.set_faults(faults);
    Answer::json(200, &shared.describe_faults())
}

fn refused(status: u16, message: &str) -> Answer {
    let body: Value = json!({"error": {"message": message}});
    Answer::json(status, &body)
}
