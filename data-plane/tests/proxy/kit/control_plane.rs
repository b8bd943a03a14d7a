//! A control plane that publishes what a test wants, and remembers what the proxy said.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use breakwater_common::manifest;
use breakwater_common::ruleset::{Item, KEY_KIND, digest};
use breakwater_common::wire::{KeyGrant, encode_key_grant};
use breakwater_proto::v1::proxy_service_server::{ProxyService, ProxyServiceServer};
use breakwater_proto::v1::report_health_request::Message as Up;
use breakwater_proto::v1::report_health_response::Message as Question;
use breakwater_proto::v1::watch_rulesets_request::Message as Said;
use breakwater_proto::v1::watch_rulesets_response::Message as Say;
use breakwater_proto::v1::{
    CallExplanation, ExplainQuestion, HealthReport, Heartbeat, Hello, Nack, ReportHealthRequest,
    ReportHealthResponse, RulesetBegin, RulesetChunk, RulesetEnd, RulesetResource, WatchRulesetsRequest,
    WatchRulesetsResponse, Welcome,
};
use breakwater_runtime::{CancellationToken, Tasks};
use futures::{Stream, StreamExt};
use ring::digest::{SHA256, digest as sha256};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use super::soon;

/// Key of tenant acme.
pub const KEY: &str = "bw-0123456789abcdef-acme";
/// Key of tenant other.
pub const OTHER_KEY: &str = "bw-0123456789abcdef-other";

/// A ruleset as it goes over the wire.
#[derive(Debug, Clone, Default)]
struct Published {
    revision: u64,
    items: Vec<Item>,
    digest: Vec<u8>,
    proxies: u32,
}

/// See the module.
pub struct ControlPlane {
    addr: SocketAddr,
    shared: Arc<Shared>,
    tasks: Tasks,
}

struct Shared {
    published: watch::Sender<Published>,
    hellos: Mutex<Vec<Hello>>,
    acked: watch::Sender<u64>,
    nacks: Mutex<Vec<Nack>>,
    report: watch::Sender<HealthReport>,
    question: watch::Sender<(u64, String)>,
    answer: watch::Sender<Option<(u64, Option<CallExplanation>)>>,
    cut: watch::Sender<CancellationToken>,
    tasks: Tasks,
}

impl ControlPlane {
    pub async fn start() -> Self {
        let tasks = Tasks::new();
        let shared = Arc::new(Shared {
            published: watch::Sender::default(),
            hellos: Mutex::default(),
            acked: watch::Sender::default(),
            nacks: Mutex::default(),
            report: watch::Sender::default(),
            question: watch::Sender::default(),
            answer: watch::Sender::default(),
            cut: watch::Sender::default(),
            tasks: tasks.clone(),
        });
        let mut control = Self { addr: ([127, 0, 0, 1], 0).into(), shared, tasks };
        control.listen().await;
        control
    }

    /// Listens, again if it was stopped: on the port that it had.
    pub async fn listen(&mut self) {
        let listener = TcpListener::bind(self.addr).await.unwrap();
        self.addr = listener.local_addr().unwrap();
        self.tasks = Tasks::new();
        let service = ProxyServiceServer::from_arc(Arc::new(Service(self.shared.clone())));
        let token = self.tasks.token();
        self.tasks.spawn_contained("control-plane", async move {
            let serve =
                Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener));
            // Dropped, not drained: a control plane that is gone says no farewell.
            tokio::select! {
                () = token.cancelled() => {}
                served = serve => served.unwrap(),
            }
        });
    }

    /// Goes away without a farewell.
    pub async fn stop(&mut self) {
        assert!(self.tasks.shutdown(super::SOON).await.is_empty());
        self.shared.cut.send_replace(CancellationToken::new()).cancel();
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Publishes the next revision; returns it.
    pub fn publish(&self, yaml: &str) -> u64 {
        let mut items: Vec<Item> = manifest::parse_yaml(yaml)
            .unwrap_or_else(|violations| panic!("{violations:?}"))
            .into_iter()
            .map(|document| Item {
                kind: document.kind.as_str().to_owned(),
                name: document.name,
                revision: 1,
                body: document.spec,
            })
            .collect();
        items.extend([key("acme", KEY), key("other", OTHER_KEY)]);
        items.sort_by(|one, other| (&one.kind, &one.name).cmp(&(&other.kind, &other.name)));
        let revision = self.shared.published.borrow().revision + 1;
        let digest = digest(revision, &items).to_vec();
        let proxies = self.shared.published.borrow().proxies;
        self.shared.published.send_replace(Published { revision, items, digest, proxies });
        revision
    }

    /// Says of how many proxies the fleet is, and publishes the same again under the next revision, which it returns.
    pub fn fleet(&self, proxies: u32) -> u64 {
        self.shared.published.send_modify(|published| {
            published.proxies = proxies;
            published.revision += 1;
            published.digest = digest(published.revision, &published.items).to_vec();
        });
        self.shared.published.borrow().revision
    }

    /// Publishes the same again under the next revision, with a digest that is not its.
    pub fn publish_broken(&self) -> u64 {
        let mut broken = self.shared.published.borrow().clone();
        broken.revision += 1;
        broken.digest = vec![0; 32];
        let revision = broken.revision;
        self.shared.published.send_replace(broken);
        revision
    }

    pub async fn acked(&self, revision: u64) {
        let mut acked = self.shared.acked.subscribe();
        drop(soon("the ruleset is acknowledged", acked.wait_for(|acked| *acked >= revision)).await.unwrap());
    }

    pub fn nacks(&self) -> Vec<Nack> {
        self.shared.nacks.lock().unwrap().clone()
    }

    pub fn hellos(&self) -> Vec<Hello> {
        self.shared.hellos.lock().unwrap().clone()
    }

    /// Waits for a report that says something.
    pub async fn report(&self, says: impl FnMut(&HealthReport) -> bool) -> HealthReport {
        let mut report = self.shared.report.subscribe();
        soon("the report comes", report.wait_for(says)).await.unwrap().clone()
    }

    /// Asks what became of a call until the proxy knows.
    pub async fn why(&self, request_id: &str) -> CallExplanation {
        let mut answers = self.shared.answer.subscribe();
        soon("the call is explained", async {
            loop {
                let id = self.shared.question.borrow().0 + 1;
                self.shared.question.send_replace((id, request_id.to_owned()));
                let answer =
                    answers.wait_for(|answer| answer.as_ref().is_some_and(|answer| answer.0 == id)).await;
                if let Some(explanation) = answer.unwrap().clone().and_then(|answer| answer.1) {
                    return explanation;
                }
            }
        })
        .await
    }
}

