//! `ProviderSpec`.

use breakwater_proto::v1;

use super::{Problems, breaker};
use crate::resource::{Credential, Model, Price, Provider, ProviderType, Timeouts};

pub(super) fn decode(spec: v1::ProviderSpec, problems: &mut Problems) -> Provider {
    problems.unique("spec.credentials", spec.credentials.iter().map(|credential| credential.name.as_str()));
    problems.unique("spec.models", spec.models.iter().map(|model| model.name.as_str()));
    Provider {
        provider_type: provider_type(&spec.r#type, problems),
        base_url: spec.base_url.trim_end_matches('/').to_owned(),
        region: spec.region,
        jurisdiction: spec.jurisdiction,
        tags: spec.tags,
        api_version: spec.api_version,
        credentials: spec
            .credentials
            .into_iter()
            .map(|credential| Credential { name: credential.name, api_key: credential.api_key })
            .collect(),
        breaker: breaker::settings(&spec.circuit_breaker.unwrap_or_default(), problems),
        timeouts: timeouts(&spec.timeouts.unwrap_or_default(), problems),
        models: spec
            .models
            .into_iter()
            .map(|model| Model {
                name: model.name,
                deployment: model.deployment,
                context_window: model.context_window,
                max_output_tokens: model.max_output_tokens,
                capabilities: model.capabilities,
                price: model.price.map(price),
                disabled: model.disabled,
            })
            .collect(),
        disabled: spec.disabled,
        error_map: breaker::error_map(spec.error_map, problems),
    }
}

pub(super) fn price(message: v1::Price) -> Price {
    Price { input: message.input, cached_input: message.cached_input, output: message.output }
}

fn provider_type(word: &str, problems: &mut Problems) -> ProviderType {
    ProviderType::parse(word).unwrap_or_else(|| {
        let known: Vec<_> = ProviderType::ALL.into_iter().map(ProviderType::as_str).collect();
        problems
            .add("spec.type", format!("\"{word}\" is not a provider type; use one of {}", known.join(", ")));
        ProviderType::OpenAiCompatible
    })
}

fn timeouts(message: &v1::Timeouts, problems: &mut Problems) -> Timeouts {
    let default = Timeouts::default();
    Timeouts {
        connect: problems.duration("spec.timeouts.connect", &message.connect, default.connect),
        first_token: problems.duration(
            "spec.timeouts.first_token",
            &message.first_token,
            default.first_token,
        ),
        idle: problems.duration("spec.timeouts.idle", &message.idle, default.idle),
        response: problems.duration("spec.timeouts.response", &message.response, default.response),
    }
}
