//! AWS Signature Version 4 (source: IAM user guide, "Create a signed AWS API request"), for Bedrock: from the parts of a
//! request and the time to the headers that prove it. Nothing here reads a clock or sends anything.

use ring::{digest, hmac};

/// The name under which Bedrock's runtime is signed for.
pub(crate) const BEDROCK: &str = "bedrock";

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Stands at the end of every scope.
const TERMINATOR: &str = "aws4_request";

/// An access key of AWS.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct AccessKey<'a> {
    id: &'a str,
    secret: &'a str,
    /// Of a key that lives some hours.
    session: Option<&'a str>,
}

/// Never shows the secret.
impl std::fmt::Debug for AccessKey<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl<'a> AccessKey<'a> {
    /// Reads `ACCESS_KEY_ID:SECRET[:SESSION_TOKEN]`; none if the text is anything else, such as a Bedrock API key, which goes
    /// as a bearer token. No part of the former holds a colon, and an API key holds none at all.
    pub(crate) fn parse(api_key: &'a str) -> Option<Self> {
        let (id, rest) = api_key.split_once(':')?;
        let (secret, session) = match rest.split_once(':') {
            Some((secret, session)) => (secret, Some(session)),
            None => (rest, None),
        };
        let word = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let opaque =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        (word(id) && opaque(secret) && session.is_none_or(opaque)).then_some(Self { id, secret, session })
    }
}

/// What of a request is signed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    /// `POST`.
    pub(crate) method: &'a str,
    /// The path as it stands in the URL, escaped: `/model/a%3A0/converse`.
    pub(crate) path: &'a str,
    /// The query as it stands in the URL, escaped, without its question mark; empty if there is none.
    pub(crate) query: &'a str,
    /// Headers to be signed besides those that are made here: names in lower case, `host` among them.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// All of the body.
    pub(crate) body: &'a [u8],
}

/// For whom it is signed, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// `us-east-1`.
    pub(crate) region: &'a str,
    /// [`BEDROCK`].
    pub(crate) service: &'a str,
    /// Seconds since 1970. AWS refuses a request that is more than five minutes off.
    pub(crate) unix_seconds: u64,
}

/// Returns the headers that a request must have besides those of its parts.
pub(crate) fn sign(key: AccessKey<'_>, parts: &Parts<'_>, scope: Scope<'_>) -> Vec<(&'static str, String)> {
    let time = timestamp(scope.unix_seconds);
    let date = time.get(..8).unwrap_or_default();
    let mut made = vec![("x-amz-date", time.clone())];
    made.extend(key.session.map(|session| ("x-amz-security-token", session.to_owned())));
    let mut headers: Vec<(&str, &str)> = parts.headers.to_vec();
    headers.extend(made.iter().map(|(name, value)| (*name, value.as_str())));
    headers.sort_unstable();
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let canonical = canonical(parts, &headers, &names);
    let within = format!("{date}/{}/{}/{TERMINATOR}", scope.region, scope.service);
    let proven = format!("{ALGORITHM}\n{time}\n{within}\n{}", hex(sha256(canonical.as_bytes()).as_ref()));
    let start = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{}", key.secret).as_bytes());
    let last = [date, scope.region, scope.service, TERMINATOR].iter().fold(start, |key, part| {
        hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref())
    });
    let signature = hex(hmac::sign(&last, proven.as_bytes()).as_ref());
    let id = key.id;
    let proof = format!("{ALGORITHM} Credential={id}/{within}, SignedHeaders={names}, Signature={signature}");
    made.push(("authorization", proof));
    made
}

/// Returns the region in the host name of Bedrock's runtime: `bedrock-runtime.us-east-1.amazonaws.com`, also its FIPS and
/// private addresses.
pub(crate) fn region_of(host: &str) -> Option<&str> {
    let mut labels = host.split(['.', ':']).skip_while(|label| !label.starts_with("bedrock-runtime"));
    let _service = labels.next()?;
    labels.next().filter(|region| region.bytes().filter(|byte| *byte == b'-').count() >= 2)
}

/// The request in the form that both sides hash.
fn canonical(parts: &Parts<'_>, headers: &[(&str, &str)], names: &str) -> String {
    let mut query: Vec<(&str, &str)> = parts
        .query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    query.sort_unstable();
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let headers: String =
        headers.iter().map(|(name, value)| format!("{name}:{}\n", single_spaced(value))).collect();
    let body = hex(sha256(parts.body).as_ref());
    format!(
        "{}\n{}\n{}\n{headers}\n{names}\n{body}",
        parts.method,
        escaped_again(parts.path),
        query.join("&")
    )
}

/// Escapes a path that is escaped already: every service but S3 wants it twice (`%3A` is signed as `%253A`).
fn escaped_again(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len() + 16);
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    if escaped.is_empty() { "/".to_owned() } else { escaped }
}

fn single_spaced(value: &str) -> String {
    value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn sha256(bytes: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a time as `20150830T123600Z`.
fn timestamp(unix_seconds: u64) -> String {
    const DAY: u64 = 86_400;
    let (year, month, day) = date_of(unix_seconds / DAY);
    let second = unix_seconds % DAY;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Returns the date of a day since 1970 (source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `civil_from_days`).
fn date_of(days: u64) -> (u64, u64, u64) {
    let days = days.saturating_add(719_468);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months from March on.
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests;
