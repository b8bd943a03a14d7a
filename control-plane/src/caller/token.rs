//! Tokens and keys as texts: made here, and never stored but as SHA-256 digests.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use breakwater_common::ledger::hex;
use ring::digest;

use crate::secret_files::{SecretFileError, random};

/// Characters of the public part.
const ID_CHARS: usize = 16;
/// Characters of the secret part: 32 random bytes in base64url.
const SECRET_CHARS: usize = 43;
const TOKEN_PREFIX: &str = "bwt-";
const KEY_PREFIX: &str = "bw-";

/// A new token or key.
#[derive(Clone)]
pub struct Minted {
    /// Its public part: 16 of 0-9 and a-f.
    pub id: String,
    /// The whole text. Shown once.
    pub text: String,
    /// SHA-256 of the whole text: what is stored.
    pub sha256: [u8; 32],
}

impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minted").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Makes a token for the control plane.
pub fn mint_token() -> Result<Minted, SecretFileError> {
    mint(TOKEN_PREFIX)
}

/// Makes a tenant's key.
pub fn mint_key() -> Result<Minted, SecretFileError> {
    mint(KEY_PREFIX)
}

/// Returns the token of an `Authorization` header's value; none if it is not a bearer token of our form.
#[must_use]
pub fn parse_bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && public_part(token).is_some()).then_some(token)
}

/// Returns the public part of a token of our form.
#[must_use]
pub fn public_part(token: &str) -> Option<&str> {
    let (id, secret) = token.strip_prefix(TOKEN_PREFIX)?.split_at_checked(ID_CHARS)?;
    let id_is_hex = id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let secret_is_base64 =
        secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    (id_is_hex && secret_is_base64 && secret.len() == SECRET_CHARS).then_some(id)
}

/// Returns the SHA-256 digest of a token's or key's whole text.
#[must_use]
pub fn sha256(text: &str) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    bytes
}

fn mint(prefix: &str) -> Result<Minted, SecretFileError> {
    let id = hex(&random::<8>()?);
    let text = format!("{prefix}{id}{}", URL_SAFE_NO_PAD.encode(random::<32>()?));
    Ok(Minted { sha256: sha256(&text), id, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minted_tokens_have_the_form_and_differ() {
        let (one, two) = (mint_token().unwrap(), mint_token().unwrap());
        assert_ne!(one.text, two.text);
        assert_eq!(public_part(&one.text), Some(one.id.as_str()));
        assert_eq!(one.sha256, sha256(&one.text));
        let key = mint_key().unwrap();
        assert!(key.text.starts_with("bw-") && key.text.len() == 3 + ID_CHARS + SECRET_CHARS);
    }

    #[test]
    fn only_bearer_tokens_of_our_form_are_taken() {
        let token = mint_token().unwrap().text;
        let check = |header: String, expect: bool| {
            assert_eq!(parse_bearer(&header).is_some(), expect, "{header}");
        };
        check(format!("Bearer {token}"), true);
        check(format!("bearer  {token}"), true);
        check(format!("Basic {token}"), false);
        check(token.clone(), false);
        check(format!("Bearer {token}x"), false);
        check("Bearer bwt-é".to_owned(), false);
        check("Bearer ".to_owned(), false);
    }
}
