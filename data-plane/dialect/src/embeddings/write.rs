//! A call, written for a provider.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;

use super::EmbeddingsFormat;
use super::request::{EmbeddingsRequest, Input};
use crate::ir::{Dropped, Refused, is_harmless};
use crate::json::{self, Edits, Place};

/// A request for a provider.
#[derive(Debug)]
pub struct EmbeddingsWritten {
    /// Its body.
    pub body: Bytes,
    /// What was left out.
    pub dropped: Vec<Dropped>,
}

/// What is said beside the texts.
#[derive(Debug, Default)]
struct Said<'a> {
    dimensions: Option<u64>,
    /// Cohere's word for what the vectors are for. OpenAI has none; a caller who knows the provider may say it.
    input_type: Option<Cow<'a, str>>,
    dropped: Vec<Dropped>,
}

impl EmbeddingsRequest {
    /// Writes the body for a provider of the same format: its model's name and the redacted texts. Everything else is byte
    /// for byte what came.
    #[must_use]
    pub fn rewrite(&self, upstream_model: &str, redactions: &[(usize, String)]) -> Bytes {
        self.apply(&self.edits(upstream_model, redactions))
    }

    /// Writes the body for a provider of any format.
    ///
    /// # Errors
    ///
    /// It holds what the provider's format cannot say: tokens, several inputs, something that only its vendor knows.
    pub fn write(
        &self,
        format: EmbeddingsFormat,
        upstream_model: &str,
        redactions: &[(usize, String)],
    ) -> Result<EmbeddingsWritten, Refused> {
        match format {
            EmbeddingsFormat::OpenAi => {
                let body = self.rewrite(upstream_model, redactions);
                return Ok(EmbeddingsWritten { body, dropped: Vec::new() });
            }
            EmbeddingsFormat::Mistral => return Ok(self.for_mistral(upstream_model, redactions)),
            EmbeddingsFormat::Gemini
            | EmbeddingsFormat::Ollama
            | EmbeddingsFormat::Titan
            | EmbeddingsFormat::Nova
            | EmbeddingsFormat::Cohere => {}
        }
        if let Some(param) = self.not_text() {
            return Err(Refused {
                param,
                reason: "must be a text for this model: its provider takes nothing else".to_owned(),
            });
        }
        let said = self.said(format)?;
        let texts = self.redacted(redactions);
        let body = match format {
            EmbeddingsFormat::Gemini => json_of(&gemini(upstream_model, &texts, said.dimensions)),
            EmbeddingsFormat::Ollama => {
                json_of(&Ollama { model: upstream_model, input: &texts, dimensions: said.dimensions })
            }
            EmbeddingsFormat::Titan => {
                // The first version has one size.
                if said.dimensions.is_some() && upstream_model.contains("titan-embed-text-v1") {
                    return Err(Refused::no_equivalent("dimensions"));
                }
                json_of(&Titan { input_text: one(&texts)?, dimensions: said.dimensions })
            }
            EmbeddingsFormat::Nova => json_of(&nova(one(&texts)?, said.dimensions)),
            EmbeddingsFormat::Cohere => {
                // Only the fourth has sizes to choose from.
                if said.dimensions.is_some() && upstream_model.contains("-v3") {
                    return Err(Refused::no_equivalent("dimensions"));
                }
                // Cohere demands the purpose; documents are what most callers embed, and all that some do.
                let input_type = said.input_type.as_deref().unwrap_or("search_document");
                json_of(&Cohere { texts: &texts, input_type, output_dimension: said.dimensions })
            }
            EmbeddingsFormat::OpenAi | EmbeddingsFormat::Mistral => None,
        };
        let body = body.ok_or_else(|| Refused::no_equivalent("input"))?;
        Ok(EmbeddingsWritten { body: body.into(), dropped: said.dropped })
    }

    fn edits(&self, upstream_model: &str, redactions: &[(usize, String)]) -> Edits {
        let mut edits = Edits::default();
        if upstream_model != self.model {
            edits.replace(self.model_at.clone(), json::quote(upstream_model));
        }
        for (index, with) in redactions {
            if let Some(text) = self.texts.get(*index) {
                edits.replace(text.at.clone(), json::quote(with));
            }
        }
        edits
    }

    fn apply(&self, edits: &Edits) -> Bytes {
        match self.checked() {
            Some(text) if !edits.is_empty() => Bytes::from(edits.apply(text)),
            Some(_) | None => self.body.clone(),
        }
    }

    /// Returns the body. It was checked when it was read.
    fn checked(&self) -> Option<&str> {
        std::str::from_utf8(&self.body).ok()
    }

