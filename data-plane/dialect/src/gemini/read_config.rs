//! Reads `generationConfig` and `toolConfig`.

use super::fields::{boolean, count, fields, items, number, object, source, text, whole, wrong};
use super::schema::json_schema;
use crate::ir::{Effort, Json, Reasoning, Refused, Request, ResponseFormat, ToolChoice};
use crate::json::Place;

/// What says the form of an answer, before it is known what belongs together.
#[derive(Default)]
struct Form {
    mime: Option<String>,
    openapi: Option<Json>,
    schema: Option<Json>,
}

pub(super) fn generation_config(config: Place<'_>, request: &mut Request) -> Result<(), Refused> {
    object(config, "generationConfig")?;
    let mut form = Form::default();
    let (mut logprobs, mut top) = (false, 0);
    for (key, value) in fields(config) {
        let at = format!("generationConfig.{key}");
        match &*key {
            "temperature" => request.temperature = Some(number(value, &at)?),
            "topP" => request.top_p = Some(number(value, &at)?),
            "topK" => request.top_k = Some(count(value, &at)?),
            "maxOutputTokens" => request.max_tokens = Some(count(value, &at)?),
            "candidateCount" => request.choices = Some(small(value, &at)?),
            "presencePenalty" => request.presence_penalty = Some(number(value, &at)?),
            "frequencyPenalty" => request.frequency_penalty = Some(number(value, &at)?),
            "seed" => request.seed = Some(whole(value, &at)?),
            "stopSequences" => {
                request.stop =
                    items(value).into_iter().map(|stop| text(stop, &at)).collect::<Result<_, _>>()?;
            }
            "responseLogprobs" => logprobs = boolean(value, &at)?,
            "logprobs" => top = small(value, &at)?,
            "responseMimeType" => form.mime = Some(text(value, &at)?),
            "responseSchema" => form.openapi = Some(json_schema(value, &at)?),
            "responseJsonSchema" => form.schema = Some(source(value)),
            "thinkingConfig" => request.reasoning = Some(thinking(value)?),
            // Text is what all formats answer in.
            "responseModalities" if only_text(value) => {}
            _ => request.rest.push((at, source(value))),
        }
    }
    request.logprobs = logprobs.then_some(top);
    response_format(form, request);
    Ok(())
}

fn small(value: Place<'_>, at: &str) -> Result<u32, Refused> {
    u32::try_from(count(value, at)?).map_err(|_| wrong(at, "is too large"))
}

fn only_text(modalities: Place<'_>) -> bool {
    items(modalities).iter().all(|word| word.as_str().is_some_and(|word| word.eq_ignore_ascii_case("text")))
}

fn response_format(form: Form, request: &mut Request) {
    let schema = form.schema.or(form.openapi);
    let json = form.mime.as_deref().is_none_or(|mime| mime.eq_ignore_ascii_case("application/json"));
    request.response_format = match (schema, form.mime) {
        (Some(schema), _) if json => Some(ResponseFormat::JsonSchema {
            name: String::new(),
            description: None,
            schema,
            strict: Some(true),
        }),
        (None, Some(_)) if json => Some(ResponseFormat::JsonObject),
        (None, Some(mime)) if mime.eq_ignore_ascii_case("text/plain") => Some(ResponseFormat::Text),
        // `text/x.enum` and what may come: nobody else has it.
        (schema, Some(mime)) => {
            let mime = super::fields::json(crate::json::quote(&mime));
            request.rest.push(("generationConfig.responseMimeType".to_owned(), mime));
            if let Some(schema) = schema {
                request.rest.push(("generationConfig.responseJsonSchema".to_owned(), schema));
            }
            None
        }
        (_, None) => None,
    };
}

fn thinking(config: Place<'_>) -> Result<Reasoning, Refused> {
    const AT: &str = "generationConfig.thinkingConfig";
    object(config, AT)?;
    let mut reasoning = Reasoning::default();
    for (key, value) in fields(config) {
        let at = format!("{AT}.{key}");
        match &*key {
            "includeThoughts" => reasoning.show = Some(boolean(value, &at)?),
            // Of a word that is new nothing is known but that it asks for thinking.
            "thinkingLevel" => reasoning.effort = Effort::parse(&text(value, &at)?),
            "thinkingBudget" => match whole(value, &at)? {
                0 => reasoning.enabled = Some(false),
                -1 => reasoning.adaptive = true,
                _ => {
                    reasoning.enabled = Some(true);
                    reasoning.budget_tokens = Some(count(value, &at)?);
                }
            },
            _ => {}
        }
    }
    Ok(reasoning)
}

pub(super) fn tool_config(config: Place<'_>, request: &mut Request) -> Result<(), Refused> {
    object(config, "toolConfig")?;
    for (key, value) in fields(config) {
        match &*key {
            "functionCallingConfig" => request.tool_choice = tool_choice(value)?,
            _ => request.rest.push((format!("toolConfig.{key}"), source(value))),
        }
    }
    Ok(())
}

fn tool_choice(config: Place<'_>) -> Result<Option<ToolChoice>, Refused> {
    const AT: &str = "toolConfig.functionCallingConfig";
    object(config, AT)?;
    let (mut mode, mut names) = (String::new(), Vec::new());
    for (key, value) in fields(config) {
        let at = format!("{AT}.{key}");
        match &*key {
            "mode" => mode = value.as_str().unwrap_or(value.source().into()).to_ascii_uppercase(),
            "allowedFunctionNames" => {
                names = items(value).into_iter().map(|name| text(name, &at)).collect::<Result<_, _>>()?;
            }
            _ => {}
        }
    }
    // The numbers are those of google.ai.generativelanguage.v1beta.
    Ok(match mode.as_str() {
        "" | "MODE_UNSPECIFIED" | "0" => None,
        "AUTO" | "1" => Some(ToolChoice::Auto),
        "NONE" | "3" => Some(ToolChoice::None),
        "ANY" | "2" => Some(match <[String; 1]>::try_from(names) {
            Ok([name]) => ToolChoice::Named(name),
            Err(names) if names.is_empty() => ToolChoice::Required,
            Err(names) => ToolChoice::Allowed { required: true, names },
        }),
        "VALIDATED" | "4" if names.is_empty() => Some(ToolChoice::Auto),
        "VALIDATED" | "4" => Some(ToolChoice::Allowed { required: false, names }),
        _ => return Err(wrong(format!("{AT}.mode"), "is not known")),
    })
}
