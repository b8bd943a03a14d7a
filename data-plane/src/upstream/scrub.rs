//! Takes names out of what an upstream says: its vendor, its host, its model. The caller knows an alias and nothing else.

use crate::call::Attempt;

/// Vendors, servers and their hosts' words, lower case; those of `breakwater_dialect::quirks` among them. Words that are
/// English too stand with what makes them a name.
const VENDORS: &[&str] = &[
    "amazon",
    "anthropic",
    "aws",
    "azure openai",
    "azure",
    "azureopenai",
    "bedrock",
    "bigmodel",
    "cerebras",
    "cloudflare",
    "deepseek",
    "fireworks ai",
    "fireworks.ai",
    "gemini",
    "google",
    "groq",
    "groqcloud",
    "hugging face",
    "huggingface",
    "llama.cpp",
    "microsoft",
    "mistral",
    "mistralai",
    "ollama",
    "openai",
    "openrouter",
    "perplexity",
    "together ai",
    "together.ai",
    "together.xyz",
    "vertex ai",
    "vertex",
    "vllm",
    "x.ai",
    "xai",
    "z.ai",
    "zai",
    "zhipu",
];
/// What stands for a vendor.
const UPSTREAM: &str = "the provider";

/// What is taken out of one upstream's words.
#[derive(Debug)]
pub(super) struct Scrub {
    /// Lower-case words with what stands for them, longest first.
    words: Vec<(String, String)>,
}

impl Scrub {
    /// Knows the names of an attempt.
    pub(super) fn of(attempt: &Attempt) -> Self {
        let provider = &attempt.upstream.provider;
        let host = provider.base_url.split("://").nth(1).unwrap_or_default();
        let host = host.split(['/', ':']).next().unwrap_or_default();
        let mut words = vec![
            (attempt.model.to_lowercase(), attempt.alias.clone()),
            (attempt.deployment.to_lowercase(), attempt.alias.clone()),
            (host.to_lowercase(), UPSTREAM.to_owned()),
            (attempt.upstream.name.to_lowercase(), UPSTREAM.to_owned()),
            (provider.region.to_lowercase(), "the region".to_owned()),
        ];
        words.extend(VENDORS.iter().map(|vendor| ((*vendor).to_owned(), UPSTREAM.to_owned())));
        words.retain(|(word, _)| !word.is_empty());
        words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        Self { words }
    }

    /// Returns the text without names and without addresses. Only whole words are taken: a model `o1` does not eat
    /// `foo1`.
    pub(super) fn text(&self, text: &str) -> String {
        let mut scrubbed = String::with_capacity(text.len());
        let mut rest = text;
        let mut before = None;
        while let Some(first) = rest.chars().next() {
            let at_start = !before.is_some_and(is_word);
            let taken = at_start.then(|| address(rest).or_else(|| self.word(rest))).flatten();
            let (length, shown) = taken.unwrap_or_else(|| (first.len_utf8(), ""));
            let (piece, after) = rest.split_at(length);
            scrubbed.push_str(if taken.is_some() { shown } else { piece });
            before = piece.chars().next_back();
            rest = after;
        }
        scrubbed
    }

    fn word<'a>(&'a self, rest: &str) -> Option<(usize, &'a str)> {
        self.words.iter().find_map(|(word, shown)| {
            let begun = rest.get(..word.len())?;
            let ends = !rest.get(word.len()..)?.chars().next().is_some_and(is_word);
            (ends && begun.eq_ignore_ascii_case(word)).then_some((word.len(), shown.as_str()))
        })
    }
}

/// Returns the length of an address at the text's start, with what stands for it.
fn address(rest: &str) -> Option<(usize, &'static str)> {
    let begins =
        |scheme: &str| rest.get(..scheme.len()).is_some_and(|text| text.eq_ignore_ascii_case(scheme));
    if !begins("http://") && !begins("https://") && !begins("www.") {
        return None;
    }
    let end = rest.find(|c: char| c.is_whitespace() || "\"'<>()`".contains(c)).unwrap_or(rest.len());
    let address = rest.get(..end)?.trim_end_matches(['.', ',', ';', ':']);
    Some((address.len(), "(address)"))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use breakwater_common::resource::ProviderType;
    use breakwater_dialect::quirks;

    use super::*;

    fn check(text: &str, expect: &str) {
        let words = [
            ("gpt-4o-prod", "chat"),
            ("gpt-4o", "chat"),
            ("azure openai", UPSTREAM),
            ("openai", UPSTREAM),
            ("o1", "chat"),
        ];
        let words = words.map(|(word, shown)| (word.to_owned(), shown.to_owned())).to_vec();
        assert_eq!(Scrub { words }.text(text), expect);
    }

    #[test]
    fn every_vendor_that_speaks_openais_format_is_known() {
        let scrub =
            Scrub { words: VENDORS.iter().map(|word| ((*word).to_owned(), UPSTREAM.to_owned())).collect() };
        let hosts = [
            "groq.com",
            "deepseek.com",
            "z.ai",
            "bigmodel.cn",
            "x.ai",
            "openrouter.ai",
            "together.xyz",
            "perplexity.ai",
        ];
        for host in
            hosts.into_iter().chain(["cerebras.ai", "fireworks.ai", "huggingface.co", "cloudflare.com"])
        {
            let provider = quirks::of_host(ProviderType::OpenAiCompatible, host);
            assert_ne!(provider.vendor, "generic", "{host}");
            assert!(scrub.text(&format!("ask {host}!")).contains(UPSTREAM), "{host}");
        }
        assert_eq!(scrub.text("Groq: work together"), "the provider: work together");
    }

    #[test]
    fn names_and_addresses_are_taken_out() {
        check("The model `gpt-4o` is overloaded", "The model `chat` is overloaded");
        check("GPT-4O-Prod is gone", "chat is gone");
        check("see https://platform.openai.com/docs.", "see (address).");
        check("Azure OpenAI's policy", "the provider's policy");
        check("api.openai.com said no", "api.the provider.com said no");
        check("foo1 and o1", "foo1 and chat");
        check("Grüße 😀 openai", "Grüße 😀 the provider");
        check("Invalid 'messages[3]'.", "Invalid 'messages[3]'.");
    }
}
