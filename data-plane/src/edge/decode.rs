//! Layer 6: from HTTP to a [`Call`]: reads the body up to its bound, unpacks it, finds the route by alias and tenant. Listings of models
//! are answered here: they need the key and the ruleset, and nothing below.

use std::error::Error;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use breakwater_common::limits::{
    ALIAS_BYTES_MAX, CALL_BODY_BYTES_MAX, CALL_BODY_IDLE_MS_MAX, CALL_BODY_MS_MAX, CALL_DISCARD_MS_MAX,
};
use breakwater_dialect::Format;
use breakwater_dialect::exchange;
use breakwater_dialect::pass::{Asked, BadRequest, ClientRequest};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, header};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};
use tower::Service;

use super::inflate::{Coding, inflate};
use super::{Door, Pinned, models, stored, trace_of};
use crate::call::{Call, Pending, Reply};
use crate::fault::Fault;
use crate::trace::Trace;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Decode<S> {
    inner: S,
}

impl<S> Decode<S> {
    /// Wraps a service.
    pub(crate) fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S, B> Service<Request<B>> for Decode<S>
where
    S: Service<Call, Response = Reply, Error = Fault, Future = Pending<Reply, Fault>>
        + Clone
        + Send
        + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Unpin + 'static,
{
    type Response = Reply;
    type Error = Fault;
    type Future = Pending<Reply, Fault>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut inner = self.inner.clone();
        Box::pin(async move {
            let trace = trace_of(&request);
            let (mut parts, body) = request.into_parts();
            // Both are put there by the layers above; a request that did not come through them has no place here.
            let door = parts.extensions.remove::<Door>().ok_or(Fault::Internal)?;
            let pinned = parts.extensions.remove::<Pinned>().ok_or(Fault::Internal)?;
            match door {
                Door::Models(_) => Ok(models::list(&pinned, door.format(&parts.headers))),
                Door::Model(ref id, _) => models::get(&pinned, id, door.format(&parts.headers)),
                Door::State(ref state) => {
                    let bytes = read(&parts.headers, body).await?;
                    inner.call(stored::call(&pinned, trace, state, &parts.headers, &bytes)?).await
                }
                Door::Call { asked, array } => {
                    let bytes = read(&parts.headers, body).await?;
                    let mut call = decode(&pinned, trace, asked, &bytes)?;
                    call.array = array;
                    call.headers = passed(&parts.headers);
                    inner.call(call).await
                }
            }
        })
    }
}

/// Headers that change what a provider of the caller's own format answers. No other goes on.
fn passed(headers: &HeaderMap) -> HeaderMap {
    let names = ["anthropic-beta", "anthropic-version"].map(http::HeaderName::from_static);
    let values = names.into_iter().flat_map(|name| {
        let values = headers.get_all(&name).iter().cloned().collect::<Vec<_>>();
        values.into_iter().map(move |value| (name.clone(), value))
    });
    values.collect()
}

pub(super) fn decode(pinned: &Pinned, trace: Trace, asked: Asked, bytes: &Bytes) -> Result<Call, Fault> {
    let request = parse(pinned, asked, bytes)?;
    let alias = request.model().to_owned();
    let holder = pinned.holder.clone();
    let route =
        pinned.ruleset.route_for(&holder.tenant, &alias).ok_or_else(|| model_not_found(&alias))?.clone();
    let mut facts = trace.note();
    facts.alias.clone_from(&alias);
    facts.route.clone_from(&route.name);
    facts.stream = request.stream();
    drop(facts);
    // The deadline layer, next below, starts the clock.
    Ok(Call {
        trace,
        tenant: pinned.ruleset.tenant(&holder.tenant),
        holder,
        route,
        alias,
        request: Arc::new(request),
        state: None,
        array: false,
        headers: HeaderMap::new(),
        redactions: Vec::new(),
        deadline: Instant::now(),
    })
}

/// Reads the body. Two formats need not say a model: the tenant's only one is meant then.
fn parse(pinned: &Pinned, asked: Asked, bytes: &Bytes) -> Result<ClientRequest, Fault> {
    let optional = matches!(asked.format, Format::Responses | Format::Moderations) && asked.model.is_none();
    let read = exchange::parse(asked.clone(), bytes);
    let alias = match &read {
        Err(bad) if optional && bad.is_missing("model") => stored::only(pinned, |_route| true),
        Ok(_) | Err(_) => None,
    };
    let read = match alias {
        Some(alias) => exchange::parse(Asked { model: Some(alias), ..asked }, bytes),
        None => read,
    };
    read.map_err(|BadRequest { param, message }| Fault::BadRequest { param, message })
}

/// Makes the one answer for aliases that do not exist and aliases that the tenant may not use.
pub(super) fn model_not_found(alias: &str) -> Fault {
    let shown: String = alias.chars().take(ALIAS_BYTES_MAX).collect();
    Fault::ModelNotFound { alias: shown }
}

