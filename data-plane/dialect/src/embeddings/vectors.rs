//! Where each format's answer has its vectors and its count of tokens.

use super::EmbeddingsFormat;
use crate::codec::Garbage;
use crate::json::Place;

/// The vectors of an answer, each an array of numbers in source, and the tokens read, if they are said.
#[derive(Debug)]
pub(super) struct Vectors<'a> {
    pub(super) vectors: Vec<Place<'a>>,
    pub(super) tokens: Option<u64>,
}

/// Finds them in an answer of a provider that does not speak OpenAI's.
pub(super) fn read(format: EmbeddingsFormat, root: Place<'_>) -> Result<Vectors<'_>, Garbage> {
    let (vectors, tokens) = match format {
        EmbeddingsFormat::OpenAi | EmbeddingsFormat::Mistral => {
            (each(root.get("data"), "embedding"), number(root, &["usage", "prompt_tokens"]))
        }
        EmbeddingsFormat::Gemini => {
            let one = root.get("embedding").and_then(|one| one.get("values"));
            let vectors = one.map_or_else(|| each(root.get("embeddings"), "values"), |one| Ok(vec![one]));
            (vectors, number(root, &["usageMetadata", "promptTokenCount"]))
        }
        EmbeddingsFormat::Ollama => (all(root.get("embeddings")), number(root, &["prompt_eval_count"])),
        EmbeddingsFormat::Titan => (
            root.get("embedding").map(|one| vec![one]).ok_or(Garbage),
            number(root, &["inputTextTokenCount"]),
        ),
        EmbeddingsFormat::Nova => (each(root.get("embeddings"), "embedding"), None),
        EmbeddingsFormat::Cohere => {
            // By type since the fourth version; before, the vectors themselves.
            let embeddings = root.get("embeddings");
            let floats = embeddings.and_then(|by_type| by_type.get("float")).or(embeddings);
            (all(floats), number(root, &["meta", "billed_units", "input_tokens"]))
        }
    };
    let vectors = vectors?;
    if vectors.iter().all(Place::is_array) { Ok(Vectors { vectors, tokens }) } else { Err(Garbage) }
}

fn all(list: Option<Place<'_>>) -> Result<Vec<Place<'_>>, Garbage> {
    Ok(list.filter(Place::is_array).ok_or(Garbage)?.elements().collect())
}

fn each<'a>(list: Option<Place<'a>>, key: &str) -> Result<Vec<Place<'a>>, Garbage> {
    all(list)?.into_iter().map(|one| one.get(key).ok_or(Garbage)).collect()
}

fn number(root: Place<'_>, path: &[&str]) -> Option<u64> {
    path.iter().try_fold(root, |place, key| place.get(key))?.source().parse().ok()
}
