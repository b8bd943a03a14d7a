//! What an answer cites: `annotations` of its message, and the lists beside it that vendors send who search unasked.

use super::wire::{self, Leaf};
use crate::ir::Citation;
use crate::json::{Place, quote};

/// Reads the annotations of a message. Others than addresses on the web name files that only the provider has.
pub(super) fn annotations(list: Leaf<'_>) -> Vec<Citation> {
    let read = |annotation: Place<'_>| {
        let cited = annotation.get("url_citation")?;
        let number = |key: &str| cited.get(key).and_then(|number| number.as_u32());
        // OpenRouter says 0 and 0 where it does not know.
        let at = number("start_index").zip(number("end_index")).filter(|(from, to)| from < to);
        Some(Citation { url: word(cited, "url")?, title: word(cited, "title").unwrap_or_default(), at })
    };
    wire::place(list).iter().flat_map(Place::elements).filter_map(read).collect()
}

/// Reads `citations`, a list of addresses (Perplexity, xAI), and `search_results`, which say their titles too.
pub(super) fn sources(citations: Leaf<'_>, results: Leaf<'_>) -> Vec<Citation> {
    let results: Vec<Citation> = wire::place(results)
        .iter()
        .flat_map(Place::elements)
        .filter_map(|result| {
            Some(Citation {
                url: word(result, "url")?,
                title: word(result, "title").unwrap_or_default(),
                at: None,
            })
        })
        .collect();
    let cited: Vec<Citation> = wire::place(citations)
        .iter()
        .flat_map(Place::elements)
        .filter_map(|url| {
            let url = url.as_str().filter(|url| !url.is_empty())?.into_owned();
            let title = results.iter().find(|result| result.url == url).map(|result| result.title.clone());
            Some(Citation { url, title: title.unwrap_or_default(), at: None })
        })
        .collect();
    if cited.is_empty() { results } else { cited }
}

fn word(object: Place<'_>, key: &str) -> Option<String> {
    object.get(key)?.as_str().filter(|word| !word.is_empty()).map(std::borrow::Cow::into_owned)
}

/// Writes annotations of a text that begins at a character of the message and has some.
pub(super) fn write<'a>(
    citations: impl IntoIterator<Item = &'a Citation>,
    start: u32,
    length: u32,
) -> Vec<String> {
    let write = |citation: &Citation| {
        let ((from, to), title, url) =
            (citation.place(start, length), quote(&citation.title), quote(&citation.url));
        format!(
            r#"{{"type":"url_citation","url_citation":{{"start_index":{from},"end_index":{to},"title":{title},"url":{url}}}}}"#
        )
    };
    citations.into_iter().map(write).collect()
}
