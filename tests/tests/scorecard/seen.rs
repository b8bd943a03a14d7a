//! What a caller saw of an answer, in its own format.

use breakwater_tests::caller::Answer;
use serde_json::Value;

use super::play::Client;

/// What a caller saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The status.
    pub status: u16,
    /// `code` of an error, or its `type` where the format has no codes; also that of an error event.
    pub code: String,
    /// The text.
    pub text: String,
    /// Arguments of the tool calls, whole.
    pub calls: Vec<String>,
    /// Why the model stopped.
    pub finish: String,
    /// The marker of the end came.
    pub marked: bool,
    /// The seconds of `Retry-After`.
    pub retry_after: Option<u64>,
}

impl Seen {
    /// Reads an answer.
    pub fn of(client: Client, stream: bool, answer: &Answer) -> Self {
        let retry_after =
            answer.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let mut seen = Self { status: answer.status.as_u16(), retry_after, ..Self::default() };
        if seen.status != 200 {
            seen.error(&answer.json());
        } else if !stream {
            seen.whole(client, &answer.json());
        } else {
            for line in answer.text().lines() {
                let Some(data) = line.strip_prefix("data:").map(str::trim) else { continue };
                match (serde_json::from_str::<Value>(data), data) {
                    (Ok(event), _) => seen.event(client, &event),
                    (Err(_), "[DONE]") => seen.marked = true,
                    (Err(error), _) => panic!("a caller got what is no event: {error}: {data}"),
                }
            }
        }
        seen
    }

    /// Whether it looks like an answer that is all there.
    pub fn looks_whole(&self, stream: bool) -> bool {
        self.status == 200 && self.code.is_empty() && (self.marked || !stream)
    }

    fn error(&mut self, body: &Value) {
        let error = &body["error"];
        let code = error["code"].as_str().or_else(|| error["type"].as_str());
        self.code = code.unwrap_or("?").to_owned();
    }

    fn whole(&mut self, client: Client, body: &Value) {
        match client {
            Client::Chat => {
                let choice = &body["choices"][0];
                self.text.push_str(choice["message"]["content"].as_str().unwrap_or_default());
                let calls = choice["message"]["tool_calls"].as_array().into_iter().flatten();
                self.calls.extend(
                    calls.filter_map(|call| call["function"]["arguments"].as_str().map(str::to_owned)),
                );
                self.finish = choice["finish_reason"].as_str().unwrap_or_default().to_owned();
            }
            Client::Messages => {
                for block in body["content"].as_array().into_iter().flatten() {
                    self.text.push_str(block["text"].as_str().unwrap_or_default());
                    self.calls.extend((block["type"] == "tool_use").then(|| block["input"].to_string()));
                }
                self.finish = body["stop_reason"].as_str().unwrap_or_default().to_owned();
            }
        }
    }

    fn event(&mut self, client: Client, event: &Value) {
        if event["error"].is_object() {
            return self.error(event);
        }
        match client {
            Client::Chat => {
                let choice = &event["choices"][0];
                self.text.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
                for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
                    self.arguments(&call["index"], call["function"]["arguments"].as_str());
                }
                if let Some(finish) = choice["finish_reason"].as_str() {
                    finish.clone_into(&mut self.finish);
                }
            }
            Client::Messages => {
                let delta = &event["delta"];
                self.text.push_str(delta["text"].as_str().unwrap_or_default());
                self.arguments(&event["index"], delta["partial_json"].as_str());
                if let Some(finish) = delta["stop_reason"].as_str() {
                    finish.clone_into(&mut self.finish);
                }
                self.marked |= event["type"] == "message_stop";
            }
        }
    }

    fn arguments(&mut self, index: &Value, piece: Option<&str>) {
        let (Some(at), Some(piece)) = (index.as_u64().and_then(|at| usize::try_from(at).ok()), piece) else {
            return;
        };
        if self.calls.len() <= at {
            self.calls.resize(at + 1, String::new());
        }
        self.calls[at].push_str(piece);
    }
}
