//! What a model can do, as far as a request must be another for it: whether it reasons. The catalogue's word counts; where it
//! says nothing, each room has its own table of models, and for those of OpenAI it stands here.

use std::borrow::Cow;

use crate::Format;
use crate::codec::Target;
use crate::ir::{Dropped, Effort, Reasoning, Request};

/// When a model of OpenAI reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reasons {
    Never,
    /// Unless it is told not to.
    Always,
    /// If it is told to.
    Asked,
}

/// OpenAI's models by the beginnings of their names; the first counts. Sources: OpenAI's pages on its models as of November
/// 2026; recorded: `gpt-5.6` takes a temperature with the effort `none`, `gpt-5-nano` takes none but 1.
const MODELS: &[(&str, Reasons)] = &[
    ("o1", Reasons::Always),
    ("o3", Reasons::Always),
    ("o4", Reasons::Always),
    ("gpt-5-chat", Reasons::Never),
    ("gpt-5.", Reasons::Asked),
    ("gpt-5", Reasons::Always),
];

/// Returns the request as it is written for a model, and what was left out. A model that does not reason is not asked to; one
/// of OpenAI's that does draws its words in its own way, and refuses a call that says another (bug 28).
pub(crate) fn fit<'a>(request: &'a Request, target: &Target) -> (Cow<'a, Request>, Vec<Dropped>) {
    let mut dropped = Vec::new();
    let mut fitted = Cow::Borrowed(request);
    if target.reasons == Some(false)
        && let Some(reasoning) = &request.reasoning
    {
        if !is_off(reasoning) {
            dropped.push("reasoning_effort".to_owned());
        }
        fitted.to_mut().reasoning = None;
    }
    if draws_its_own(request, target) {
        let fitted = fitted.to_mut();
        for (name, number) in [("temperature", &mut fitted.temperature), ("top_p", &mut fitted.top_p)] {
            // Theirs is 1, and they take that word for it.
            if number.as_ref().is_some_and(|number| number.as_f64() != Some(1.0)) {
                dropped.push(name.to_owned());
                *number = None;
            }
        }
    }
    (fitted, dropped)
}

/// Whether a model of OpenAI will reason about this request.
fn draws_its_own(request: &Request, target: &Target) -> bool {
    let openais = matches!(target.format, Format::Chat | Format::Responses)
        && matches!(target.quirks.vendor, "openai" | "azure");
    if !openais || target.reasons == Some(false) {
        return false;
    }
    let name = target.model.rsplit('/').next().unwrap_or_default();
    let known = MODELS.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, reasons)| *reasons);
    let told = request.reasoning.as_ref();
    match known.or_else(|| target.reasons.map(|_| Reasons::Always)) {
        None | Some(Reasons::Never) => false,
        Some(Reasons::Always) => told.is_none_or(|told| told.effort != Some(Effort::None)),
        Some(Reasons::Asked) => told.is_some_and(|told| !is_off(told)),
    }
}

/// Whether the caller wants no reasoning, or says nothing of it.
fn is_off(reasoning: &Reasoning) -> bool {
    match (reasoning.enabled, reasoning.effort) {
        (Some(enabled), _) => !enabled,
        (None, Some(effort)) => effort == Effort::None,
        (None, None) => reasoning.budget_tokens.is_none() && !reasoning.adaptive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quirks::{PLAIN, of_host};
    use breakwater_common::resource::ProviderType;

    fn target(model: &str, reasons: Option<bool>) -> Target {
        let (format, model) = (Format::Chat, model.to_owned());
        Target { format, model, max_output_tokens: None, reasons, embeddings: None, quirks: &PLAIN }
    }

    fn asked(effort: Option<Effort>) -> Request {
        let reasoning = effort.map(|effort| Reasoning { effort: Some(effort), ..Reasoning::default() });
        Request { temperature: Some(0.into()), top_p: Some(1.into()), reasoning, ..Request::default() }
    }

    fn dropped(request: &Request, target: &Target) -> Vec<Dropped> {
        fit(request, target).1
    }

    #[test]
    fn bug_28_sampling_goes_to_models_that_take_it() {
        let none = Some(Effort::None);
        for (model, reasons, effort, left_out) in [
            ("gpt-4o", None, None, false),
            ("gpt-4o", Some(true), None, true),
            ("o3-mini", None, None, true),
            ("o3-mini", Some(false), None, false),
            ("openai/gpt-5-nano", None, None, true),
            ("gpt-5-chat-latest", None, None, false),
            ("gpt-5.6-sol", None, none, false),
            ("gpt-5.6-sol", None, None, false),
            ("gpt-5.6-sol", None, Some(Effort::Low), true),
            ("gpt-5.6-sol", Some(true), none, false),
            ("a-model-of-tomorrow", Some(true), None, true),
            ("a-model-of-tomorrow", Some(true), none, false),
        ] {
            let (request, target) = (asked(effort), target(model, reasons));
            let (fitted, dropped) = fit(&request, &target);
            assert_eq!(dropped == ["temperature"], left_out, "{model} {reasons:?} {effort:?}: {dropped:?}");
            assert_eq!(fitted.temperature.is_none(), left_out, "{model}");
        }
        // Others' models draw as they are told, whatever they are called.
        let groq = of_host(ProviderType::OpenAiCompatible, "api.groq.com");
        assert!(dropped(&asked(None), &Target { quirks: groq, ..target("o3", Some(true)) }).is_empty());
        assert!(dropped(&asked(None), &Target { format: Format::Messages, ..target("o3", None) }).is_empty());
    }

    #[test]
    fn bug_28_a_model_that_does_not_reason_is_not_asked_to() {
        let plain = |effort| Request { temperature: None, ..asked(Some(effort)) };
        let (request, off) = (plain(Effort::High), plain(Effort::None));
        for format in [Format::Chat, Format::Messages, Format::Gemini, Format::Converse, Format::Ollama] {
            let cannot = Target { format, ..target("m", Some(false)) };
            assert_eq!(dropped(&request, &cannot), ["reasoning_effort"]);
            assert!(fit(&request, &cannot).0.reasoning.is_none());
            assert!(dropped(&off, &cannot).is_empty());
            assert!(fit(&request, &Target { reasons: None, ..cannot }).0.reasoning.is_some());
        }
    }
}