    /// Mistral calls the size otherwise, and knows no user (source: mistralai 3.7.0, `EmbeddingRequest`); it refuses
    /// members that it does not know.
    fn for_mistral(&self, upstream_model: &str, redactions: &[(usize, String)]) -> EmbeddingsWritten {
        let mut edits = self.edits(upstream_model, redactions);
        let mut dropped = Vec::new();
        let root = self.checked().map(Place::root);
        for member in root.into_iter().flat_map(|root| root.members()) {
            if member.key == "dimensions" {
                edits.replace(member.key_start..member.value.range().start, "\"output_dimension\":");
            }
            if member.key == "user" {
                dropped.push("user".to_owned());
            }
        }
        if let Some(root) = root {
            edits.remove_members(&root, |member| member.key == "user");
        }
        EmbeddingsWritten { body: self.apply(&edits), dropped }
    }

    /// Returns the name of the first input that is no text.
    fn not_text(&self) -> Option<String> {
        let at = self.inputs.iter().position(|input| !matches!(input, Input::Text(_)))?;
        Some(if self.inputs.len() == 1 { "input".to_owned() } else { format!("input[{at}]") })
    }

    /// Reads what stands beside the texts, for a provider of another format.
    fn said(&self, format: EmbeddingsFormat) -> Result<Said<'_>, Refused> {
        let mut said = Said::default();
        let root = self.checked().map(Place::root);
        for member in root.into_iter().flat_map(|root| root.members()) {
            let value = member.value;
            let wrong = |reason: &str| Refused { param: member.key.to_string(), reason: reason.to_owned() };
            match &*member.key {
                "model" | "input" => {}
                _ if value.is_null() => {}
                "dimensions" => {
                    let count = value.source().parse().ok().filter(|count: &u64| *count > 0);
                    said.dimensions = Some(count.ok_or_else(|| wrong("must be a whole number above 0"))?);
                }
                "encoding_format" => {
                    if !matches!(value.as_str().as_deref(), Some("float" | "base64")) {
                        return Err(wrong("must be float or base64 for this model"));
                    }
                }
                "input_type" if format == EmbeddingsFormat::Cohere => {
                    said.input_type = Some(value.as_str().ok_or_else(|| wrong("must be a text"))?);
                }
                "user" => said.dropped.push("user".to_owned()),
                name if is_harmless(name) => said.dropped.push(name.to_owned()),
                name => return Err(Refused::no_equivalent(name)),
            }
        }
        Ok(said)
    }
}

fn one<'a>(texts: &'a [Cow<'a, str>]) -> Result<&'a str, Refused> {
    match texts {
        [text] => Ok(text),
        _ => Err(Refused {
            param: "input".to_owned(),
            reason: "must be one text for this model: its provider embeds one a call".to_owned(),
        }),
    }
}

/// Texts and numbers can always be written.
fn json_of(body: &impl Serialize) -> Option<String> {
    serde_json::to_string(body).ok()
}

#[derive(Debug, Serialize)]
struct Gemini<'a> {
    requests: Vec<GeminiOne<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiOne<'a> {
    model: String,
    content: GeminiContent<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<u64>,
}

#[derive(Debug, Serialize)]
struct GeminiContent<'a> {
    parts: [GeminiPart<'a>; 1],
}

#[derive(Debug, Serialize)]
struct GeminiPart<'a> {
    text: &'a str,
}

fn gemini<'a>(model: &str, texts: &'a [Cow<'a, str>], dimensions: Option<u64>) -> Gemini<'a> {
    let model = if model.starts_with("models/") { model.to_owned() } else { format!("models/{model}") };
    let one = |text| GeminiOne {
        model: model.clone(),
        content: GeminiContent { parts: [GeminiPart { text }] },
        output_dimensionality: dimensions,
    };
    Gemini { requests: texts.iter().map(|text| one(text)).collect() }
}

#[derive(Debug, Serialize)]
struct Ollama<'a> {
    model: &'a str,
    input: &'a [Cow<'a, str>],
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Titan<'a> {
    input_text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Nova<'a> {
    task_type: &'static str,
    single_embedding_params: NovaParams<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NovaParams<'a> {
    embedding_purpose: &'static str,
    text: NovaText<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding_dimension: Option<u64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NovaText<'a> {
    /// A text that is too long is refused, as OpenAI does it.
    truncation_mode: &'static str,
    value: &'a str,
}

fn nova(value: &str, dimensions: Option<u64>) -> Nova<'_> {
    Nova {
        task_type: "SINGLE_EMBEDDING",
        single_embedding_params: NovaParams {
            embedding_purpose: "GENERIC_INDEX",
            text: NovaText { truncation_mode: "NONE", value },
            embedding_dimension: dimensions,
        },
    }
}

#[derive(Debug, Serialize)]
struct Cohere<'a> {
    texts: &'a [Cow<'a, str>],
    input_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<u64>,
}
