//! Writes what the fuzz targets begin with: small calls, answers and streams of the recorded corpus.
//!
//! `cargo run -p breakwater-dialect --example fuzz_seeds -- <folder>` makes a folder for each target.

#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a tool of developers: it reads the corpus and fails where it cannot go on"
)]

#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../tests/kit/recordings.rs"]
mod recordings;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use breakwater_dialect::Format;

use self::recordings::Body;

/// A seed is no larger: small ones are mutated to more effect.
const SEED_BYTES_MAX: usize = 4096;
/// Seeds of one kind for one target.
const SEEDS_MAX: usize = 40;

fn main() {
    let folder = std::env::args().nth(1).expect("usage: fuzz_seeds <folder>");
    let folder = Path::new(&folder);
    let mut written: BTreeMap<(&str, u8), usize> = BTreeMap::new();
    for recording in recordings::all() {
        let Some(format) = recording.format else { continue };
        let request = recording.request.to_string();
        let (kind, answer) = match &recording.reply {
            Body::Whole(body) => (b'a', body.to_string().into_bytes()),
            Body::Stream(bytes) => (b's', bytes.clone()),
            Body::Other => continue,
        };
        for (kind, body) in [(b'q', request.into_bytes()), (kind, answer)] {
            if body.len() > SEED_BYTES_MAX || body.len() < 8 {
                continue;
            }
            let count = written.entry((format.as_str(), kind)).or_default();
            *count += 1;
            if *count > SEEDS_MAX {
                continue;
            }
            let name = format!("{}-{}-{count}", format.as_str(), char::from(kind));
            write(folder, format.as_str(), &name, &[&[kind, b'0'], body.as_slice()]);
            let place = Format::ALL.iter().position(|other| *other == format).expect("it is one of them");
            let place = b'0' + u8::try_from(place).expect("there are few");
            write(folder, "pass", &name, &[&[place, kind, b'0'], body.as_slice()]);
            if kind == b's' {
                let framer = if format == Format::Converse { "eventstream" } else { "sse" };
                write(folder, framer, &name, &[b"0", body.as_slice()]);
            }
        }
    }
    by_hand(folder);
}

/// What the corpus has none of.
fn by_hand(folder: &Path) {
    write(folder, "completions", "q", &[br#"q0{"model":"m","prompt":["a","b"],"max_tokens":5,"echo":true}"#]);
    write(folder, "completions", "a", &[
        br#"a0{"id":"c","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"b","logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#,
    ]);
    write(folder, "completions", "s", &[
        b"s0data: {\"id\":\"c\",\"object\":\"text_completion\",\"choices\":[{\"index\":0,\"text\":\"b\",\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    ]);
    write(
        folder,
        "embeddings",
        "q",
        &[br#"q0{"model":"m","input":["a","b"],"dimensions":8,"encoding_format":"base64"}"#],
    );
    write(folder, "embeddings", "a1", &[
        br#"a0{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1e-3]}],"model":"m","usage":{"prompt_tokens":1,"total_tokens":1}}"#,
    ]);
    write(folder, "embeddings", "a2", &[
        br#"a0{"embeddings":[[0.5,-1e-3]],"prompt_eval_count":3,"embedding":[0.5],"inputTextTokenCount":2}"#,
    ]);
    write(folder, "embeddings", "a3", &[br#"a0{"embeddings":[{"values":[0.5,-1e-3]}]}"#]);
    write(folder, "eventstream", "headers", &[b"0\x10\x05:typ\x07\0\x05eventx{\"a\":1}\n\x03\x01a\x00{}"]);
}

fn write(folder: &Path, target: &str, name: &str, parts: &[&[u8]]) {
    let folder = folder.join(target);
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let path = folder.join(name);
    fs::write(&path, parts.concat()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
