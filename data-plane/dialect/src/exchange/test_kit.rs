use super::*;

/// A call within chat completions.
pub(super) fn exchange(alias: &str, guards: Option<Arc<CompiledGuards>>, asked_usage: bool) -> Exchange {
    let caller = Caller {
        alias: alias.to_owned(),
        id: "0123".to_owned(),
        created: 7,
        include_usage: asked_usage,
        ..Caller::default()
    };
    Exchange { client: Format::Chat, provider: Format::Chat, caller, guards, embeddings: None }
}

/// The rewriter of its stream.
pub(super) fn stream_rewriter(
    alias: &str,
    guards: Option<Arc<CompiledGuards>>,
    asked_usage: bool,
) -> AnswerStream {
    exchange(alias, guards, asked_usage).stream().unwrap()
}
