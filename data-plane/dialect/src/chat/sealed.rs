//! Signatures of thinking that vendors of this format give (OpenRouter's `reasoning_details`, Mistral's thinking parts),
//! as one text: the form between has one place for a signature, and a vendor wants more back than its bytes. Its words stand
//! there in base64: a caller of another format gets the text sealed, and is not to read a vendor's name in it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

/// Thinking that a vendor sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sealed<'a> {
    /// The seal is the thinking itself, encrypted; else it signs a text that stands beside it.
    pub(super) encrypted: bool,
    /// The vendor's word for who sealed (`anthropic-claude-v1`, `openai-responses-v1`); may be empty.
    pub(super) format: String,
    /// The vendor's name of the thought; may be empty.
    pub(super) id: String,
    /// The seal, byte for byte.
    pub(super) data: &'a str,
}

/// The word of Mistral's thinking parts, which have no format of their own.
pub(super) const MISTRAL: &str = "mistral";

impl<'a> Sealed<'a> {
    /// Writes it as one text.
    pub(super) fn to_text(&self) -> String {
        let kind = if self.encrypted { "encrypted" } else { "text" };
        format!("{kind}:{}:{}:{}", BASE64.encode(&self.format), BASE64.encode(&self.id), self.data)
    }

    /// Reads what `to_text` wrote.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(4, ':');
        let encrypted = match parts.next()? {
            "encrypted" => true,
            "text" => false,
            _ => return None,
        };
        let mut word = || String::from_utf8(BASE64.decode(parts.next()?).ok()?).ok();
        let (format, id) = (word()?, word()?);
        Some(Self { encrypted, format, id, data: parts.next()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_survives_whatever_its_bytes_are() {
        for (format, id, data) in
            [("anthropic-claude-v1", "", "Ev:%3A:x"), ("a:b%", "rs_1:%25", ""), ("", "", ":::")]
        {
            for encrypted in [true, false] {
                let sealed = Sealed { encrypted, format: format.into(), id: id.into(), data };
                assert_eq!(Sealed::parse(&sealed.to_text()), Some(sealed.clone()), "{sealed:?}");
            }
        }
        assert_eq!(Sealed::parse("EvsCCkgIEBAB"), None);
    }
}
