//! Names of tool calls. Each format has its own shape, and a conversation that began at one provider goes on at another, so
//! a name is made anew wherever it does not fit: always the same from the same, so that call and result still meet.

use sha2::{Digest, Sha256};

/// What a format takes as the name of a tool call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolIdShape {
    /// At most 64 characters (OpenAI).
    OpenAi,
    /// `[a-zA-Z0-9_-]`, at most 64 (Anthropic, Bedrock).
    Word,
    /// Nine letters or digits (Mistral).
    Nine,
}

impl ToolIdShape {
    fn fits(self, id: &str) -> bool {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        match self {
            Self::OpenAi => !id.is_empty() && id.len() <= 64,
            Self::Word => !id.is_empty() && id.len() <= 64 && id.bytes().all(word),
            Self::Nine => id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        }
    }
}

/// Returns the name if it has the shape, else one that has, made from it: `prefix` and letters of its digest (for
/// [`ToolIdShape::Nine`] the letters alone).
#[must_use]
pub fn tool_id(id: &str, shape: ToolIdShape, prefix: &str) -> String {
    if shape.fits(id) { id.to_owned() } else { digest_id(id, shape, prefix) }
}

/// Returns a name made from another whatever its shape: a caller does not learn from it who made the first.
#[must_use]
pub fn digest_id(id: &str, shape: ToolIdShape, prefix: &str) -> String {
    const LETTERS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let digest = Sha256::digest(id.as_bytes());
    let letters =
        digest.iter().filter_map(|byte| LETTERS.get(usize::from(*byte) % 62)).map(|byte| char::from(*byte));
    match shape {
        ToolIdShape::Nine => letters.take(9).collect(),
        ToolIdShape::OpenAi | ToolIdShape::Word => {
            let mut made = prefix.to_owned();
            made.extend(letters.take(24));
            made
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bug_6_and_7_names_fit_where_they_go_and_stay_the_same() {
        let smuggled = format!("call_1__thought__{}", "x".repeat(900));
        for (shape, id) in [
            (ToolIdShape::OpenAi, smuggled.as_str()),
            (ToolIdShape::Word, "call:1"),
            (ToolIdShape::Nine, "call_abcdefgh"),
            (ToolIdShape::Word, ""),
        ] {
            let made = tool_id(id, shape, "call_");
            assert!(shape.fits(&made), "{made}");
            assert_eq!(made, tool_id(id, shape, "call_"));
            assert_ne!(made, tool_id("another:1", shape, "call_"));
        }
        assert_eq!(tool_id("abcDEF123", ToolIdShape::Nine, ""), "abcDEF123");
        assert_eq!(tool_id("toolu_01", ToolIdShape::Word, "toolu_"), "toolu_01");
    }
}
