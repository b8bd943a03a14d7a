//! What a call needs of a model, in the words of the catalogue. It is found out only when a chain goes on to another model.

use breakwater_common::resource::eligible::Needs;

use crate::Format;
use crate::ir::{Block, Media, Request, ResponseFormat};
use crate::pass::ClientRequest;
use crate::translate;

/// Returns what a call needs; the tokens are those of the answer, as asked. A call that the form between cannot say needs
/// nothing that we know: only providers of its own format are sent it, and they will say.
#[must_use]
pub fn of(request: &ClientRequest) -> Needs {
    match request.format() {
        Format::Embeddings => Needs { capabilities: vec!["embeddings"], tokens: 0 },
        Format::Moderations | Format::CountTokens => Needs::default(),
        Format::Chat
        | Format::Responses
        | Format::Messages
        | Format::Gemini
        | Format::Converse
        | Format::Ollama
        | Format::Completions => translate::read_request(request.format(), request.body())
            .map(|read| of_read(&read))
            .unwrap_or_default(),
    }
}

fn of_read(request: &Request) -> Needs {
    let mut capabilities = Vec::new();
    let mut need = |word| {
        if !capabilities.contains(&word) {
            capabilities.push(word);
        }
    };
    if !request.tools.is_empty() {
        need("tools");
    }
    if matches!(request.response_format, Some(ResponseFormat::JsonSchema { .. })) {
        need("json_schema");
    }
    for block in request.turns.iter().flat_map(|turn| &turn.blocks) {
        of_block(block, &mut need);
    }
    Needs { capabilities, tokens: request.max_tokens.unwrap_or_default() }
}

fn of_block(block: &Block, need: &mut impl FnMut(&'static str)) {
    match block {
        Block::Media { media: Media::Image, .. } => need("vision"),
        Block::Media { media: Media::Audio, .. } => need("audio"),
        Block::Media { media: Media::Document, .. } => need("documents"),
        Block::ToolUse { .. } => need("tools"),
        // The results of tools hold no results of tools: the recursion ends there.
        Block::ToolResult { content, .. } => {
            need("tools");
            for inner in content.iter().filter(|inner| matches!(inner, Block::Media { .. })) {
                of_block(inner, need);
            }
        }
        // The catalogue has no word for films.
        Block::Media { media: Media::Video, .. }
        | Block::Text { .. }
        | Block::Thinking { .. }
        | Block::RedactedThinking { .. }
        | Block::Refusal { .. }
        | Block::Foreign { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;
    use crate::exchange;
    use crate::pass::Asked;

    fn check(format: Format, body: &Value, capabilities: &[&str], tokens: u64) {
        let asked = Asked { format, model: Some("m".to_owned()), stream: None };
        let request = exchange::parse(asked, &Bytes::from(body.to_string())).unwrap();
        let needs = of(&request);
        assert_eq!((needs.capabilities.as_slice(), needs.tokens), (capabilities, tokens), "{body}");
    }

    #[test]
    fn a_call_needs_what_it_holds_and_asks_whatever_its_format() {
        let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}});
        let turn = |content: Value| json!([{"role": "user", "content": content}]);
        check(Format::Chat, &json!({"messages": turn(json!("hi"))}), &[], 0);
        check(
            Format::Chat,
            &json!({
                "messages": turn(json!([image, image])), "max_tokens": 9,
                "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
                "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
            }),
            &["tools", "json_schema", "vision"],
            9,
        );
        let sound = json!([{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]);
        check(Format::Chat, &json!({"messages": turn(sound)}), &["audio"], 0);
        let source = json!({"type": "base64", "media_type": "application/pdf", "data": "AA=="});
        let document = json!([{"type": "document", "source": source}]);
        check(Format::Messages, &json!({"messages": turn(document), "max_tokens": 7}), &["documents"], 7);
        let part = json!({"inlineData": {"mimeType": "image/png", "data": "AA=="}});
        check(Format::Gemini, &json!({"contents": [{"role": "user", "parts": [part]}]}), &["vision"], 0);
        check(Format::Embeddings, &json!({"input": "hi"}), &["embeddings"], 0);
    }
}
