//! Whether pieces of JSON make a whole value yet.

/// How far a value has come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scan {
    depth: u32,
    in_string: bool,
    escaped: bool,
    begun: bool,
    whole: bool,
}

impl Scan {
    /// The state of something that needs no more.
    pub(super) fn whole() -> Self {
        Self { whole: true, ..Self::default() }
    }

    /// Whether an object, an array or a string came to its end.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Takes the next piece, cut anywhere.
    pub(super) fn take(&mut self, piece: &str) {
        for byte in piece.bytes() {
            if self.whole {
                return;
            }
            if self.escaped {
                self.escaped = false;
            } else if self.in_string {
                match byte {
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
            } else {
                match byte {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                    b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
            }
            self.begun |= !byte.is_ascii_whitespace();
            let ends = matches!(byte, b'"' | b'}' | b']');
            self.whole = self.begun && ends && self.depth == 0 && !self.in_string && !self.escaped;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_whole_at_its_last_byte_and_not_before() {
        for value in [r#"{}"#, r#" {"a":"}\"{","b":[{"c":1}]}"#, r#"["x"]"#, r#""te\"xt""#] {
            let mut scan = Scan::default();
            for (at, byte) in value.bytes().enumerate() {
                assert!(!scan.is_whole(), "{value} at {at}");
                scan.take(&char::from(byte).to_string());
            }
            assert!(scan.is_whole(), "{value}");
        }
        assert!(!Scan::default().is_whole() && Scan::whole().is_whole());
    }
}
