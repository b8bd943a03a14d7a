//! The form and the bounds of a proposal. The door checks them first, so that what is malformed never reaches the log;
//! apply checks them again, because a log may hold anything.

use std::collections::BTreeSet;

use breakwater_common::limits;
use breakwater_common::resource::Kind;
use breakwater_common::violation::Violation;

use crate::access::Role;
use crate::command::{Act, Command, CreateKey, CreateToken, ResourceWrite, SetRouteOverride};
use crate::proposal::Proposal;

/// Checks form and bounds of one act. Acts of many proxies share a command, and one that is malformed would have all of them
/// refused, so each is checked before it is put to the others.
#[must_use]
pub fn check_act(act: &Act) -> Vec<Violation> {
    let mut found = Found::default();
    found.act(act);
    found.violations
}

/// Checks form and bounds. Empty if all is well; at most [`limits::VIOLATIONS_MAX`].
#[must_use]
pub fn check(proposal: &Proposal) -> Vec<Violation> {
    let mut found = Found::default();
    let principal = &proposal.principal;
    let request_id = &proposal.request_id;
    found.unless(
        request_id.len() <= limits::REQUEST_ID_BYTES_MAX
            && request_id.bytes().all(|b| (b' '..=b'~').contains(&b)),
        "request_id",
        "must be at most 128 printable ASCII characters",
    );
    found.unless(is_identifier(&principal.id), "principal.id", IDENTIFIER);
    found.unless(
        principal.id.starts_with("system:") == (principal.role == Role::System),
        "principal.role",
        "is system for, and only for, a part of the control plane",
    );
    found.unless(principal.subject.len() <= limits::IDENTIFIER_BYTES_MAX, "principal.subject", "is too long");
    match &proposal.command {
        Command::Bootstrap { cluster_id, tokens } => {
            found.unless(
                is_origin(cluster_id),
                "cluster_id",
                "must be 1 to 128 of a-z, A-Z, 0-9, '-', '_' and '.'",
            );
            found.len("tokens", tokens.len(), limits::BOOTSTRAP_TOKENS_MAX);
            tokens.iter().for_each(|token| found.token(token));
        }
        Command::ChangeResources { writes, prune } => found.writes(writes, *prune),
        Command::CreateKey(key) => found.key(key),
        Command::RevokeKey { id } | Command::RevokeToken { id } => {
            found.unless(is_public_id(id), "id", PUBLIC_ID)
        }
        Command::CreateToken(token) => found.token(token),
        Command::RecordActs { acts } => {
            found.unless(!acts.is_empty(), "acts", "must not be empty");
            found.len("acts", acts.len(), limits::ACTS_MAX);
            acts.iter().for_each(|act| found.act(act));
        }
        Command::SetRouteOverride(set) => found.set_override(set),
        Command::ClearRouteOverride { route, reason, .. } => found.moved_route(route, reason),
    }
    found.violations.truncate(limits::VIOLATIONS_MAX);
    found.violations
}

const IDENTIFIER: &str = "must be 1 to 128 printable ASCII characters without spaces";
const PUBLIC_ID: &str = "must be 16 of 0-9 and a-f";

