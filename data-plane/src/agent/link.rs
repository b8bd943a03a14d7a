//! Calls the control plane, again and again, with jittered waits; on each link one stream of rulesets and one of reports. A
//! link whose heartbeats stop is dead, whatever its connection says.

use std::time::Duration;

use breakwater_common::limits::{
    CONTROL_PLANE_GREETING_MS_MAX, DRAIN_MS, HEARTBEAT_MS, RECONNECT_MS, RECONNECT_RESET_MS,
    REPORT_INTERVAL_MS,
};
use breakwater_proto::v1::proxy_service_client::ProxyServiceClient;
use breakwater_proto::v1::report_health_request::Message as Up;
use breakwater_proto::v1::report_health_response::Message as Question;
use breakwater_proto::v1::watch_rulesets_request::Message as Said;
use breakwater_proto::v1::watch_rulesets_response::Message as Heard;
use breakwater_proto::v1::{
    ExplainAnswer, ReportHealthRequest, WatchRulesetsRequest, WatchRulesetsResponse, Welcome,
};
use breakwater_runtime::backoff::SplitMix;
use breakwater_runtime::{Backoff, CancellationToken};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

use super::assembly::Assembly;
use super::rulesets::Taker;
use super::{Handles, Identity, believed, reports};

/// Messages of ours waiting to be sent on one stream; a control plane that does not read holds the sender, not memory.
const OUTBOX: usize = 8;
/// Heartbeats that may be missed.
const HEARTBEATS_MISSED_MAX: u32 = 3;

/// Keeps the link.
#[derive(Debug)]
pub(crate) struct Agent {
    endpoint: Endpoint,
    token: MetadataValue<Ascii>,
    identity: Identity,
    handles: Handles,
    backoff: Backoff,
    jitter: SplitMix,
    cluster_id: String,
}

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
enum LinkError {
    #[error("cannot reach the control plane; check control_plane.url and that it runs")]
    Connect(#[from] tonic::transport::Error),
    #[error("the control plane ended the stream: {} ({:?})", .0.message(), .0.code())]
    Status(#[from] Status),
    #[error("the control plane closed the stream")]
    Closed,
    #[error("no word from the control plane for {0:?}")]
    Silent(Duration),
    #[error("the control plane is going and asks to come back later")]
    Drained(Duration),
}

type Client = ProxyServiceClient<InterceptedService<Channel, Bearer>>;

/// Puts the proxy's token on every request.
#[derive(Clone)]
struct Bearer(MetadataValue<Ascii>);

impl tonic::service::Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        drop(request.metadata_mut().insert("authorization", self.0.clone()));
        Ok(request)
    }
}

impl Agent {
    /// Makes the agent; nothing is called yet. `token` is the metadata value `Bearer ...`.
    pub(crate) fn new(
        endpoint: Endpoint,
        token: MetadataValue<Ascii>,
        identity: Identity,
        handles: Handles,
        seed: u64,
    ) -> Self {
        let (base, cap) = RECONNECT_MS;
        let backoff = Backoff::new(Duration::from_millis(base), Duration::from_millis(cap), seed);
        let jitter = SplitMix::new(seed.rotate_left(32));
        Self { endpoint, token, identity, handles, backoff, jitter, cluster_id: String::new() }
    }

    /// Runs until the token is cancelled.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let began = self.handles.clock.mono();
            // Cancel-safe: a link that is dropped is closed; what it put in force stays.
            let ended = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                ended = self.link() => ended,
            };
            self.handles.metrics.connected(false);
            if self.handles.clock.mono().since(began) >= Duration::from_millis(RECONNECT_RESET_MS) {
                self.backoff.reset();
            }
            let mut wait = self.backoff.next_wait();
            if let Err(LinkError::Drained(most)) = &ended {
                let most_ms = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
                wait += Duration::from_millis(self.jitter.below(most_ms.saturating_add(1)));
            }
            if let Err(error) = ended {
                let reason = deepest(&error);
                let wait_ms = wait.as_millis();
                tracing::warn!(%error, reason, wait_ms, "control plane is not linked; serving on");
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn link(&mut self) -> Result<(), LinkError> {
        let channel = self.endpoint.connect().await?;
        let client = ProxyServiceClient::with_interceptor(channel, Bearer(self.token.clone()));
        let Self { identity, handles, cluster_id, .. } = self;
        let mut taker = Taker::new(handles, cluster_id);
        let (outbox, outgoing) = mpsc::channel(OUTBOX);
        say(&outbox, Said::Hello(taker.hello(identity))).await?;
        let mut watch = client.clone();
        let greeting = Duration::from_millis(CONTROL_PLANE_GREETING_MS_MAX);
        let opened = timeout(greeting, watch.watch_rulesets(ReceiverStream::new(outgoing))).await;
        let mut incoming = opened.map_err(|_elapsed| LinkError::Silent(greeting))??.into_inner();
        let Heard::Welcome(welcome) = hear(&mut incoming, greeting).await? else {
            return Err(LinkError::Status(Status::invalid_argument("the first word was not a welcome")));
        };
        taker.welcome(&welcome.cluster_id);
        handles.metrics.connected(true);
        tracing::info!(cluster = %welcome.cluster_id, node = %welcome.node_id, "linked to the control plane");
        // Cancel-safe: when one stream ends the link is over, and both are dropped.
        tokio::select! {
            ended = watch_rulesets(&mut taker, &mut incoming, &outbox, &welcome) => ended,
            ended = report_health(handles, identity, client, &welcome) => ended,
        }
    }
}

