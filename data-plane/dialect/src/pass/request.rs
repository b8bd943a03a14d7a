//! A call: read once, and written for an upstream by replacing bytes in place, so that the order of keys, and with it the
//! upstream's prompt cache, stays what it was.

use std::ops::Range;

use breakwater_common::guard::{CompiledGuards, Evaluation, Finding, Side};
use breakwater_common::resource::Action;
use bytes::Bytes;

use super::Members;
use super::texts::{self, Kind};
use crate::Format;
use crate::json::{self, Edits, Member, Place};

/// How Google's names of models begin.
const MODELS: &str = "models/";

/// What the way to a call says of it, beside its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The format of the path.
    pub format: Format,
    /// The model in the path, which wins over the body's: Azure's deployment, Gemini, Bedrock.
    pub model: Option<String>,
    /// Whether the path asks for a stream, where the path says it (Gemini, Bedrock).
    pub stream: Option<bool>,
}

/// A call, read once. It keeps the body and the places that may change.
#[derive(Debug)]
pub struct ClientRequest {
    asked: Asked,
    body: Bytes,
    model: String,
    /// Where the body says the model. If it does not, `model_into` is where it would have to.
    model_at: Option<Range<usize>>,
    model_into: usize,
    stream: bool,
    asked_usage: bool,
    /// What makes the upstream say its usage; none if the body asks already, does not stream or the format always says it.
    usage_edit: Option<(Range<usize>, String)>,
    texts: Vec<Text>,
}

/// One text of the messages.
#[derive(Debug)]
struct Text {
    at: Range<usize>,
    text: String,
    kind: Kind,
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
    /// Whether it says that this field is not there.
    #[must_use]
    pub fn is_missing(&self, field: &str) -> bool {
        self.param.as_deref() == Some(field) && self.message.ends_with(MISSING)
    }

    fn at(param: impl Into<String>, what: &str) -> Self {
        let param = param.into();
        Self { message: format!("{param}: {what}"), param: Some(param) }
    }
}

/// What is said of a field that is not there.
const MISSING: &str = "is missing";

/// What input guardrails say about a call.
#[derive(Debug)]
#[must_use]
pub struct Inspection {
    /// The strongest action that is enforced.
    pub action: Action,
    /// Texts to put in place, for [`ClientRequest::rewrite`].
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
    stream: Option<Place<'a>>,
    stream_options: Option<Place<'a>>,
    /// In the order of [`Members::texts`].
    texts: Vec<(&'static str, Place<'a>)>,
}

impl<'a> Head<'a> {
    fn read(body: Vec<Member<'a>>, members: &Members) -> Result<Self, BadRequest> {
        let mut head = Self::default();
        let mut texts: Vec<(usize, Place<'a>)> = Vec::new();
        for Member { key, value, .. } in body {
            members.check_case(&key)?;
            let twice = match &*key {
                "model" => head.model.replace(value).is_some(),
                "stream" => head.stream.replace(value).is_some(),
                "stream_options" => head.stream_options.replace(value).is_some(),
                _ => match members.texts.iter().position(|name| *name == key) {
                    Some(at) => {
                        let twice = texts.iter().any(|(other, _)| *other == at);
                        texts.push((at, value));
                        twice
                    }
                    None => false,
                },
            };
            if twice {
                return Err(BadRequest::at(key, "stands twice; write it once"));
            }
        }
        texts.sort_by_key(|(at, _)| *at);
        let named = texts.into_iter().filter_map(|(at, place)| Some((*members.texts.get(at)?, place)));
        head.texts = named.collect();
        Ok(head)
    }
}

impl Members {
    /// Refuses a member that is read here but for the case of its letters: some providers take it for that one (Go's
    /// `encoding/json` folds case, and takes the last of several), and nobody here would have read it.
    fn check_case(&self, key: &str) -> Result<(), BadRequest> {
        let fold = |c| match c {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            c => char::to_ascii_lowercase(&c),
        };
        let alike = |name: &&&str| key != **name && key.chars().map(fold).eq(name.chars().map(fold));
        match ["model", "stream", "stream_options"].iter().chain(self.texts).find(alike) {
            Some(name) => Err(BadRequest::at(key, &format!("is written `{name}`"))),
            None => Ok(()),
        }
    }
}

impl ClientRequest {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// Invalid UTF-8, JSON that is cut or wrong, a field that is missing, twice there or of the wrong type.
    pub(crate) fn parse(asked: Asked, members: &Members, body: &Bytes) -> Result<Self, BadRequest> {
        let (root, body_members) = json::check_members(body).map_err(|error| BadRequest {
            param: None,
            message: format!("the body is not JSON that can be read: {error}"),
        })?;
        if !root.is_object() {
            return Err(BadRequest { param: None, message: "the body is not a JSON object".to_owned() });
        }
        let head = Head::read(body_members, members)?;
        let model = match &asked.model {
            Some(model) => model.clone(),
            None => model(head.model)?,
        };
        let stream = match (asked.stream, head.stream) {
            (Some(stream), _) => stream,
            (None, None) => false,
            (None, Some(place)) if place.is_null() => false,
            (None, Some(place)) => {
                place.as_bool().ok_or_else(|| BadRequest::at("stream", "must be true or false"))?
            }
        };
        let (asked_usage, usage_edit) =
            if members.stream_options { usage(head.stream, head.stream_options)? } else { (true, None) };
        Ok(Self {
            asked,
            body: body.clone(),
            model,
            model_at: head.model.map(|model| model.range()),
            model_into: root.range().start + 1,
            stream,
            asked_usage: stream && asked_usage,
            usage_edit: usage_edit.filter(|_| stream),
            texts: read_texts(&head, members)?,
        })
    }

