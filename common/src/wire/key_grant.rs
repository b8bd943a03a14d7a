//! What a proxy needs to know of an API key: the body of a ruleset's item of kind `Key`.

use std::collections::BTreeMap;

use breakwater_proto::v1;
use prost::Message;

use crate::time::UnixMillis;
use crate::violation::Violation;

/// What a proxy needs to know of an API key. The key itself is nowhere: only its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyGrant {
    /// SHA-256 of the whole key.
    pub sha256: [u8; 32],
    /// Name of the tenant whose it is.
    pub tenant: String,
    /// What conditions see as `user.NAME`.
    pub attributes: BTreeMap<String, String>,
    /// From when on it no longer counts; none for never.
    pub expire: Option<UnixMillis>,
}

/// Encodes a grant. The same grant always gives the same bytes.
#[must_use]
pub fn encode_key_grant(grant: &KeyGrant) -> Vec<u8> {
    v1::KeyGrant {
        sha256: grant.sha256.to_vec(),
        tenant: grant.tenant.clone(),
        attributes: grant.attributes.clone(),
        expire_unix_ms: grant.expire.map_or(0, |time| time.0),
    }
    .encode_to_vec()
}

/// Decodes a grant. Violations have no resource; the caller knows the key's id.
///
/// # Errors
/// If the bytes are no grant or the hash has not 32 bytes.
pub fn decode_key_grant(body: &[u8]) -> Result<KeyGrant, Vec<Violation>> {
    let message: v1::KeyGrant = super::message(body)?;
    let sha256 = message
        .sha256
        .try_into()
        .map_err(|bytes: Vec<u8>| vec![Violation::at("sha256", format!("{} bytes, not 32", bytes.len()))])?;
    Ok(KeyGrant {
        sha256,
        tenant: message.tenant,
        attributes: message.attributes,
        expire: (message.expire_unix_ms != 0).then_some(UnixMillis(message.expire_unix_ms)),
    })
}