fn key(tenant: &str, text: &str) -> Item {
    let sha256 = sha256(&SHA256, text.as_bytes()).as_ref().try_into().unwrap();
    let grant = KeyGrant { sha256, tenant: tenant.into(), attributes: Default::default(), expire: None };
    Item { kind: KEY_KIND.into(), name: format!("key-{tenant}"), revision: 1, body: encode_key_grant(&grant) }
}

struct Service(Arc<Shared>);

type Outgoing<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ProxyService for Service {
    type WatchRulesetsStream = Outgoing<WatchRulesetsResponse>;
    type ReportHealthStream = Outgoing<ReportHealthResponse>;

    async fn watch_rulesets(
        &self,
        request: Request<Streaming<WatchRulesetsRequest>>,
    ) -> Result<Response<Self::WatchRulesetsStream>, Status> {
        let bearer = request.metadata().get("authorization").cloned();
        if bearer.is_none_or(|bearer| bearer != "Bearer bwt-proxy") {
            return Err(Status::unauthenticated("no token"));
        }
        let shared = self.0.clone();
        let mut incoming = request.into_inner();
        let (outbox, outgoing) = mpsc::channel(64);
        let cut = self.0.cut.borrow().clone();
        self.0.tasks.spawn_contained("watch", async move {
            let Ok(Some(hello)) = incoming.message().await else { return };
            shared.heard(hello, &outbox).await;
            let mut published = shared.published.subscribe();
            published.mark_changed();
            loop {
                tokio::select! {
                    () = cut.cancelled() => return,
                    said = incoming.message() => match said {
                        Ok(Some(said)) => shared.heard(said, &outbox).await,
                        Ok(None) | Err(_) => return,
                    },
                    changed = published.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        let next = published.borrow_and_update().clone();
                        if next.revision > 0 {
                            send_ruleset(&outbox, next).await;
                        }
                    }
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(outgoing))))
    }

    async fn report_health(
        &self,
        request: Request<Streaming<ReportHealthRequest>>,
    ) -> Result<Response<Self::ReportHealthStream>, Status> {
        let shared = self.0.clone();
        let mut incoming = request.into_inner();
        self.0.tasks.spawn_contained("reports", async move {
            while let Ok(Some(request)) = incoming.message().await {
                match request.message {
                    Some(Up::Report(report)) => drop(shared.report.send_replace(report)),
                    Some(Up::Answer(answer)) => {
                        drop(shared.answer.send_replace(Some((answer.question_id, answer.explanation))));
                    }
                    None => {}
                }
            }
        });
        let questions = tokio_stream::wrappers::WatchStream::from_changes(self.0.question.subscribe());
        let outgoing = questions.map(|(question_id, request_id)| {
            let explain = ExplainQuestion { question_id, request_id };
            Ok(ReportHealthResponse { message: Some(Question::Explain(explain)) })
        });
        Ok(Response::new(Box::pin(outgoing)))
    }
}

impl Shared {
    async fn heard(
        &self,
        said: WatchRulesetsRequest,
        outbox: &mpsc::Sender<Result<WatchRulesetsResponse, Status>>,
    ) {
        match said.message {
            Some(Said::Hello(hello)) => {
                let welcome = Welcome {
                    cluster_id: "test".into(),
                    node_id: "n1".into(),
                    heartbeat_ms: 60_000,
                    report_interval_ms: 20,
                };
                say(outbox, Say::Welcome(welcome)).await;
                self.hellos.lock().unwrap().push(hello);
            }
            Some(Said::Ack(ack)) => drop(self.acked.send_replace(ack.revision)),
            Some(Said::Nack(nack)) => self.nacks.lock().unwrap().push(nack),
            None => {}
        }
    }
}

async fn send_ruleset(outbox: &mpsc::Sender<Result<WatchRulesetsResponse, Status>>, ruleset: Published) {
    let Published { revision, items, digest, proxies } = ruleset;
    say(outbox, Say::Heartbeat(Heartbeat { sequence: revision, revision, proxies })).await;
    let resources = u32::try_from(items.len()).unwrap();
    say(outbox, Say::Begin(RulesetBegin { revision, resources })).await;
    for item in items {
        let Item { kind, name, revision, body } = item;
        let resources = vec![RulesetResource { kind, name, revision, body }];
        say(outbox, Say::Chunk(RulesetChunk { resources })).await;
    }
    say(outbox, Say::End(RulesetEnd { revision, digest })).await;
}

/// The proxy may be gone: a test that minds sees it elsewhere.
async fn say(outbox: &mpsc::Sender<Result<WatchRulesetsResponse, Status>>, message: Say) {
    drop(outbox.send(Ok(WatchRulesetsResponse { message: Some(message) })).await);
}