    /// Returns the format in which the caller asks.
    #[must_use]
    pub fn format(&self) -> Format {
        self.asked.format
    }

    /// Returns what the caller put in `model`.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Whether the body itself says the model.
    #[must_use]
    pub fn says_model(&self) -> bool {
        self.model_at.is_some()
    }

    /// Whether the caller wants a stream.
    #[must_use]
    pub fn stream(&self) -> bool {
        self.stream
    }

    /// Whether the caller asked for `stream_options.include_usage`, or the format always says usage.
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
            let Evaluation { action, redacted, findings } = text.kind.judge(guards, Side::Input, &text.text);
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

    /// Writes the body for an upstream of the same format: its model's name, the redacted texts, `stream_options.include_usage`
    /// if it streams, and what a vendor needs otherwise (`quirks`, which must not touch these). Everything else is byte for
    /// byte what came.
    #[must_use]
    pub fn rewrite(&self, upstream_model: &str, redactions: &[(usize, String)], quirks: Edits) -> Bytes {
        let mut edits = quirks;
        let in_body = !matches!(self.asked.format, Format::Gemini | Format::Converse);
        match &self.model_at {
            Some(at) if upstream_model != self.model || self.asked.model.is_some() => {
                // Google's own clients repeat the path's model in the body, by its whole name.
                let whole_name =
                    !in_body && self.body().get(at.start + 1..).is_some_and(|name| name.starts_with(MODELS));
                let prefix = if whole_name && !upstream_model.contains('/') { MODELS } else { "" };
                edits.replace(at.clone(), json::quote(&format!("{prefix}{upstream_model}")));
            }
            None if in_body => {
                let empty = Place::root(self.body()).members().next().is_none();
                let comma = if empty { "" } else { "," };
                let member = format!("\"model\":{}{comma}", json::quote(upstream_model));
                edits.replace(self.model_into..self.model_into, member);
            }
            Some(_) | None => {}
        }
        if let Some((at, with)) = &self.usage_edit {
            edits.replace_once(at.clone(), with.as_str());
        }
        self.redact(redactions, edits)
    }

    /// Writes the caller's own body with the redacted texts, for translation.
    #[must_use]
    pub fn redacted(&self, redactions: &[(usize, String)]) -> Bytes {
        self.redact(redactions, Edits::default())
    }

    /// Returns the caller's body as text.
    #[must_use]
    pub fn body(&self) -> &str {
        // The body was checked when it was read.
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    fn redact(&self, redactions: &[(usize, String)], mut edits: Edits) -> Bytes {
        for (index, with) in redactions {
            if let Some(text) = self.texts.get(*index) {
                edits.replace(text.at.clone(), text.kind.written(with));
            }
        }
        if edits.is_empty() { self.body.clone() } else { Bytes::from(edits.apply(self.body())) }
    }
}

fn model(place: Option<Place<'_>>) -> Result<String, BadRequest> {
    let place = place.ok_or_else(|| BadRequest::at("model", MISSING))?;
    let model = place.as_str().filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| BadRequest::at("model", "must be a text that is not empty"))?;
    Ok(model.into_owned())
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

/// Reads the texts of all members that have some.
fn read_texts(head: &Head<'_>, members: &Members) -> Result<Vec<Text>, BadRequest> {
    let there = |name: &&str| head.texts.iter().any(|(there, _)| there == name);
    if let Some(first) = members.required.first()
        && !members.required.iter().any(there)
    {
        return Err(BadRequest::at(*first, "is missing"));
    }
    let mut read = Vec::new();
    for (name, place) in &head.texts {
        if members.turns.contains(name) && !place.is_array() {
            return Err(BadRequest::at(*name, "must be an array"));
        }
        if !place.is_array() {
            add_texts(*place, name, &mut read)?;
        }
        for (index, element) in place.elements().enumerate() {
            let param = format!("{name}[{index}]");
            if members.turns.contains(name) && !element.is_object() {
                return Err(BadRequest::at(param, "must be an object"));
            }
            if element.members().filter(|member| member.key == "content").count() > 1 {
                return Err(BadRequest::at(format!("{param}.content"), "stands twice; write it once"));
            }
            add_texts(element, &param, &mut read)?;
        }
    }
    Ok(read)
}

fn add_texts(place: Place<'_>, param: &str, read: &mut Vec<Text>) -> Result<(), BadRequest> {
    let found = texts::find(place).map_err(|_| BadRequest::at(param, "is nested too deep"))?;
    let texts = found.into_iter();
    read.extend(texts.map(|found| Text { at: found.place.range(), text: found.text, kind: found.kind }));
    Ok(())
}
