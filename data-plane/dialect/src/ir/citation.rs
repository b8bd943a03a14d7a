//! Where an answer has something from.

/// An address on the web that a text cites.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Citation {
    /// It.
    pub url: String,
    /// What stands there; empty if not said.
    pub title: String,
    /// From which character of the block's text to which it is cited; none: not said, the text as a whole.
    pub at: Option<(u32, u32)>,
}

impl Citation {
    /// Returns where it is cited, for a block that begins at a character and has some: formats of OpenAI demand numbers.
    #[must_use]
    pub fn place(&self, start: u32, length: u32) -> (u32, u32) {
        let (from, to) = self.at.unwrap_or((0, length));
        (start.saturating_add(from), start.saturating_add(to))
    }
}

/// Returns how many characters a text has.
#[must_use]
pub fn characters(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}
