//! One proxy's configuration stream. Everything that the server says goes through one bounded queue, heartbeats too: a
//! heartbeat that arrives proves that rulesets would (fleet design, after etcd #15220). A slow proxy is not waited for
//! with old revisions: when it has room it gets the newest.

use std::sync::Arc;
use std::time::Duration;

use breakwater_common::limits::REPORT_TEXT_BYTES_MAX;
use breakwater_common::violation::Violation;
use breakwater_proto::v1::watch_rulesets_request::Message as Inbound;
use breakwater_proto::v1::watch_rulesets_response::Message;
use breakwater_proto::v1::{
    Drain, Heartbeat, Hello, Nack, RulesetBegin, RulesetEnd, WatchRulesetsRequest, WatchRulesetsResponse,
    Welcome,
};
use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt};
use tonic::{Code, Status};

use super::book::Parked;
use super::{Encoded, Publisher};

/// Longest wait for a proxy's first message.
const HELLO_DEADLINE: Duration = Duration::from_secs(5);
/// Longest wait for room in a proxy's queue. After it the stream ends, and the proxy comes back for the newest.
const SEND_DEADLINE: Duration = Duration::from_secs(30);
/// Longest wait for a revision that the proxy has already and this node has not.
const CATCH_UP_DEADLINE: Duration = Duration::from_secs(2);
/// Over how long proxies spread their return after a drain, in milliseconds.
const RETURN_WITHIN_MS: u32 = 5_000;
/// Bytes of a proxy's id.
const PROXY_ID_BYTES_MAX: usize = 128;

/// What the server says to one proxy.
pub type Outbound = mpsc::Sender<Result<WatchRulesetsResponse, Status>>;

/// One stream.
#[derive(Debug)]
pub struct Session {
    publisher: Publisher,
    token: String,
    outbound: Outbound,
    proxy: String,
    /// Digest of the ruleset that the proxy holds or was sent last.
    sent: [u8; 32],
    sent_revision: u64,
    heartbeats: u64,
}

/// Why a session ended.
enum End {
    /// The proxy left, or does not take what is sent.
    Gone,
    /// The proxy is told why.
    Told(Status),
    /// The server drains.
    Drain,
}

impl Publisher {
    /// Makes a session of a proxy that holds this token.
    #[must_use]
    pub fn session(&self, token: String, outbound: Outbound) -> Session {
        Session {
            publisher: self.clone(),
            token,
            outbound,
            proxy: String::new(),
            sent: [0; 32],
            sent_revision: 0,
            heartbeats: 0,
        }
    }
}

impl Session {
    /// Runs the session until the proxy leaves, its token ends, or the server drains.
    pub async fn run<S>(mut self, mut inbound: S)
    where
        S: Stream<Item = Result<WatchRulesetsRequest, Status>> + Unpin,
    {
        let end = match self.hello(&mut inbound).await {
            Ok(hello) => {
                let book = self.publisher.book.clone();
                book.opened(&self.proxy, &hello.boot_id, &hello.version, hello.revision);
                tracing::info!(proxy = self.proxy, revision = hello.revision, "proxy connected");
                let end = self.serve(&hello, &mut inbound).await;
                book.closed(&self.proxy);
                end
            }
            Err(end) => end,
        };
        match end {
            End::Gone => {}
            End::Told(status) => drop(self.outbound.send(Err(status)).await),
            End::Drain => drop(self.send(Message::Drain(Drain { max_wait_ms: RETURN_WITHIN_MS })).await),
        }
        tracing::info!(proxy = self.proxy, "proxy's configuration stream ended");
    }

    async fn hello<S>(&mut self, inbound: &mut S) -> Result<Hello, End>
    where
        S: Stream<Item = Result<WatchRulesetsRequest, Status>> + Unpin,
    {
        let told = |text: &str| Err(End::Told(Status::new(Code::InvalidArgument, text)));
        let Ok(first) = tokio::time::timeout(HELLO_DEADLINE, inbound.next()).await else {
            return told("no hello came in time");
        };
        let Some(Ok(WatchRulesetsRequest { message })) = first else { return Err(End::Gone) };
        let Some(Inbound::Hello(hello)) = message else { return told("the first message must be hello") };
        if hello.proxy_id.is_empty() || hello.proxy_id.len() > PROXY_ID_BYTES_MAX {
            return told("hello.proxy_id must be 1 to 128 bytes");
        }
        self.proxy.clone_from(&hello.proxy_id);
        Ok(Hello { boot_id: cut(&hello.boot_id), version: cut(&hello.version), ..hello })
    }

