//! A call: read once, and written for an upstream by replacing bytes in place, so that the order of keys, and with it the
//! upstream's prompt cache, stays what it was.

use std::ops::Range;

use breakwater_common::guard::{CompiledGuards, Evaluation, Finding, Side};
use breakwater_common::resource::Action;
use bytes::Bytes;

use super::texts;
use crate::json::{self, Edits, Member, Place};

/// A call, read once. It keeps the body and the places that may change.
#[derive(Debug)]
pub struct ChatRequest {
    body: Bytes,
    model: String,
    model_at: Range<usize>,
    stream: bool,
    asked_usage: bool,
    /// What makes the upstream say its usage; none if the body asks already or does not stream.
    usage_edit: Option<(Range<usize>, String)>,
    texts: Vec<Text>,
}

/// One text of the messages.
#[derive(Debug)]
struct Text {
    at: Range<usize>,
    text: String,
    /// It is JSON itself.
    arguments: bool,
}

/// Why a body is refused: said so that a person can mend it, in OpenAI's terms. Never carries text of the call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadRequest {
    /// The field that is wrong, such as `model` or `messages[3].content`; none if the body is not JSON.
    pub param: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl BadRequest {
    fn at(param: impl Into<String>, what: &str) -> Self {
        let param = param.into();
        Self { message: format!("{param}: {what}"), param: Some(param) }
    }
}

/// What input guardrails say about a call.
#[derive(Debug)]
#[must_use]
pub struct Inspection {
    /// The strongest action that is enforced.
    pub action: Action,
    /// Texts to put in place, for [`ChatRequest::rewrite`].
    pub redactions: Vec<(usize, String)>,
    /// Everything found, up to the first block.
    pub findings: Vec<Finding>,
}

impl Inspection {
    /// Returns the finding that blocks, if one does.
    #[must_use]
    pub fn block(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.enforced && finding.action == Action::Block)
    }
}

/// The members of a body that are read.
#[derive(Debug, Default)]
struct Head<'a> {
    model: Option<Place<'a>>,
    messages: Option<Place<'a>>,
    stream: Option<Place<'a>>,
    stream_options: Option<Place<'a>>,
    prediction: Option<Place<'a>>,
}

impl<'a> Head<'a> {
    fn read(root: Place<'a>) -> Result<Self, BadRequest> {
        let mut head = Self::default();
        for Member { key, value, .. } in root.members() {
            let slot = match &*key {
                "model" => &mut head.model,
                "messages" => &mut head.messages,
                "stream" => &mut head.stream,
                "stream_options" => &mut head.stream_options,
                "prediction" => &mut head.prediction,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(BadRequest::at(key, "stands twice; write it once"));
            }
        }
        Ok(head)
    }
}

impl ChatRequest {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// Invalid UTF-8, JSON that is cut or wrong, a field that is missing, twice there or of the wrong type.
    pub fn parse(body: &Bytes) -> Result<Self, BadRequest> {
        let text = json::check(body).map_err(|error| BadRequest {
            param: None,
            message: format!("the body is not JSON that can be read: {error}"),
        })?;
        let root = Place::root(text);
        if !root.is_object() {
            return Err(BadRequest { param: None, message: "the body is not a JSON object".to_owned() });
        }
        let head = Head::read(root)?;
        let model_place = head.model.ok_or_else(|| BadRequest::at("model", "is missing"))?;
        let model = model_place.as_str().filter(|model| !model.is_empty());
        let model = model.ok_or_else(|| BadRequest::at("model", "must be a text that is not empty"))?;
        let stream = match head.stream {
            None => false,
            Some(place) if place.is_null() => false,
            Some(place) => {
                place.as_bool().ok_or_else(|| BadRequest::at("stream", "must be true or false"))?
            }
        };
        let (asked_usage, usage_edit) = usage(head.stream, head.stream_options)?;
        Ok(Self {
            body: body.clone(),
            model: model.into_owned(),
            model_at: model_place.range(),
            stream,
            asked_usage: stream && asked_usage,
            usage_edit: usage_edit.filter(|_| stream),
            texts: read_texts(head.messages, head.prediction)?,
        })
    }

    /// Returns what the caller put in `model`.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Whether the caller wants a stream.
    #[must_use]
    pub fn stream(&self) -> bool {
        self.stream
    }

    /// Whether the caller asked for `stream_options.include_usage`.
    #[must_use]
    pub fn asked_usage(&self) -> bool {
        self.asked_usage
    }

