//! Tokens counted here, where no provider says them: an estimate by OpenAI's newest encoding, which is within some percent of
//! other vendors' for prose and further off for other scripts.

use std::sync::Arc;

use breakwater_common::limits::{ANSWER_TOKENS_RESERVED, CALL_TOKENS_MAX};
use breakwater_dialect::Format;
use breakwater_dialect::ir::Usage;
use breakwater_dialect::json::Place;
use breakwater_dialect::pass::ClientRequest;

/// Longer texts are estimated by their length. In bytes: a third of a millisecond's work, and little enough to be kept while
/// a stream runs.
const COUNTED_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a token of English prose (source: OpenAI, "What are tokens and how to count them").
const BYTES_OF_A_TOKEN: usize = 4;

/// Returns what a call asks, in tokens: its texts and its tools.
pub(crate) fn of_request(request: &ClientRequest) -> u64 {
    let bytes = bytes(request);
    if bytes > COUNTED_BYTES_MAX {
        return of_bytes(bytes);
    }
    let tools = tools(request);
    let encoding = bpe_openai::o200k_base();
    let counted: usize = request.texts().chain([tools]).map(|text| encoding.count(text)).sum();
    u64::try_from(counted).unwrap_or(u64::MAX)
}

/// Returns what is reserved of a limit of tokens before a call: its input by its length, and the longest answer that it
/// allows. What is used in the end takes its place.
pub(crate) fn reserved(request: &ClientRequest) -> u64 {
    let beside = [Format::Embeddings, Format::Moderations, Format::CountTokens];
    let output = if beside.contains(&request.format()) { 0 } else { longest_answer(request) };
    of_bytes(bytes(request)).saturating_add(output)
}

/// Returns the longest answer that a call allows, under the name that its format has for it.
fn longest_answer(request: &ClientRequest) -> u64 {
    let body = Place::root(request.body());
    let said = match request.format() {
        Format::Gemini => body.get("generationConfig").and_then(|config| config.get("maxOutputTokens")),
        Format::Converse => body.get("inferenceConfig").and_then(|config| config.get("maxTokens")),
        Format::Responses => body.get("max_output_tokens"),
        _ => body.get("max_completion_tokens").or_else(|| body.get("max_tokens")),
    };
    said.and_then(|place| place.as_u32()).map_or(ANSWER_TOKENS_RESERVED, u64::from)
}

fn tools(request: &ClientRequest) -> &str {
    Place::root(request.body()).get("tools").map(|tools| tools.source()).unwrap_or_default()
}

fn bytes(request: &ClientRequest) -> usize {
    request.texts().map(str::len).sum::<usize>() + tools(request).len()
}

/// What must be kept of a call to say its tokens when its stream has ended without saying them.
#[derive(Debug)]
pub(crate) enum Unsaid {
    /// A short call, to be counted then.
    Call(Arc<ClientRequest>),
    /// A long one, estimated at once.
    Input(u64),
}

impl Unsaid {
    /// Keeps what must be kept.
    pub(crate) fn of(request: &Arc<ClientRequest>) -> Self {
        let bytes = bytes(request);
        if bytes > COUNTED_BYTES_MAX { Self::Input(of_bytes(bytes)) } else { Self::Call(Arc::clone(request)) }
    }

    /// Returns the tokens of a stream, and whether they are estimated in part. `pieces` are the events that went to the caller:
    /// a stream that was not whole said what it read, and of what it wrote at most how it began.
    pub(crate) fn settle(&self, said: Option<Usage>, whole: bool, pieces: u64) -> (Usage, bool) {
        match believed(said) {
            Some(usage) if whole || usage.output >= pieces => (usage, false),
            Some(usage) => (Usage { output: pieces, ..usage }, true),
            None => (self.usage(pieces), true),
        }
    }

    /// Returns the usage, with so many tokens written.
    pub(crate) fn usage(&self, output: u64) -> Usage {
        let input = match self {
            Self::Call(request) => of_request(request),
            Self::Input(input) => *input,
        };
        Usage { input, output, ..Usage::default() }
    }
}

/// Returns what a provider said, unless no model can have read and written so much: then it said nothing that could be billed.
pub(crate) fn believed(said: Option<Usage>) -> Option<Usage> {
    said.filter(|usage| usage.total() <= CALL_TOKENS_MAX)
}

/// Returns what so many bytes of text are likely to be.
pub(crate) fn of_bytes(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(BYTES_OF_A_TOKEN)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use breakwater_dialect::pass::Asked;
    use breakwater_dialect::{Format, exchange};
    use bytes::Bytes;

    use super::*;

    fn request(content: &str) -> ClientRequest {
        let body = serde_json::json!({"model": "m", "messages": [{"role": "user", "content": content}]});
        let asked = Asked { format: Format::Messages, model: None, stream: None };
        exchange::parse(asked, &Bytes::from(body.to_string())).unwrap()
    }

    #[test]
    fn a_stream_that_was_left_is_settled_by_what_the_caller_got() {
        let unsaid = Unsaid::of(&Arc::new(request("Hello, world!")));
        let said = Usage { input: 9, output: 1, ..Usage::default() };
        let check = |said, whole, expect: (u64, u64), estimated| {
            let (usage, is_estimated) = unsaid.settle(said, whole, 40);
            assert_eq!(((usage.input, usage.output), is_estimated), (expect, estimated));
        };
        check(Some(said), true, (9, 1), false);
        check(Some(said), false, (9, 40), true);
        check(Some(Usage { output: 70, ..said }), false, (9, 70), false);
        check(None, true, (4, 40), true);
    }

    #[test]
    fn what_no_model_writes_was_not_said() {
        let said = |input, output| believed(Some(Usage { input, output, ..Usage::default() })).is_some();
        assert!(said(CALL_TOKENS_MAX - 1, 1));
        assert!(!said(CALL_TOKENS_MAX, 1));
        assert!(!said(u64::MAX, u64::MAX), "the sum has no overflow");
        assert!(believed(None).is_none());
    }

    #[test]
    fn short_texts_are_counted_and_long_ones_measured() {
        assert_eq!(of_request(&request("Hello, world!")), 4);
        let long = "x".repeat(COUNTED_BYTES_MAX + 1);
        assert_eq!(of_request(&request(&long)), 4_097);
        assert_eq!(Unsaid::of(&Arc::new(request("Hello, world!"))).usage(7).total(), 11);
        assert_eq!(Unsaid::of(&Arc::new(request(&long))).usage(3).total(), 4_100);
    }
}
