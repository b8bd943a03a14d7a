//! What is compared with: the obvious way, by `serde_json::Value`.

use bytes::Bytes;
use serde_json::Value;

const ALIAS: &str = "the-provider-s-name-of-the-model";

/// Reads a body, sets the model, writes it.
pub fn request(body: &Bytes) -> Vec<u8> {
    let mut call: Value = serde_json::from_slice(body).expect("JSON");
    set_model(&mut call);
    serde_json::to_vec(&call).expect("JSON")
}

/// Reads each event of a stream, sets the model, writes it.
pub fn stream(stream: &Bytes) -> Vec<u8> {
    let mut out = Vec::with_capacity(stream.len());
    for line in stream.split(|byte| *byte == b'\n') {
        match line.strip_prefix(b"data: ").map(serde_json::from_slice::<Value>) {
            Some(Ok(mut event)) => {
                set_model(&mut event);
                out.extend_from_slice(b"data: ");
                serde_json::to_writer(&mut out, &event).expect("JSON");
            }
            Some(Err(_)) | None => out.extend_from_slice(line),
        }
        out.push(b'\n');
    }
    out
}

fn set_model(event: &mut Value) {
    if let Some(model) = event.get_mut("model") {
        *model = Value::from(ALIAS);
    }
}
