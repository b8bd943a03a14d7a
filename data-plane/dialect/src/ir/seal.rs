//! How what one provider signed travels through a caller of another format: as one text that such a caller keeps byte for
//! byte, and that says whose it is without a name. A caller sees one alias; a word like `gemini` would tell who answered.
//!
//! `bwseal.` and a letter for the format that signed, a digit for what is signed, the name of the thought in base64 if it
//! has one, and the signature as it came: `bwseal.z1..CiQBVKhc7g==`. Signatures of providers are base64, which has no dot:
//! none begins so. One that does all the same is wrapped before it goes out, so that what is read back is always ours.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use crate::Format;

/// What every seal begins with. Six bytes before the dot, so that it is found in base64 too.
const MARK: &str = "bwseal.";

/// The letters of the formats: fixed, because callers keep seals longer than a release lives.
const LETTERS: [(Format, &str); 10] = [
    (Format::Chat, "k"),
    (Format::Responses, "w"),
    (Format::Messages, "f"),
    (Format::Gemini, "z"),
    (Format::Converse, "d"),
    (Format::Ollama, "h"),
    (Format::Completions, "p"),
    (Format::Embeddings, "v"),
    (Format::Moderations, "y"),
    (Format::CountTokens, "j"),
];

/// What a seal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sealing {
    /// That in which it stands.
    This,
    /// Thinking that nobody sees: the seal is all of it.
    Hidden,
    /// The call after it.
    Next,
    /// The text or the call before it.
    Previous,
}

impl Sealing {
    const DIGITS: [(Self, &'static str); 4] =
        [(Self::This, "1"), (Self::Hidden, "2"), (Self::Next, "3"), (Self::Previous, "4")];
}

/// A signature in the hands of a caller of another format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seal<'a> {
    /// Whose it is.
    pub(crate) by: Format,
    /// What it is about.
    pub(crate) of: Sealing,
    /// The signer's name of the thought; may be empty.
    pub(crate) id: String,
    /// The signature, byte for byte.
    pub(crate) data: &'a str,
}

impl<'a> Seal<'a> {
    /// Makes one without a name.
    pub(crate) fn new(by: Format, of: Sealing, data: &'a str) -> Self {
        Self { by, of, id: String::new(), data }
    }

    /// Writes it as one text.
    pub(crate) fn to_text(&self) -> String {
        let digit = Sealing::DIGITS.into_iter().find(|(of, _)| *of == self.of).map_or("", |(_, digit)| digit);
        format!("{}{digit}.{}.{}", signer_word(self.by), BASE64.encode(&self.id), self.data)
    }

    /// Reads what `to_text` wrote; none of anything else.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix(MARK)?.splitn(3, '.');
        let (letter, digit) = parts.next()?.split_at_checked(1)?;
        let by = LETTERS.into_iter().find(|(_, known)| *known == letter)?.0;
        let of = Sealing::DIGITS.into_iter().find(|(_, known)| *known == digit)?.0;
        let id = String::from_utf8(BASE64.decode(parts.next()?).ok()?).ok()?;
        Some(Self { by, of, id, data: parts.next()? })
    }
}

/// Writes a signature for a caller whose own format is `own`: as it is if that format signed, or nobody is known to have.
pub(crate) fn carry(signature: &str, signed_by: Option<Format>, own: Format, of: Sealing) -> String {
    let by = signed_by.unwrap_or(own);
    if by == own && Seal::parse(signature).is_none() {
        return signature.to_owned();
    }
    Seal::new(by, of, signature).to_text()
}

/// Returns the word for a format where a place has one for the signer alone.
pub(crate) fn signer_word(by: Format) -> String {
    let letter = LETTERS.into_iter().find(|(format, _)| *format == by).map_or("", |(_, letter)| letter);
    format!("{MARK}{letter}")
}

/// Reads what `signer_word` wrote; none of anything else.
pub(crate) fn signer_of(word: &str) -> Option<Format> {
    let letter = word.strip_prefix(MARK)?;
    LETTERS.into_iter().find(|(_, known)| *known == letter).map(|(format, _)| format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bug_4_and_5_a_seal_comes_back_as_it_went_whatever_its_bytes_are() {
        for by in Format::ALL {
            for (of, _) in Sealing::DIGITS {
                for (id, data) in
                    [("", "EqEkCkYIBxgC+/="), ("rs_0a.1", "a.b..c"), ("", ""), ("", "bwseal.z1..x")]
                {
                    let seal = Seal { by, of, id: id.to_owned(), data };
                    assert_eq!(Seal::parse(&seal.to_text()), Some(seal.clone()), "{seal:?}");
                }
            }
            assert_eq!(signer_of(&signer_word(by)), Some(by));
        }
    }

    #[test]
    fn only_what_was_sealed_here_is_read_as_a_seal() {
        for foreign in [
            "",
            "EvsCCkgIEBAB",
            "gemini.abc",
            "bwseal.",
            "bwseal.z",
            "bwseal.z1",
            "bwseal.z1.x",
            "bwseal.?1..x",
            "bwseal.z9..x",
            "bwseal.z1.!.x",
            "bwseal.é1..x",
        ] {
            assert_eq!(Seal::parse(foreign), None, "{foreign}");
        }
        assert_eq!(signer_of("anthropic-claude-v1"), None);
    }

    #[test]
    fn opaque_by_alias_a_seal_names_no_format_and_no_vendor() {
        for by in Format::ALL {
            let text = Seal::new(by, Sealing::This, "").to_text();
            assert!(Format::ALL.iter().all(|format| !text.contains(format.as_str())), "{text}");
        }
    }

    #[test]
    fn a_signature_of_the_callers_own_format_passes_bare_unless_it_looks_like_a_seal() {
        let own = |signature| carry(signature, Some(Format::Messages), Format::Messages, Sealing::This);
        assert_eq!(own("EqEk+/="), "EqEk+/=");
        let wrapped = own("bwseal.z1..x");
        assert_eq!(Seal::parse(&wrapped), Some(Seal::new(Format::Messages, Sealing::This, "bwseal.z1..x")));
        assert_eq!(carry("s", None, Format::Messages, Sealing::This), "s");
    }
}
