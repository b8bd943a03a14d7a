//! Path templates of `google.api.http`: literals, `{field}`, `{field.of.message}` and one `:verb` at the end. What our
//! API does not use (`**`, patterns within variables) is refused when the table is built, not at a call.

/// A path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    segments: Vec<Segment>,
    verb: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Variable(String),
}

/// Field paths and their values from a request's path.
pub(super) type Bindings = Vec<(String, String)>;

impl Template {
    /// Reads a template. The error is for who writes proto files.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let refuse = |what: &str| Err(format!("path template {text:?}: {what}"));
        let Some(path) = text.strip_prefix('/') else { return refuse("must begin with a slash") };
        let (path, verb) = match path.rsplit_once(':') {
            Some((path, verb)) if !verb.contains(['/', '}']) => (path, Some(verb.to_owned())),
            _ => (path, None),
        };
        let mut segments = Vec::new();
        for part in path.split('/') {
            let variable = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
            match variable {
                Some(name) if name.contains(['=', '*']) => {
                    return refuse("patterns in variables are not read");
                }
                Some(name) => segments.push(Segment::Variable(name.to_owned())),
                None if part.is_empty() || part.contains(['{', '}', '*']) => {
                    return refuse("a segment is not read");
                }
                None => segments.push(Segment::Literal(part.to_owned())),
            }
        }
        Ok(Self { segments, verb })
    }

    /// Matches a request's path, still percent-encoded. Literals win over variables by the order of the table.
    pub(super) fn matches(&self, path: &str) -> Option<Bindings> {
        let path = match &self.verb {
            Some(verb) => path.strip_suffix(verb.as_str())?.strip_suffix(':')?,
            None => path,
        };
        let mut parts = path.strip_prefix('/')?.split('/');
        let mut bindings = Vec::new();
        for segment in &self.segments {
            let part = parts.next()?;
            match segment {
                Segment::Literal(literal) if literal == part => {}
                Segment::Literal(_) => return None,
                Segment::Variable(name) => bindings.push((name.clone(), percent_decode(part, false)?)),
            }
        }
        let values_are_whole = bindings.iter().all(|(_, value)| !value.is_empty());
        // A resource's name has no colon: without a verb here, a colon is another template's verb.
        let no_stray_verb = self.verb.is_some() || !path.rsplit('/').next().unwrap_or_default().contains(':');
        (parts.next().is_none() && values_are_whole && no_stray_verb).then_some(bindings)
    }

    /// Counts variables: of two templates that match, the one with fewer is meant.
    pub(super) fn variables(&self) -> usize {
        self.segments.iter().filter(|segment| matches!(segment, Segment::Variable(_))).count()
    }
}

/// Decodes `%41`, and `+` where it means a space; none if it is malformed or not UTF-8.
pub(super) fn percent_decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                u8::try_from(digit(bytes.next())? * 16 + digit(bytes.next())?).ok()?
            }
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_their_template_alone() {
        let check = |template: &str, path: &str, expect: Option<&[(&str, &str)]>| {
            let found = Template::parse(template).unwrap().matches(path);
            let expect = expect
                .map(|list| list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>());
            assert_eq!(found, expect, "{template} {path}");
        };
        check("/v1/providers", "/v1/providers", Some(&[]));
        check("/v1/providers", "/v1/providers/", None);
        check("/v1/providers/{name}", "/v1/providers/open%61i", Some(&[("name", "openai")]));
        check("/v1/providers/{name}", "/v1/providers/", None);
        check("/v1/providers/{name}", "/v1/providers/a/b", None);
        check("/v1/providers/{name}", "/v1/providers/a:verb", None);
        check("/v1/providers/{name}", "/v1/providers/%ff", None);
        check("/v1/slos/{slo.name}", "/v1/slos/x", Some(&[("slo.name", "x")]));
        check("/v1/keys/{id}:revoke", "/v1/keys/7:revoke", Some(&[("id", "7")]));
        check("/v1/keys/{id}:revoke", "/v1/keys/7:rotate", None);
        check("/v1/keys/{id}:revoke", "/v1/keys/:revoke", None);
        check("/v1/resources:apply", "/v1/resources:apply", Some(&[]));
    }

    #[test]
    fn templates_beyond_ours_are_refused() {
        for template in ["v1", "/v1//x", "/v1/{name=**}", "/v1/*", "/v1/{a}b"] {
            assert!(Template::parse(template).is_err(), "{template}");
        }
    }
}
