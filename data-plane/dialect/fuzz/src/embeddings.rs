//! Embeddings: read in OpenAI's format, asked in every provider's, and answered in OpenAI's.

use breakwater_dialect::embeddings::{EmbeddingsCaller, EmbeddingsFormat, EmbeddingsRequest};
use breakwater_dialect::embeddings::{rewrite_reply, translate_reply};
use bytes::Bytes;

use crate::{Kind, assert_json, take};

const FORMATS: [EmbeddingsFormat; 7] = [
    EmbeddingsFormat::OpenAi,
    EmbeddingsFormat::Mistral,
    EmbeddingsFormat::Gemini,
    EmbeddingsFormat::Ollama,
    EmbeddingsFormat::Titan,
    EmbeddingsFormat::Nova,
    EmbeddingsFormat::Cohere,
];

/// Reads an input as a call and asks every provider, or as every provider's answer.
pub fn feed(data: &[u8]) {
    match take(data) {
        Some((Kind::Request, body)) => request(&Bytes::copy_from_slice(body)),
        Some((Kind::Reply | Kind::Stream(_), body)) => reply(&Bytes::copy_from_slice(body)),
        None => {}
    }
}

fn request(body: &Bytes) {
    let Ok(call) = EmbeddingsRequest::parse(body) else { return };
    let texts = call.texts().count();
    for redactions in [vec![], vec![(texts.saturating_sub(1), "masked".to_owned())]] {
        assert_json("embeddings within", &call.rewrite("model", &redactions));
        for format in FORMATS {
            if let Ok(written) = call.write(format, "model", &redactions) {
                assert_json(&format!("embeddings for {format:?}"), &written.body);
            }
        }
    }
}

fn reply(body: &Bytes) {
    for base64 in [false, true] {
        let caller =
            EmbeddingsCaller { alias: "alias".to_owned(), base64, inputs: 1, reveal_provider: false };
        if let Ok(reply) = rewrite_reply(body, &caller) {
            assert_json("embeddings within", &reply.body);
        }
        for format in FORMATS {
            if let Ok(reply) = translate_reply(format, body, None, &caller) {
                assert_json(&format!("embeddings of {format:?}"), &reply.body);
            }
        }
    }
}
