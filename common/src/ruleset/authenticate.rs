//! Who holds an API key.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::time::UnixMillis;
use crate::wire::KeyGrant;

/// Bytes of a hash by which entries are found; the rest is compared in constant time.
const BUCKET_BYTES: usize = 4;

/// Who holds an API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHolder {
    /// The key's public part.
    pub key_id: String,
    /// Name of the tenant.
    pub tenant: String,
    /// What conditions see as `user.NAME`.
    pub attributes: BTreeMap<String, String>,
}

/// All keys by the SHA-256 of the whole key.
///
/// Finding a bucket takes a time that depends on the first 4 bytes of the hash; whoever tries keys learns at most those
/// of a hash that they cannot choose, and nothing of the key. Within a bucket every entry is compared whole.
#[derive(Debug, Default)]
pub(super) struct Keys {
    buckets: BTreeMap<[u8; BUCKET_BYTES], Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    sha256: [u8; 32],
    expire: Option<UnixMillis>,
    holder: Arc<KeyHolder>,
}

impl Keys {
    pub(super) fn insert(&mut self, key_id: &str, grant: KeyGrant) {
        let KeyGrant { sha256, tenant, attributes, expire } = grant;
        let holder = Arc::new(KeyHolder { key_id: key_id.to_owned(), tenant, attributes });
        self.buckets.entry(bucket(&sha256)).or_default().push(Entry { sha256, expire, holder });
    }

    /// Returns the holder of the key with this hash; none if there is none or it has ended.
    pub(super) fn find(&self, sha256: &[u8; 32], now: UnixMillis) -> Option<Arc<KeyHolder>> {
        let mut found = None;
        for entry in self.buckets.get(&bucket(sha256))? {
            if same(&entry.sha256, sha256) && entry.expire.is_none_or(|end| now < end) {
                found = Some(&entry.holder);
            }
        }
        found.cloned()
    }
}

fn bucket(sha256: &[u8; 32]) -> [u8; BUCKET_BYTES] {
    let [a, b, c, d, ..] = *sha256;
    [a, b, c, d]
}

/// Compares without stopping at the first difference.
fn same(left: &[u8; 32], right: &[u8; 32]) -> bool {
    left.iter().zip(right).fold(0, |difference, (l, r)| difference | (l ^ r)) == 0
}
