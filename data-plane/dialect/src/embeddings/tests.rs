use bytes::Bytes;
use serde_json::{Value, json};

use breakwater_common::resource::ProviderType;

use super::*;

fn request(body: &str) -> EmbeddingsRequest {
    EmbeddingsRequest::parse(&Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

fn wrong(body: &str) -> (Option<String>, String) {
    let error = EmbeddingsRequest::parse(&Bytes::copy_from_slice(body.as_bytes())).unwrap_err();
    (error.param, error.message)
}

fn body(bytes: &Bytes) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

const TWO: &str =
    r#"{"model":"embed", "input":["Rome","Oslo"], "dimensions":256, "user":"u", "encoding_format":"float"}"#;

#[test]
fn bug_1_only_the_model_and_masked_texts_change_for_the_same_format() {
    let read = request(TWO);
    assert_eq!((read.model(), read.inputs(), read.has_tokens()), ("embed", 2, false));
    assert_eq!(read.texts().collect::<Vec<_>>(), ["Rome", "Oslo"]);
    assert_eq!(
        read.rewrite("text-embedding-3-small", &[(1, "[CITY]\"".to_owned())]),
        TWO.replace("embed\"", "text-embedding-3-small\"").replace("\"Oslo\"", r#""[CITY]\"""#)
    );
    assert_eq!(read.rewrite("embed", &[]), TWO);
}

#[test]
fn inputs_are_texts_or_tokens_or_what_a_vendor_knows() {
    for (input, inputs, texts, tokens) in [
        (r#""data: here""#, 1, vec!["data: here"], false),
        (r#"["a","data:b"]"#, 2, vec!["a", "data:b"], false),
        ("[1, 2,-3]", 1, vec![], true),
        ("[[1,2],[3]]", 2, vec![], true),
        (r#"["a",[3]]"#, 2, vec!["a"], true),
        ("[]", 0, vec![], false),
        (
            r#"[{"content":[{"type":"t","text":"x"},{"image_url":{"url":"data:image/png;base64,AA"}}]}]"#,
            1,
            vec!["t", "x"],
            false,
        ),
    ] {
        let read = request(&format!(r#"{{"model":"m","input":{input}}}"#));
        assert_eq!((read.inputs(), read.has_tokens()), (inputs, tokens), "{input}");
        assert_eq!(read.texts().collect::<Vec<_>>(), texts, "{input}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    for (body, param) in [
        (r#"{"model":"m"}"#, Some("input")),
        (r#"{"model":"m","input":null}"#, Some("input")),
        (r#"{"model":"m","input":[1,"a"]}"#, Some("input")),
        (r#"{"model":"m","input":["a",1]}"#, Some("input")),
        (r#"{"model":"m","input":"a","input":"b"}"#, Some("input")),
        (r#"{"model":"","input":"a"}"#, Some("model")),
        (r#"{"input":"a"}"#, Some("model")),
        (r#"{"model":"m","input":"a","encoding_format":1}"#, Some("encoding_format")),
        ("[]", None),
        ("{", None),
    ] {
        assert_eq!(wrong(body).0.as_deref(), param, "{body}");
    }
}

#[test]
fn each_provider_is_asked_in_its_words() {
    let two = request(TWO);
    for (format, model, expected) in [
        (
            EmbeddingsFormat::Gemini,
            "gemini-embedding-001",
            json!({"requests": [
                {"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "R"}]}, "outputDimensionality": 256},
                {"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "Oslo"}]}, "outputDimensionality": 256},
            ]}),
        ),
        (
            EmbeddingsFormat::Ollama,
            "nomic",
            json!({"model": "nomic", "input": ["R", "Oslo"], "dimensions": 256}),
        ),
        (
            EmbeddingsFormat::Cohere,
            "us.cohere.embed-v4:0",
            json!({"texts": ["R", "Oslo"], "input_type": "search_document", "output_dimension": 256}),
        ),
    ] {
        let written = two.write(format, model, &[(0, "R".to_owned())]).unwrap();
        assert_eq!(body(&written.body), expected);
        assert_eq!(written.dropped, ["user"]);
    }
    let mistral = two.write(EmbeddingsFormat::Mistral, "mistral-embed", &[]).unwrap();
    assert_eq!(
        mistral.body,
        r#"{"model":"mistral-embed", "input":["Rome","Oslo"], "output_dimension":256, "encoding_format":"float"}"#
    );
    assert_eq!(mistral.dropped, ["user"]);
    let one = request(r#"{"model":"e","input":["Rome"],"input_type":"search_query","dimensions":null}"#);
    let query = one.write(EmbeddingsFormat::Cohere, "cohere.embed-english-v3", &[]).unwrap();
    assert_eq!(body(&query.body), json!({"texts": ["Rome"], "input_type": "search_query"}));
    let one = request(r#"{"model":"e","input":"Rome"}"#);
    let titan = one.write(EmbeddingsFormat::Titan, "amazon.titan-embed-text-v2:0", &[]).unwrap();
    assert_eq!(titan.body, r#"{"inputText":"Rome"}"#);
}

#[test]
fn what_a_provider_cannot_say_is_refused_by_its_name() {
    use EmbeddingsFormat::{Cohere, Gemini, Nova, Ollama, Titan};
    for (format, model, members, param) in [
        (Titan, "amazon.titan-embed-text-v2:0", r#""input":["a","b"]"#, "input"),
        (Nova, "amazon.nova-2-multimodal-embeddings-v1:0", r#""input":["a","b"]"#, "input"),
        (Titan, "amazon.titan-embed-text-v1", r#""input":"a","dimensions":256"#, "dimensions"),
        (Cohere, "cohere.embed-english-v3", r#""input":"a","dimensions":256"#, "dimensions"),
        (Gemini, "g", r#""input":[1,2]"#, "input"),
        (Ollama, "g", r#""input":["a",[1]]"#, "input[1]"),
        (Ollama, "g", r#""input":"a","dimensions":"8""#, "dimensions"),
        (Ollama, "g", r#""input":"a","dimensions":0"#, "dimensions"),
        (Ollama, "g", r#""input":"a","encoding_format":"base64_int8""#, "encoding_format"),
        (Ollama, "g", r#""input":"a","input_type":"search_query""#, "input_type"),
    ] {
        let read = request(&format!(r#"{{"model":"m",{members}}}"#));
        assert_eq!(read.write(format, model, &[]).unwrap_err().param, param, "{members}");
    }
}

#[test]
fn bedrock_is_asked_by_the_models_vendor() {
    let at = |model| EmbeddingsFormat::at(ProviderType::Bedrock, "", model);
    assert_eq!(at("amazon.titan-embed-text-v2:0"), Some(EmbeddingsFormat::Titan));
    assert_eq!(at("us.cohere.embed-v4:0"), Some(EmbeddingsFormat::Cohere));
    assert_eq!(at("amazon.nova-2-multimodal-embeddings-v1:0"), Some(EmbeddingsFormat::Nova));
    assert_eq!(at("anthropic.claude-sonnet-4"), None);
    assert_eq!(EmbeddingsFormat::at(ProviderType::Anthropic, "", "m"), None);
    let ollama = |base| EmbeddingsFormat::at(ProviderType::Ollama, base, "m");
    assert_eq!(ollama("http://o:11434"), Some(EmbeddingsFormat::Ollama));
    assert_eq!(ollama("http://o:11434/v1"), Some(EmbeddingsFormat::OpenAi));
}

#[test]
fn an_answer_is_written_as_the_caller_asked() {
    let answer = br#"{"embeddings": [ {"values": [ 0.5, -1e-3 ]}, {"values": [2, 0.1234567890123]} ]}"#;
    let caller = request(TWO).caller("embed");
    let written = translate_reply(EmbeddingsFormat::Gemini, answer, Some(4), &caller).unwrap();
    assert_eq!(
        written.body,
        concat!(
            r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1e-3]},"#,
            r#"{"object":"embedding","index":1,"embedding":[2,0.1234567890123]}],"#,
            r#""model":"embed","usage":{"prompt_tokens":4,"total_tokens":4}}"#
        )
    );
    let base64 = EmbeddingsCaller { base64: true, ..caller.clone() };
    let written = translate_reply(EmbeddingsFormat::Gemini, answer, None, &base64).unwrap();
    assert_eq!(written.usage, None);
    // 0.5 is 0x3f000000, 2 is 0x40000000.
    assert!(body(&written.body)["data"][0]["embedding"].as_str().unwrap().starts_with("AAAAP"));
    assert!(body(&written.body)["data"][1]["embedding"].as_str().unwrap().starts_with("AAAAQ"));
    let three = EmbeddingsCaller { inputs: 3, ..caller.clone() };
    assert!(translate_reply(EmbeddingsFormat::Gemini, answer, None, &three).is_err());
    for garbage in [
        "{}",
        r#"{"embeddings":[{"values":"x"},{"values":[1]}]}"#,
        r#"{"embeddings":[{"values":[null]},{"values":[1]}]}"#,
    ] {
        assert!(
            translate_reply(EmbeddingsFormat::Gemini, garbage.as_bytes(), None, &caller).is_err(),
            "{garbage}"
        );
    }
}

#[test]
fn floats_become_base64_for_a_caller_who_wants_it() {
    let answer = Bytes::from_static(
        br#"{"object":"list","data":[{"object":"embedding","embedding":[0.5],"index":0},{"embedding":"AAAA"}],"model":"up","provider":"X","usage":{"prompt_tokens":2,"total_tokens":2,"cost":1}}"#,
    );
    let asked = request(r#"{"model":"alias","input":"a","encoding_format":"base64"}"#);
    let written = rewrite_reply(&answer, &asked.caller("alias")).unwrap();
    assert_eq!(
        written.body,
        r#"{"object":"list","data":[{"object":"embedding","embedding":"AAAAPw==","index":0},{"embedding":"AAAA"}],"model":"alias","usage":{"prompt_tokens":2,"total_tokens":2}}"#
    );
    assert_eq!(written.usage.map(|usage| (usage.prompt(), usage.total())), Some((2, 2)));
    let floats = request(r#"{"model":"alias","input":"a"}"#).caller("up");
    let floats = EmbeddingsCaller { reveal_provider: true, ..floats };
    assert_eq!(rewrite_reply(&answer, &floats).unwrap().body, answer);
    assert!(rewrite_reply(&Bytes::from_static(b"{}"), &floats).is_err());
}
