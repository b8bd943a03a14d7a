//! The Ed25519 key that signs checkpoints, from a file in PKCS#8, base64.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use breakwater_common::ledger::{Checkpoint, VerifierKey};
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;

use crate::secret_files::SecretFileError;

/// The log key is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the log key must be an Ed25519 key in PKCS#8, base64: openssl genpkey -algorithm ed25519 -outform DER | base64"
)]
pub struct LogKeyError;

/// The key of the log.
pub struct LogKey {
    pair: Ed25519KeyPair,
}

impl LogKey {
    /// Makes a new key as the text of its file.
    pub fn generate() -> Result<String, SecretFileError> {
        let document =
            Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| SecretFileError::Random)?;
        Ok(STANDARD.encode(document.as_ref()))
    }

    /// Reads a key from the text of its file. Line breaks within are ignored, as `base64` writes them.
    pub fn from_text(text: &str) -> Result<Self, LogKeyError> {
        let plain: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        let document = STANDARD.decode(plain).map_err(|_| LogKeyError)?;
        // OpenSSL writes PKCS#8 without the public key, ring with it.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&document).map_err(|_| LogKeyError)?;
        Ok(Self { pair })
    }

    /// Signs a checkpoint: the note.
    #[must_use]
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        checkpoint.sign(&self.pair)
    }

    /// Returns the verifier's key of a log's name, in C2SP form.
    #[must_use]
    pub fn public(&self, origin: &str) -> String {
        VerifierKey::of(origin, &self.pair).to_text()
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogKey(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_signs_what_its_public_part_opens() {
        let key = LogKey::from_text(&LogKey::generate().unwrap()).unwrap();
        let checkpoint = Checkpoint { origin: "c/audit".to_owned(), size: 1, root: [7; 32] };
        let verifier = VerifierKey::parse(&key.public("c/audit")).unwrap();
        let opened = Checkpoint::open(&key.sign(&checkpoint), &verifier).unwrap();
        assert_eq!((opened.size, opened.root), (1, [7; 32]));
    }

    #[test]
    fn a_text_that_is_no_key_is_refused() {
        assert_eq!(LogKey::from_text("AAAA").unwrap_err(), LogKeyError);
        assert_eq!(LogKey::from_text("not base64").unwrap_err(), LogKeyError);
    }
}