/// Returns what an error goes back to: "connection refused", not "transport error".
fn deepest(error: &dyn std::error::Error) -> Option<String> {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.last().map(ToString::to_string)
}

async fn say(outbox: &mpsc::Sender<WatchRulesetsRequest>, message: Said) -> Result<(), LinkError> {
    let request = WatchRulesetsRequest { message: Some(message) };
    outbox.send(request).await.map_err(|_closed| LinkError::Closed)
}

/// Waits for the next message that says something.
async fn hear(
    incoming: &mut Streaming<WatchRulesetsResponse>,
    patience: Duration,
) -> Result<Heard, LinkError> {
    loop {
        let heard = timeout(patience, incoming.message()).await;
        let response = heard.map_err(|_elapsed| LinkError::Silent(patience))??.ok_or(LinkError::Closed)?;
        // A message that this release does not know decodes as none: it is passed over.
        if let Some(message) = response.message {
            return Ok(message);
        }
    }
}

async fn watch_rulesets(
    taker: &mut Taker<'_>,
    incoming: &mut Streaming<WatchRulesetsResponse>,
    outbox: &mpsc::Sender<WatchRulesetsRequest>,
    welcome: &Welcome,
) -> Result<(), LinkError> {
    let patience = believed(welcome.heartbeat_ms, HEARTBEAT_MS) * HEARTBEATS_MISSED_MAX;
    loop {
        match hear(incoming, patience).await? {
            Heard::Begin(begin) => taker.begin(Assembly::begin(&begin)),
            Heard::Chunk(chunk) => taker.add(chunk.resources),
            Heard::End(end) => {
                if let Some(message) = taker.end(&end).await {
                    say(outbox, message).await?;
                }
            }
            Heard::Heartbeat(beat) => taker.beat(&beat),
            Heard::Welcome(_) => {}
            Heard::Drain(drain) => {
                return Err(LinkError::Drained(believed(drain.max_wait_ms, DRAIN_MS)));
            }
        }
    }
}

/// Sends a report every interval and answers questions in between.
async fn report_health(
    handles: &Handles,
    identity: &Identity,
    mut client: Client,
    welcome: &Welcome,
) -> Result<(), LinkError> {
    let (outbox, outgoing) = mpsc::channel(OUTBOX);
    let mut ticks = interval(believed(welcome.report_interval_ms, REPORT_INTERVAL_MS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first report goes before the stream is answered: a server may wait for it.
    let (report, mut next) = reports::report(handles, identity, 0);
    send(&outbox, Up::Report(report)).await?;
    let mut questions = client.report_health(ReceiverStream::new(outgoing)).await?.into_inner();
    loop {
        // Cancel-safe: `tick` and `message` lose nothing when dropped.
        tokio::select! {
            _ = ticks.tick() => {
                let (report, from) = reports::report(handles, identity, next);
                next = from;
                send(&outbox, Up::Report(report)).await?;
            }
            question = questions.message() => {
                let question = question?.ok_or(LinkError::Closed)?;
                if let Some(Question::Explain(asked)) = question.message {
                    let facts = handles.book.find(&asked.request_id);
                    let explanation = facts.map(|facts| reports::explain(&facts, &identity.proxy_id));
                    let answer = ExplainAnswer { question_id: asked.question_id, explanation };
                    send(&outbox, Up::Answer(answer)).await?;
                }
            }
        }
    }
}

async fn send(outbox: &mpsc::Sender<ReportHealthRequest>, message: Up) -> Result<(), LinkError> {
    let request = ReportHealthRequest { message: Some(message) };
    outbox.send(request).await.map_err(|_closed| LinkError::Closed)
}
