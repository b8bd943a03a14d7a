//! Secrets of resources, sealed before they are replicated: the log, its snapshots and backups hold ciphertext only.
//!
//! AES-256-GCM with a synthetic nonce (the idea of RFC 5297): the nonce is an HMAC of the place and the secret, so that
//! the same secret at the same place seals to the same text. That makes a repeated write equal byte for byte, which
//! request ids and "unchanged" rest on; all that it tells a reader of the log is that a secret did not change. A nonce
//! recurs only with the same place and secret, so the cipher's rule (never one nonce for two texts) holds.
//!
//! The place (kind, name, field path) is bound as associated data: a sealed text moved elsewhere does not open.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use breakwater_common::resource::Kind;
use breakwater_control_core::command::SEALED_PREFIX;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;

/// Bytes of the sealing key.
pub const KEY_BYTES: usize = 32;

/// Why a secret could not be sealed or opened. Never says the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key is not 32 bytes in base64.
    #[error("the sealing key must be {KEY_BYTES} bytes in base64")]
    Key,
    /// The text is not a sealed one.
    #[error("{place} does not hold a sealed text: check that the state is of this release")]
    Form {
        /// Kind, name and field.
        place: String,
    },
    /// The key is another, or the text was changed or moved.
    #[error("{place} does not open: check that the sealing key is the one it was sealed with")]
    Open {
        /// Kind, name and field.
        place: String,
    },
}

/// Makes a new key as the text of its file.
pub fn generate_key() -> Result<String, crate::secret_files::SecretFileError> {
    Ok(STANDARD_NO_PAD.encode(crate::secret_files::random::<KEY_BYTES>()?))
}

/// Where a secret stands.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Kind of the resource.
    pub kind: Kind,
    /// Its name.
    pub name: &'a str,
    /// The field, from the resource's root.
    pub field_path: &'a str,
}

/// Seals and opens with one key.
pub struct Sealer {
    cipher: LessSafeKey,
    nonces: hmac::Key,
    requests: hmac::Key,
}

impl Sealer {
    /// Makes a sealer from a key file's text: 32 bytes in base64, white space around it ignored.
    pub fn from_key_text(text: &str) -> Result<Self, SealError> {
        let key = STANDARD_NO_PAD.decode(text.trim().trim_end_matches('=')).map_err(|_| SealError::Key)?;
        if key.len() != KEY_BYTES {
            return Err(SealError::Key);
        }
        // One key file, two uses: each gets a key of its own.
        let root = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let cipher = UnboundKey::new(&AES_256_GCM, hmac::sign(&root, b"breakwater seal v1 cipher").as_ref());
        let nonces = hmac::sign(&root, b"breakwater seal v1 nonce");
        let requests = hmac::sign(&root, b"breakwater seal v1 request");
        Ok(Self {
            requests: hmac::Key::new(hmac::HMAC_SHA256, requests.as_ref()),
            cipher: LessSafeKey::new(cipher.map_err(|_| SealError::Key)?),
            nonces: hmac::Key::new(hmac::HMAC_SHA256, nonces.as_ref()),
        })
    }

    /// Seals a secret for its place.
    pub fn seal(&self, place: Place<'_>, secret: &str) -> Result<String, SealError> {
        let aad = place.to_string();
        let nonce = self.nonce_of(&aad, secret);
        let mut text = secret.as_bytes().to_vec();
        self.cipher
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(aad.as_bytes()),
                &mut text,
            )
            .map_err(|_| SealError::Form { place: aad })?;
        let mut bytes = nonce.to_vec();
        bytes.append(&mut text);
        Ok(format!("{SEALED_PREFIX}{}", STANDARD_NO_PAD.encode(bytes)))
    }

    /// Opens a sealed secret of its place.
    pub fn open(&self, place: Place<'_>, sealed: &str) -> Result<String, SealError> {
        let aad = place.to_string();
        let form = || SealError::Form { place: place.to_string() };
        let encoded = sealed.strip_prefix(SEALED_PREFIX).ok_or_else(form)?;
        let mut bytes = STANDARD_NO_PAD.decode(encoded).map_err(|_| form())?;
        let (nonce, text) = bytes.split_first_chunk_mut::<NONCE_LEN>().ok_or_else(form)?;
        let opened = self
            .cipher
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad.as_bytes()), text)
            .map_err(|_| SealError::Open { place: place.to_string() })?;
        String::from_utf8(opened.to_vec()).map_err(|_| form())
    }

    /// Returns what a repeated request is known by. A request may hold a secret that can be guessed, and this is kept in the
    /// log: so it is keyed, and tells nothing to who has not the key.
    #[must_use]
    pub fn digest_of_request(&self, method: &str, request: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.requests);
        context.update(&u64::try_from(method.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(method.as_bytes());
        context.update(request);
        let mut digest = [0; 32];
        for (to, from) in digest.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        digest
    }

    fn nonce_of(&self, aad: &str, secret: &str) -> [u8; NONCE_LEN] {
        let mut context = hmac::Context::with_key(&self.nonces);
        context.update(&u64::try_from(aad.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(aad.as_bytes());
        context.update(secret.as_bytes());
        let tag = context.sign();
        let mut nonce = [0; NONCE_LEN];
        for (to, from) in nonce.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        nonce
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(secret)")
    }
}

impl fmt::Display for Place<'_> {
    /// `Provider|openai|spec.credentials[0].api_key`: neither kinds nor names hold a `|`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}|{}|{}", self.kind.as_str(), self.name, self.field_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(byte: u8) -> Sealer {
        Sealer::from_key_text(&STANDARD_NO_PAD.encode([byte; KEY_BYTES])).unwrap()
    }

    fn place(name: &str) -> Place<'_> {
        Place { kind: Kind::Provider, name, field_path: "spec.credentials[0].api_key" }
    }

    #[test]
    fn a_sealed_secret_opens_at_its_place_with_its_key_only() {
        let sealed = sealer(1).seal(place("openai"), "sk-canary").unwrap();
        assert!(sealed.starts_with(SEALED_PREFIX) && !sealed.contains("canary"));
        assert_eq!(sealer(1).open(place("openai"), &sealed).unwrap(), "sk-canary");
        assert!(matches!(sealer(2).open(place("openai"), &sealed), Err(SealError::Open { .. })));
        assert!(matches!(sealer(1).open(place("azure"), &sealed), Err(SealError::Open { .. })));
        assert!(matches!(sealer(1).open(place("openai"), "sk-canary"), Err(SealError::Form { .. })));
        assert!(matches!(sealer(1).open(place("openai"), "sealed:v1:AA"), Err(SealError::Form { .. })));
    }

    #[test]
    fn the_same_secret_at_the_same_place_seals_the_same() {
        let sealer = sealer(1);
        let seal = |name, secret| sealer.seal(place(name), secret).unwrap();
        assert_eq!(seal("openai", "sk-a"), seal("openai", "sk-a"));
        assert_ne!(seal("openai", "sk-a"), seal("openai", "sk-b"));
        assert_ne!(seal("openai", "sk-a"), seal("azure", "sk-a"));
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        for text in ["", "AAAA", "not base64!"] {
            assert_eq!(Sealer::from_key_text(text).unwrap_err(), SealError::Key);
        }
    }
}