/// Whether the text may name something in a record and in a row's key.
pub(crate) fn is_identifier(text: &str) -> bool {
    (1..=limits::IDENTIFIER_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether the text is a code: what records say of reasons and states.
pub(crate) fn is_code(text: &str) -> bool {
    text.len() <= 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.'))
}

/// Whether the text is `Kind/name`.
pub(crate) fn is_object(text: &str) -> bool {
    text.split_once('/').is_some_and(|(kind, name)| Kind::parse(kind).is_some() && is_name(name))
}

/// Whether the text is a name: 1 to 63 of a-z, 0-9, "-", "_" and ".", starting with a letter or a digit.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let Some(first) = text.bytes().next() else { return false };
    text.len() <= limits::NAME_BYTES_MAX
        && plain(first)
        && text.bytes().all(|byte| plain(byte) || matches!(byte, b'-' | b'_' | b'.'))
}

fn is_origin(text: &str) -> bool {
    !text.is_empty() && text.len() <= limits::IDENTIFIER_BYTES_MAX && {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    }
}

fn is_public_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[derive(Default)]
struct Found {
    violations: Vec<Violation>,
}

impl Found {
    fn unless(&mut self, holds: bool, field: &str, message: &str) {
        if !holds {
            self.violations.push(Violation::at(field, message));
        }
    }

    fn len(&mut self, field: &str, len: usize, max: usize) {
        self.unless(len <= max, field, &format!("holds {len} elements, more than {max}"));
    }

    fn set_override(&mut self, set: &SetRouteOverride) {
        self.moved_route(&set.route, &set.reason);
        let named = set.endpoint.as_deref().is_none_or(is_name);
        self.unless(named, "fallback_endpoint", "must be the name of an Endpoint");
        let (shortest, longest) = limits::ROUTE_OVERRIDE_MS;
        let lasts = (shortest..=longest).contains(&set.ttl_ms);
        self.unless(lasts, "expires_after", &format!("must be {shortest} ms to {longest} ms"));
    }

    fn moved_route(&mut self, route: &str, reason: &str) {
        self.unless(is_name(route), "route_id", "must be the name of a Route");
        let code = !reason.is_empty() && is_code(reason);
        self.unless(code, "reason", "must be a code: 1 to 64 of a-z, A-Z, 0-9, '_', '-' and '.'");
    }

    fn writes(&mut self, writes: &[ResourceWrite], prune: bool) {
        let empty =
            if prune { "must not be empty: prune would remove everything" } else { "must not be empty" };
        self.unless(!writes.is_empty(), "writes", empty);
        self.len("writes", writes.len(), limits::MANIFEST_DOCUMENTS_MAX);
        let mut seen = BTreeSet::new();
        for (document, write) in (1..).zip(writes) {
            let mut refuse = |field: &str, message: String| {
                let resource = format!("{}/{}", write.kind.as_str(), write.name);
                let at = Violation::at(field, message);
                self.violations.push(Violation { document: Some(document), resource, ..at });
            };
            if !is_name(&write.name) {
                let rule = "must be 1 to 63 of a-z, 0-9, '-', '_' and '.', starting with a letter or a digit";
                refuse("name", rule.to_owned());
            }
            let bytes = write.spec.as_ref().map_or(0, Vec::len);
            if bytes > limits::RESOURCE_BYTES_MAX {
                refuse("spec", format!("takes {bytes} bytes, more than {}", limits::RESOURCE_BYTES_MAX));
            }
            if !seen.insert((write.kind, &write.name)) {
                refuse("name", "the resource is given twice".to_owned());
            }
        }
    }

    fn key(&mut self, key: &CreateKey) {
        self.unless(is_public_id(&key.id), "id", PUBLIC_ID);
        self.unless(
            is_name(&key.tenant),
            "tenant",
            "must be the name of a Tenant: small letters, digits, and -, _ or . after the first",
        );
        self.len("attributes", key.attributes.len(), limits::KEY_ATTRIBUTES_MAX);
        for (name, value) in &key.attributes {
            let fits = !name.is_empty()
                && name.len() <= limits::KEY_ATTRIBUTE_BYTES_MAX
                && value.len() <= limits::KEY_ATTRIBUTE_BYTES_MAX;
            self.unless(
                fits,
                "attributes",
                "name and value must have at most 256 bytes each, the name at least one",
            );
        }
        if let Some(replaces) = &key.replaces {
            self.unless(is_public_id(&replaces.id), "replaces", PUBLIC_ID);
        }
    }

    fn token(&mut self, token: &CreateToken) {
        self.unless(is_public_id(&token.id), "id", PUBLIC_ID);
        self.unless(
            is_name(&token.subject),
            "subject",
            "must be a name: 1 to 63 of a-z, 0-9, '-', '_' and '.'",
        );
        self.unless(token.role != Role::System, "role", "must be viewer, operator, auditor, admin or proxy");
    }

    fn act(&mut self, act: &Act) {
        for (field, text) in [("acts.proxy", &act.proxy), ("acts.boot_id", &act.boot_id)] {
            self.unless(is_identifier(text), field, IDENTIFIER);
        }
        self.unless(is_object(&act.object), "acts.object", "must be Kind/name");
        self.unless(!act.action.is_empty(), "acts.action", "must not be empty");
        for (field, text) in [
            ("acts.action", &act.action),
            ("acts.from", &act.from),
            ("acts.to", &act.to),
            ("acts.reason", &act.reason),
        ] {
            self.unless(
                is_code(text),
                field,
                "must be a code: at most 64 of a-z, A-Z, 0-9, '_', '-' and '.'",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use breakwater_common::time::UnixMillis;

    use super::*;
    use crate::proposal::Principal;

    fn fields(command: Command) -> Vec<String> {
        let (request_id, principal) = (String::new(), Principal::system("test"));
        let stamped = UnixMillis(0);
        check(&Proposal { request_id, principal, stamped, request_digest: None, command })
            .into_iter()
            .map(|violation| violation.field_path)
            .collect()
    }

    fn write(name: &str, bytes: usize) -> ResourceWrite {
        let spec = Some(vec![0; bytes]);
        ResourceWrite { kind: Kind::Tenant, name: name.to_owned(), spec, expected_revision: None }
    }

    #[test]
    fn writes_are_bounded_and_named_once() {
        let check = |writes: Vec<ResourceWrite>, expect: &[&str]| {
            assert_eq!(fields(Command::ChangeResources { writes, prune: false }), expect);
        };
        check(vec![write("a", limits::RESOURCE_BYTES_MAX)], &[]);
        check(vec![write("a", limits::RESOURCE_BYTES_MAX + 1)], &["spec"]);
        check(vec![], &["writes"]);
        check(vec![write("a", 0), write("a", 0)], &["name"]);
        for bad in ["", "A", "-a", "a b", "a\0b", "a/b", &"a".repeat(64)] {
            check(vec![write(bad, 0)], &["name"]);
        }
        let many = (0..=limits::MANIFEST_DOCUMENTS_MAX).map(|number| write(&format!("a{number}"), 0));
        check(many.collect(), &["writes"]);
    }

    #[test]
    fn keys_and_tokens_are_well_made() {
        let key = |id: &str, attributes: usize, bytes: usize| {
            let attributes = (0..attributes)
                .map(|number| (number.to_string(), "v".repeat(bytes)))
                .collect::<BTreeMap<_, _>>();
            Command::CreateKey(CreateKey {
                id: id.to_owned(),
                sha256: [0; 32],
                tenant: "acme".to_owned(),
                attributes,
                expire: None,
                replaces: None,
            })
        };
        assert_eq!(fields(key("0123456789abcdef", 16, 256)), Vec::<String>::new());
        assert_eq!(fields(key("0123456789ABCDEF", 17, 1)), ["id", "attributes"]);
        assert_eq!(fields(key("0123456789abcde", 1, 257)), ["id", "attributes"]);
        let token = CreateToken {
            id: "x".to_owned(),
            sha256: [0; 32],
            subject: "Alice <a@example.org>".to_owned(),
            role: Role::System,
        };
        assert_eq!(fields(Command::CreateToken(token)), ["id", "subject", "role"]);
    }

    #[test]
    fn acts_hold_codes_only() {
        let act = |reason: &str, object: &str| Act {
            proxy: "proxy-1".to_owned(),
            boot_id: "b".to_owned(),
            action: "breaker.transition".to_owned(),
            object: object.to_owned(),
            from: "closed".to_owned(),
            to: "half-open".to_owned(),
            reason: reason.to_owned(),
            at: UnixMillis(1),
            generation: 1,
        };
        let acts = |acts| fields(Command::RecordActs { acts });
        assert_eq!(acts(vec![act("threshold_reached", "Provider/openai")]), Vec::<String>::new());
        assert_eq!(acts(vec![act("the prompt said hello", "Provider/openai")]), ["acts.reason"]);
        assert_eq!(acts(vec![act("", "openai")]), ["acts.object"]);
        assert_eq!(acts(vec![]), ["acts"]);
        let many = vec![act("", "Provider/openai"); limits::ACTS_MAX + 1];
        assert_eq!(acts(many), ["acts"]);
    }

    #[test]
    fn the_envelope_is_bounded_and_system_is_no_role_of_tokens() {
        let proposal = |request_id: &str, id: &str, role| Proposal {
            request_id: request_id.to_owned(),
            principal: Principal { id: id.to_owned(), subject: String::new(), role },
            stamped: UnixMillis(0),
            request_digest: None,
            command: Command::RevokeKey { id: "0123456789abcdef".to_owned() },
        };
        let check = |proposal: Proposal, expect: &[&str]| {
            let found: Vec<_> = check(&proposal).into_iter().map(|violation| violation.field_path).collect();
            assert_eq!(found, expect);
        };
        check(proposal(&"r".repeat(128), "0123456789abcdef", Role::Admin), &[]);
        check(proposal(&"r".repeat(129), "0123456789abcdef", Role::Admin), &["request_id"]);
        check(proposal("a\0b", "0123456789abcdef", Role::Admin), &["request_id"]);
        check(proposal("", "0123456789abcdef", Role::System), &["principal.role"]);
        check(proposal("", "system:fleet", Role::Admin), &["principal.role"]);
        check(proposal("", "a\0b", Role::Admin), &["principal.id"]);
    }
}