/// Reads the rest of a refused body and forgets it, within bounds, so that a client that writes before it reads sees the
/// refusal and not a broken pipe. A client that waits for `100 Continue` has sent nothing and is answered at once.
async fn discard<B>(headers: &HeaderMap, mut body: B)
where
    B: Body<Data = Bytes> + Unpin,
{
    if headers.contains_key(header::EXPECT) {
        return;
    }
    let reading = async {
        let mut left = CALL_BODY_BYTES_MAX;
        while let Some(frame) = body.frame().await.and_then(Result::ok) {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    // A client that is slower than this finds the connection closed.
    let by = Instant::now() + Duration::from_millis(CALL_DISCARD_MS_MAX);
    drop(timeout_at(by, reading).await);
}

/// Reads the body. Errors: a coding, a length over the bound, silence, an end before the end.
async fn read<B>(headers: &HeaderMap, mut body: B) -> Result<Bytes, Fault>
where
    B: Body<Data = Bytes> + Unpin,
{
    let coding = Coding::of(headers)?;
    let too_large = Fault::BodyTooLarge { bytes_max: CALL_BODY_BYTES_MAX };
    let bytes_max = u64::try_from(CALL_BODY_BYTES_MAX).unwrap_or(u64::MAX);
    if body.size_hint().lower() > bytes_max {
        discard(headers, body).await;
        return Err(too_large);
    }
    let idle = Duration::from_millis(CALL_BODY_IDLE_MS_MAX);
    let by = Instant::now() + Duration::from_millis(CALL_BODY_MS_MAX);
    let mut first = Bytes::new();
    let mut rest: Option<BytesMut> = None;
    let mut over = false;
    loop {
        let patience = by.min(Instant::now() + idle);
        let frame = timeout_at(patience, body.frame()).await.map_err(|_elapsed| Fault::BodyTimeout)?;
        let Some(frame) = frame else { break };
        let Ok(data) = frame.map_err(|_broken| Fault::BodyIncomplete)?.into_data() else { continue };
        let held = rest.as_ref().map_or(first.len(), BytesMut::len);
        if held + data.len() > CALL_BODY_BYTES_MAX {
            over = true;
            break;
        }
        if first.is_empty() && rest.is_none() {
            first = data;
        } else {
            // Only the second frame makes a copy: most calls come in one.
            rest.get_or_insert_with(|| BytesMut::from(first.as_ref())).extend_from_slice(&data);
        }
    }
    if over {
        discard(headers, body).await;
        return Err(too_large);
    }
    let read = rest.map_or(first, BytesMut::freeze);
    match coding {
        Some(coding) => inflate(coding, read).await,
        None => Ok(read),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body::Frame;
    use http_body_util::{Full, StreamBody};

    use super::*;

    fn frames(parts: Vec<&'static [u8]>) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
        let frames = parts.into_iter().map(|part| Ok(Frame::data(Bytes::from_static(part))));
        StreamBody::new(futures::stream::iter(frames))
    }

    #[tokio::test]
    async fn frames_are_joined() {
        let headers = HeaderMap::new();
        assert_eq!(read(&headers, frames(vec![b"ab", b"", b"cd", b"e"])).await.unwrap(), "abcde");
        assert_eq!(read(&headers, frames(vec![])).await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_body_over_the_bound_is_refused_before_it_is_read() {
        let body = Full::new(Bytes::from(vec![b' '; CALL_BODY_BYTES_MAX + 1]));
        let fault = read(&HeaderMap::new(), body).await.unwrap_err();
        assert_eq!(fault, Fault::BodyTooLarge { bytes_max: CALL_BODY_BYTES_MAX });
    }

    #[tokio::test]
    async fn a_chunked_body_over_the_bound_is_refused() {
        static BLOCK: [u8; 1 << 20] = [b' '; 1 << 20];
        let fault = read(&HeaderMap::new(), frames(vec![&BLOCK[..]; 33])).await.unwrap_err();
        assert_eq!(fault.face().status, 413);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_is_given_up() {
        let body = StreamBody::new(futures::stream::pending::<Result<Frame<Bytes>, Infallible>>());
        assert_eq!(read(&HeaderMap::new(), body).await.unwrap_err(), Fault::BodyTimeout);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_given_up() {
        let drops = futures::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(CALL_BODY_IDLE_MS_MAX / 2)).await;
            Some((Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"x"))), ()))
        });
        let body = StreamBody::new(Box::pin(drops));
        assert_eq!(read(&HeaderMap::new(), body).await.unwrap_err(), Fault::BodyTimeout);
    }

    #[tokio::test]
    async fn a_coding_that_is_not_spoken_is_refused() {
        let headers = HeaderMap::from_iter([(header::CONTENT_ENCODING, "deflate".parse().unwrap())]);
        assert_eq!(read(&headers, frames(vec![b"x"])).await.unwrap_err(), Fault::ContentEncoding);
    }
}
