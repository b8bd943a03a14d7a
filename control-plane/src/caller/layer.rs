//! The proof of a caller, once for each request.

use breakwater_control_core::State;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};

use super::{Caller, parse_bearer, sha256};

/// What needs no proof: the probes of load balancers and orchestrators. They say alive or ready and nothing else.
const OPEN_TO_ALL: [(Method, &str); 7] = [
    (Method::GET, "/healthz"),
    (Method::GET, "/readyz"),
    (Method::GET, "/api/health/ping"),
    (Method::HEAD, "/healthz"),
    (Method::HEAD, "/readyz"),
    (Method::POST, "/breakwater.v1.SystemService/Ping"),
    (Method::POST, "/grpc.health.v1.Health/Check"),
];

/// Why a caller was not let in. Says nothing about which part was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No bearer token, or not one of ours.
    #[error("no token: send the header \"authorization: Bearer bwt-...\"")]
    Missing,
    /// No active token of that text.
    #[error("the token is not known or was revoked")]
    Unknown,
}

/// Proves the caller of a request. `Ok(None)` is a probe that came without a token.
pub fn prove(
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    state: &State,
) -> Result<Option<Caller>, Refused> {
    let open = OPEN_TO_ALL.iter().any(|(open_method, open_path)| open_method == method && *open_path == path);
    match proven(headers, state) {
        Ok(caller) => Ok(Some(caller)),
        Err(_) if open => Ok(None),
        Err(refused) => Err(refused),
    }
}

fn proven(headers: &HeaderMap, state: &State) -> Result<Caller, Refused> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    // Two tokens are no token: which one a part in between looked at is anybody's guess.
    let (Some(value), None) = (values.next(), values.next()) else { return Err(Refused::Missing) };
    let token = value.to_str().ok().and_then(parse_bearer).ok_or(Refused::Missing)?;
    let principal = state.authenticate(&sha256(token)).ok_or(Refused::Unknown)?;
    Ok(Caller { principal })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_probes_pass_without_a_token() {
        let state = State::default();
        let check = |method: Method, path, expect: bool| {
            assert_eq!(prove(&method, path, &HeaderMap::new(), &state).is_ok(), expect, "{method} {path}");
        };
        check(Method::GET, "/healthz", true);
        check(Method::GET, "/readyz", true);
        check(Method::GET, "/api/health/ping", true);
        check(Method::POST, "/breakwater.v1.SystemService/Ping", true);
        check(Method::GET, "/metrics", false);
        check(Method::GET, "/v1/providers", false);
        check(Method::POST, "/healthz", false);
        check(Method::GET, "/healthz/", false);
        check(Method::POST, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", false);
    }

    #[test]
    fn an_unknown_token_and_two_tokens_are_refused() {
        let token = format!("Bearer {}", super::super::mint_token().unwrap().text);
        let mut headers = HeaderMap::new();
        headers.append(AUTHORIZATION, token.parse().unwrap());
        assert_eq!(
            prove(&Method::GET, "/v1/keys", &headers, &State::default()).unwrap_err(),
            Refused::Unknown
        );
        headers.append(AUTHORIZATION, token.parse().unwrap());
        assert_eq!(
            prove(&Method::GET, "/v1/keys", &headers, &State::default()).unwrap_err(),
            Refused::Missing
        );
    }
}
