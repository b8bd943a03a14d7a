//! A call: read once, and its texts judged.

use std::borrow::Cow;
use std::ops::Range;

use breakwater_common::guard::{CompiledGuards, Evaluation, Side};
use breakwater_common::resource::Action;
use bytes::Bytes;

use super::EmbeddingsCaller;
use crate::json::{self, Place};
use crate::pass::{BadRequest, Inspection};

/// A call for embeddings, read once. It keeps the body and the places that may change.
#[derive(Debug)]
pub struct EmbeddingsRequest {
    pub(super) body: Bytes,
    pub(super) model: String,
    pub(super) model_at: Range<usize>,
    pub(super) inputs: Vec<Input>,
    pub(super) texts: Vec<Text>,
    base64: bool,
}

/// One thing to embed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// The text of that number.
    Text(usize),
    /// Numbers of tokens.
    Tokens,
    /// Something that only its vendor knows.
    Other,
}

/// One text of the input.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) at: Range<usize>,
    pub(super) text: String,
}

fn bad(param: &str, what: &str) -> BadRequest {
    BadRequest { param: Some(param.to_owned()), message: format!("{param}: {what}") }
}

impl EmbeddingsRequest {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// Invalid UTF-8, JSON that is cut or wrong, a model or an input that is missing, twice there or of the wrong type.
    pub fn parse(body: &Bytes) -> Result<Self, BadRequest> {
        let text = json::check(body).map_err(|error| BadRequest {
            param: None,
            message: format!("the body is not JSON that can be read: {error}"),
        })?;
        let root = Place::root(text);
        if !root.is_object() {
            return Err(BadRequest { param: None, message: "the body is not a JSON object".to_owned() });
        }
        let model_place = once(root, "model")?.ok_or_else(|| bad("model", "is missing"))?;
        let model = model_place.as_str().filter(|model| !model.is_empty());
        let model = model.ok_or_else(|| bad("model", "must be a text that is not empty"))?;
        let encoding = once(root, "encoding_format")?.filter(|place| !place.is_null());
        if encoding.is_some_and(|place| !place.is_string()) {
            return Err(bad("encoding_format", "must be a text"));
        }
        let mut request = Self {
            body: body.clone(),
            model: model.into_owned(),
            model_at: model_place.range(),
            inputs: Vec::new(),
            texts: Vec::new(),
            base64: encoding.and_then(|place| place.as_str()).as_deref() == Some("base64"),
        };
        request.read_input(once(root, "input")?.ok_or_else(|| bad("input", "is missing"))?)?;
        Ok(request)
    }

    fn read_input(&mut self, input: Place<'_>) -> Result<(), BadRequest> {
        if input.is_string() {
            self.add(input);
            return Ok(());
        }
        if !input.is_array() {
            return Err(bad("input", "must be a text or an array"));
        }
        let mut elements = input.elements();
        // Numbers alone are the tokens of one input.
        if elements.next().is_some_and(|first| is_number(&first)) {
            if !elements.all(|element| is_number(&element)) {
                return Err(bad("input", "must be all texts or all tokens"));
            }
            self.inputs.push(Input::Tokens);
            return Ok(());
        }
        for element in input.elements() {
            if is_number(&element) {
                return Err(bad("input", "must be all texts or all tokens"));
            }
            self.add(element);
        }
        Ok(())
    }

    fn add(&mut self, element: Place<'_>) {
        if element.is_string() {
            self.inputs.push(Input::Text(self.texts.len()));
        } else if element.is_array() && element.elements().all(|token| is_number(&token)) {
            self.inputs.push(Input::Tokens);
        } else {
            self.inputs.push(Input::Other);
        }
        self.add_texts(element);
    }

    /// Adds every string of a value. JSON that was checked is not deeper than `serde_json` goes, which is 128.
    fn add_texts(&mut self, place: Place<'_>) {
        if let Some(text) = place.as_str() {
            // An image written into its URL is no text; an input that is a text is one, whatever it begins with.
            let input = self.inputs.last() == Some(&Input::Text(self.texts.len()));
            if input || !text.starts_with("data:") {
                self.texts.push(Text { at: place.range(), text: text.into_owned() });
            }
            return;
        }
        place.members().for_each(|member| self.add_texts(member.value));
        place.elements().filter(|element| !is_number(element)).for_each(|element| self.add_texts(element));
    }

    /// Returns what the caller put in `model`.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Returns how many vectors the caller gets.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs.len()
    }

    /// Whether some of the input is numbers of tokens, which no guardrail can read.
    #[must_use]
    pub fn has_tokens(&self) -> bool {
        self.inputs.contains(&Input::Tokens)
    }

    /// Returns every text of the input, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|text| text.text.as_str())
    }

    /// Judges every text of the input by the guardrails of the input side.
    pub fn inspect(&self, guards: &CompiledGuards) -> Inspection {
        let mut inspection =
            Inspection { action: Action::Allow, redactions: Vec::new(), findings: Vec::new() };
        if !guards.inspects(Side::Input) {
            return inspection;
        }
        for (index, text) in self.texts().enumerate() {
            let Evaluation { action, redacted, findings } = guards.evaluate(Side::Input, text);
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

    /// Returns what the answer's writer must know of the call. The caller sees `alias` as the model.
    #[must_use]
    pub fn caller(&self, alias: &str) -> EmbeddingsCaller {
        EmbeddingsCaller {
            alias: alias.to_owned(),
            base64: self.base64,
            inputs: self.inputs.len(),
            reveal_provider: false,
        }
    }

    /// Returns the texts with redactions in their places.
    pub(super) fn redacted<'a>(&'a self, redactions: &'a [(usize, String)]) -> Vec<Cow<'a, str>> {
        let mut texts: Vec<Cow<'a, str>> = self.texts().map(Cow::Borrowed).collect();
        for (index, with) in redactions {
            if let Some(text) = texts.get_mut(*index) {
                *text = Cow::Borrowed(with);
            }
        }
        texts
    }
}

fn is_number(place: &Place<'_>) -> bool {
    place.source().starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

/// Returns a member that stands there at most once.
fn once<'a>(root: Place<'a>, key: &str) -> Result<Option<Place<'a>>, BadRequest> {
    let mut found = root.members().filter(|member| member.key == key).map(|member| member.value);
    let first = found.next();
    if found.next().is_some() { Err(bad(key, "stands twice; write it once")) } else { Ok(first) }
}
