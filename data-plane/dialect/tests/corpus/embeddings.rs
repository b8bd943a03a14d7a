//! Recorded calls for embeddings: OpenAI's pass, and the other formats are asked and answered as they were recorded.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use breakwater_dialect::embeddings::{
    EmbeddingsCaller, EmbeddingsFormat, EmbeddingsRequest, rewrite_reply, translate_reply,
};
use breakwater_dialect::{ErrorClass, translate};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::recordings;

fn bytes(value: &Value) -> Bytes {
    value.to_string().into()
}

fn floats(vector: &Value) -> Vec<f32> {
    if let Some(text) = vector.as_str() {
        let bytes = STANDARD.decode(text).unwrap();
        return bytes.chunks(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
    }
    vector.as_array().unwrap().iter().map(|number| number.to_string().parse().unwrap()).collect()
}

fn caller(base64: bool, inputs: usize) -> EmbeddingsCaller {
    EmbeddingsCaller { alias: "alias".into(), base64, inputs, reveal_provider: false }
}

#[test]
fn recorded_openai_calls_pass_and_become_base64() {
    let (mut requests, mut answers, mut converted) = (0, 0, 0);
    for recording in recordings("embeddings") {
        let id = recording["id"].as_str().unwrap();
        let asked = &recording["request"]["body"];
        if asked.is_object() {
            let body = bytes(asked);
            let request = EmbeddingsRequest::parse(&body).unwrap();
            assert_eq!(request.rewrite(request.model(), &[]), body, "{id}");
            let mut renamed = asked.clone();
            renamed["model"] = "other".into();
            assert_eq!(request.rewrite("other", &[]), bytes(&renamed), "{id}");
            requests += 1;
        }
        let answer = &recording["response"]["body"];
        if answer.get("data").is_none() || answer.get("model").is_none() {
            continue;
        }
        let read = rewrite_reply(&bytes(answer), &caller(false, 1)).unwrap();
        let mut expected = answer.clone();
        expected["model"] = "alias".into();
        for named in ["provider", "id"] {
            expected.as_object_mut().unwrap().shift_remove(named);
        }
        for named in ["cost", "is_byok", "cost_details"] {
            expected["usage"].as_object_mut().unwrap().shift_remove(named);
        }
        assert_eq!(read.body, bytes(&expected), "{id}");
        assert_eq!(read.usage.unwrap().input, answer["usage"]["prompt_tokens"].as_u64().unwrap(), "{id}");
        let base64 = rewrite_reply(&bytes(answer), &caller(true, 1)).unwrap();
        let base64: Value = serde_json::from_slice(&base64.body).unwrap();
        for (ours, theirs) in
            base64["data"].as_array().unwrap().iter().zip(answer["data"].as_array().unwrap())
        {
            assert!(ours["embedding"].is_string(), "{id}");
            if theirs["embedding"].is_array() {
                assert_eq!(floats(&ours["embedding"]), floats(&theirs["embedding"]), "{id}");
                converted += 1;
            } else {
                assert_eq!(ours["embedding"], theirs["embedding"], "{id}");
            }
        }
        answers += 1;
    }
    println!("{requests} requests, {answers} answers, {converted} vectors converted");
    assert_eq!((requests, answers, converted), (44, 46, 20));
}

/// Where a recorded answer has its vectors: independent of the crate.
fn vectors(endpoint: &str, body: &Value) -> Vec<Value> {
    let list = |value: &Value| value.as_array().unwrap().clone();
    match endpoint {
        "ollama.embed" => list(&body["embeddings"]),
        "embedContent" if body["embedding"].is_object() => vec![body["embedding"]["values"].clone()],
        "embedContent" => list(&body["embeddings"]).iter().map(|one| one["values"].clone()).collect(),
        _ if body["embedding"].is_array() => vec![body["embedding"].clone()],
        _ if body["embeddings"]["float"].is_array() => list(&body["embeddings"]["float"]),
        _ if body["embeddings"][0]["embedding"].is_array() => {
            vec![body["embeddings"][0]["embedding"].clone()]
        }
        _ => list(&body["embeddings"]),
    }
}

/// The texts that a recorded request embeds, and how many dimensions it asks for.
fn asked(body: &Value) -> (Value, Value) {
    let pick = |paths: &[&str]| {
        paths.iter().map(|path| body.pointer(path).cloned()).find_map(|found| found).unwrap_or_default()
    };
    let texts = match body["requests"].as_array() {
        Some(requests) => requests.iter().map(|one| one["content"]["parts"][0]["text"].clone()).collect(),
        None => pick(&["/texts", "/inputText", "/input", "/singleEmbeddingParams/text/value"]),
    };
    let dimensions = pick(&[
        "/requests/0/outputDimensionality",
        "/dimensions",
        "/output_dimension",
        "/singleEmbeddingParams/embeddingDimension",
    ]);
    (texts, dimensions)
}

/// What recorded requests say that OpenAI's do not: how a text is used or cut.
fn stripped(mut body: Value) -> Value {
    for key in ["normalize", "truncate", "max_tokens", "input_type", "embedding_types", "options"] {
        body.as_object_mut().unwrap().shift_remove(key);
    }
    if body["output_dimension"].is_null() {
        body.as_object_mut().unwrap().shift_remove("output_dimension");
    }
    for one in body["requests"].as_array_mut().into_iter().flatten() {
        one.as_object_mut().unwrap().shift_remove("taskType");
    }
    if let Some(params) = body.pointer_mut("/singleEmbeddingParams") {
        params["embeddingPurpose"] = "".into();
        params["text"]["truncationMode"] = "".into();
    }
    if body["input"].is_string() {
        body["input"] = json!([body["input"]]);
    }
    body
}

#[test]
fn recorded_calls_of_other_formats_are_asked_and_answered_alike() {
    let (mut requests, mut answers, mut errors) = (0, 0, 0);
    for endpoint in ["ollama.embed", "embedContent", "cohere.embed", "invokeModel"] {
        for recording in recordings(endpoint) {
            let id = recording["id"].as_str().unwrap();
            let model = recording["request"]["url"].as_str().unwrap();
            let Some(format) = (match endpoint {
                "ollama.embed" => Some(EmbeddingsFormat::Ollama),
                "embedContent" => Some(EmbeddingsFormat::Gemini),
                "cohere.embed" => Some(EmbeddingsFormat::Cohere),
                _ => EmbeddingsFormat::at(breakwater_common::resource::ProviderType::Bedrock, "", model),
            }) else {
                continue;
            };
            let body = &recording["response"]["body"];
            if recording["response"]["status"] == 404 {
                let error = translate::read_error(format.errors(), 404, &body.to_string());
                assert_eq!(error.class, ErrorClass::NotFound, "{id}");
                errors += 1;
                continue;
            }
            let theirs = &recording["request"]["body"];
            if theirs.is_object() {
                let (input, dimensions) = asked(theirs);
                let body = bytes(&json!({"model": "m", "input": input, "dimensions": dimensions}));
                let request = EmbeddingsRequest::parse(&body).unwrap();
                let named = recording["model"].as_str().unwrap();
                let ours = request.write(format, named, &[]).unwrap_or_else(|error| panic!("{id}: {error}"));
                let ours: Value = serde_json::from_slice(&ours.body).unwrap();
                let mut theirs = stripped(theirs.clone());
                if endpoint == "cohere.embed" {
                    theirs.as_object_mut().unwrap().shift_remove("model");
                }
                assert_eq!(stripped(ours), theirs, "{id}");
                requests += 1;
            }
            let vectors = vectors(endpoint, body);
            let ours =
                translate_reply(format, body.to_string().as_bytes(), Some(77), &caller(false, vectors.len()));
            let ours = ours.unwrap();
            let read: Value = serde_json::from_slice(&ours.body).unwrap();
            let count = [
                "/prompt_eval_count",
                "/inputTextTokenCount",
                "/meta/billed_units/input_tokens",
                "/usageMetadata/promptTokenCount",
            ]
            .iter()
            .find_map(|path| body.pointer(path))
            .map_or(77, |count| count.as_u64().unwrap());
            assert_eq!(ours.usage.unwrap().input, count, "{id}");
            assert_eq!(read["usage"], json!({"prompt_tokens": count, "total_tokens": count}), "{id}");
            let base64 =
                translate_reply(format, body.to_string().as_bytes(), None, &caller(true, vectors.len()))
                    .unwrap();
            let base64: Value = serde_json::from_slice(&base64.body).unwrap();
            for (index, vector) in vectors.iter().enumerate() {
                assert_eq!(&read["data"][index]["embedding"], vector, "{id}");
                assert_eq!(floats(&base64["data"][index]["embedding"]), floats(vector), "{id}");
            }
            answers += 1;
        }
    }
    println!("{requests} requests, {answers} answers, {errors} errors");
    assert_eq!((requests, answers, errors), (57, 66, 2));
}