    async fn serve<S>(&mut self, hello: &Hello, inbound: &mut S) -> End
    where
        S: Stream<Item = Result<WatchRulesetsRequest, Status>> + Unpin,
    {
        match self.greet(hello).await {
            Ok(()) => {}
            Err(end) => return end,
        }
        let mut newest = self.publisher.newest.clone();
        let mut applied = self.publisher.applied.clone();
        let mut beat = tokio::time::interval(self.publisher.settings.heartbeat);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let end = self.publisher.end.clone();
        loop {
            if !self.publisher.may_serve(&self.token) {
                return End::Told(Status::unauthenticated("the token was revoked"));
            }
            let current = newest.borrow_and_update().clone();
            if let Err(end) = self.send_ruleset(&current).await {
                return end;
            }
            // Every arm is cancel-safe: a stream's next, a watch's changed, an interval's tick, a token.
            let step = tokio::select! {
                () = end.cancelled() => Err(End::Drain),
                message = inbound.next() => match message {
                    Some(Ok(request)) => self.hear(request, &current),
                    Some(Err(_)) | None => Err(End::Gone),
                },
                changed = newest.changed() => changed.map_err(|_| End::Drain),
                changed = applied.changed() => changed.map_err(|_| End::Drain),
                _ = beat.tick() => self.beat(current.revision).await,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Says welcome, and waits for the revision that the proxy has, if this node is behind.
    async fn greet(&mut self, hello: &Hello) -> Result<(), End> {
        let mut newest = self.publisher.newest.clone();
        let settings = &self.publisher.settings;
        let (node_id, heartbeat, report) = (settings.node_id, settings.heartbeat, settings.report_interval);
        let wait = newest.wait_for(|encoded| {
            let same_cluster = hello.cluster_id == encoded.cluster_id;
            encoded.revision > 0 && (!same_cluster || encoded.revision >= hello.revision)
        });
        let current = match tokio::time::timeout(CATCH_UP_DEADLINE, wait).await {
            Ok(Ok(current)) => current.clone(),
            // Another node may have it. Never something older than the proxy holds.
            Ok(Err(_)) | Err(_) => return Err(End::Drain),
        };
        let same = hello.cluster_id == current.cluster_id && hello.revision == current.revision;
        if same && hello.digest == current.digest {
            (self.sent, self.sent_revision) = (current.digest, current.revision);
        }
        let millis = |duration: Duration| u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
        self.send(Message::Welcome(Welcome {
            cluster_id: current.cluster_id.clone(),
            node_id: node_id.to_string(),
            heartbeat_ms: millis(heartbeat),
            report_interval_ms: millis(report),
        }))
        .await
    }

    async fn send_ruleset(&mut self, ruleset: &Arc<Encoded>) -> Result<(), End> {
        let known = self.sent == ruleset.digest && self.sent_revision == ruleset.revision;
        if known || ruleset.revision == 0 || self.publisher.book.is_parked(&self.proxy, &ruleset.digest) {
            return Ok(());
        }
        let begin = RulesetBegin { revision: ruleset.revision, resources: ruleset.resources };
        self.send(Message::Begin(begin)).await?;
        for chunk in &ruleset.chunks {
            self.send(Message::Chunk(chunk.clone())).await?;
        }
        let end = RulesetEnd { revision: ruleset.revision, digest: ruleset.digest.to_vec() };
        self.send(Message::End(end)).await?;
        (self.sent, self.sent_revision) = (ruleset.digest, ruleset.revision);
        Ok(())
    }

    fn hear(&self, request: WatchRulesetsRequest, current: &Encoded) -> Result<(), End> {
        let book = &self.publisher.book;
        match request.message {
            Some(Inbound::Ack(ack)) => {
                book.acknowledged(&self.proxy, ack.revision);
                tracing::info!(
                    proxy = self.proxy,
                    revision = ack.revision,
                    apply_us = ack.apply_us,
                    "ruleset acknowledged"
                );
                Ok(())
            }
            Some(Inbound::Nack(nack)) => {
                let why = reasons(&nack);
                tracing::error!(
                    proxy = self.proxy,
                    revision = nack.revision,
                    why,
                    "ruleset refused by a proxy"
                );
                // A refusal of an older revision parks nothing: the newest is on its way.
                if nack.revision == self.sent_revision {
                    let digest = if nack.revision == current.revision { current.digest } else { self.sent };
                    book.refused(&self.proxy, Parked { revision: nack.revision, digest, why });
                }
                Ok(())
            }
            Some(Inbound::Hello(_)) | None => Err(End::Told(Status::new(
                Code::InvalidArgument,
                "hello comes once, and each message has a content",
            ))),
        }
    }

    async fn beat(&mut self, revision: u64) -> Result<(), End> {
        self.heartbeats += 1;
        let proxies = self.publisher.book.connected();
        let heartbeat = Heartbeat { sequence: self.heartbeats, revision, proxies };
        self.send(Message::Heartbeat(heartbeat)).await
    }

    /// Puts a message into the queue. A proxy that makes no room in time is gone; one that came back is served anew.
    async fn send(&self, message: Message) -> Result<(), End> {
        let response = WatchRulesetsResponse { message: Some(message) };
        match self.outbound.send_timeout(Ok(response), SEND_DEADLINE).await {
            Ok(()) => Ok(()),
            Err(_) => Err(End::Gone),
        }
    }
}

fn reasons(nack: &Nack) -> String {
    let reasons: Vec<String> = nack
        .rejections
        .iter()
        .take(8)
        .map(|rejection| {
            let mut violation = Violation::at(cut(&rejection.field_path), cut(&rejection.message));
            violation.resource = cut(&rejection.resource);
            violation.to_string()
        })
        .collect();
    format!("revision {}: {}", nack.revision, reasons.join("; "))
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(REPORT_TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}