    /// Returns every text of the messages, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|text| text.text.as_str())
    }

    /// Judges every text of the messages by the guardrails of the input side.
    pub fn inspect(&self, guards: &CompiledGuards) -> Inspection {
        let mut inspection =
            Inspection { action: Action::Allow, redactions: Vec::new(), findings: Vec::new() };
        if !guards.inspects(Side::Input) {
            return inspection;
        }
        for (index, text) in self.texts.iter().enumerate() {
            let judged = if text.arguments {
                guards.evaluate_json(Side::Input, &text.text)
            } else {
                guards.evaluate(Side::Input, &text.text)
            };
            let Evaluation { action, redacted, findings } = judged;
            for finding in findings {
                finding.add_to(&mut inspection.findings);
            }
            inspection.action = inspection.action.max(action);
            inspection.redactions.extend(redacted.map(|text| (index, text)));
            if action == Action::Block {
                break;
            }
        }
        inspection
    }

    /// Writes the body for an upstream: its model's name, the redacted texts, and `stream_options.include_usage` if it
    /// streams. Everything else is byte for byte what came.
    #[must_use]
    pub fn rewrite(&self, upstream_model: &str, redactions: &[(usize, String)]) -> Bytes {
        let mut edits = Edits::default();
        if upstream_model != self.model {
            edits.replace(self.model_at.clone(), json::quote(upstream_model));
        }
        if let Some((at, with)) = &self.usage_edit {
            edits.replace(at.clone(), with.as_str());
        }
        for (index, with) in redactions {
            if let Some(text) = self.texts.get(*index) {
                edits.replace(text.at.clone(), json::quote(with));
            }
        }
        match std::str::from_utf8(&self.body) {
            Ok(text) if !edits.is_empty() => Bytes::from(edits.apply(text)),
            // The body was checked when it was read.
            Ok(_) | Err(_) => self.body.clone(),
        }
    }
}

/// What makes a streaming upstream say its usage: a place and what goes there.
type UsageEdit = (Range<usize>, String);

/// Returns whether usage is asked for, and the edit that asks.
fn usage(
    stream: Option<Place<'_>>,
    options: Option<Place<'_>>,
) -> Result<(bool, Option<UsageEdit>), BadRequest> {
    const ASK: &str = "\"include_usage\":true";
    let Some(options) = options else {
        let edit = stream.map(|stream| {
            let end = stream.range().end;
            (end..end, format!(",\"stream_options\":{{{ASK}}}"))
        });
        return Ok((false, edit));
    };
    if options.is_null() {
        return Ok((false, Some((options.range(), format!("{{{ASK}}}")))));
    }
    if !options.is_object() {
        return Err(BadRequest::at("stream_options", "must be an object"));
    }
    let mut asks = options.members().filter(|member| member.key == "include_usage");
    let ask = asks.next();
    if asks.next().is_some() {
        return Err(BadRequest::at("stream_options.include_usage", "stands twice; write it once"));
    }
    match ask {
        None => {
            let inside = options.range().start + 1;
            let comma = if options.members().next().is_some() { "," } else { "" };
            Ok((false, Some((inside..inside, format!("{ASK}{comma}")))))
        }
        Some(Member { value, .. }) if value.as_bool() == Some(true) => Ok((true, None)),
        Some(Member { value, .. }) if value.is_null() || value.as_bool() == Some(false) => {
            Ok((false, Some((value.range(), "true".to_owned()))))
        }
        Some(_) => Err(BadRequest::at("stream_options.include_usage", "must be true or false")),
    }
}

/// Reads the texts of the messages and of a predicted output.
fn read_texts(messages: Option<Place<'_>>, prediction: Option<Place<'_>>) -> Result<Vec<Text>, BadRequest> {
    let messages = messages.ok_or_else(|| BadRequest::at("messages", "is missing"))?;
    if !messages.is_array() {
        return Err(BadRequest::at("messages", "must be an array"));
    }
    let mut read = Vec::new();
    for (index, message) in messages.elements().enumerate() {
        let param = format!("messages[{index}]");
        if !message.is_object() {
            return Err(BadRequest::at(param, "must be an object"));
        }
        if message.members().filter(|member| member.key == "content").count() > 1 {
            return Err(BadRequest::at(format!("{param}.content"), "stands twice; write it once"));
        }
        add_texts(message, &param, &mut read)?;
    }
    if let Some(prediction) = prediction {
        add_texts(prediction, "prediction", &mut read)?;
    }
    Ok(read)
}

fn add_texts(place: Place<'_>, param: &str, read: &mut Vec<Text>) -> Result<(), BadRequest> {
    let found = texts::find(place).map_err(|_| BadRequest::at(param, "is nested too deep"))?;
    read.extend(found.into_iter().map(|found| Text {
        at: found.place.range(),
        arguments: found.is_arguments(),
        text: found.text,
    }));
    Ok(())
}

#[cfg(test)]
mod tests;
