//! A session against a publisher whose revisions the test makes.

use std::sync::Arc;
use std::time::Duration;

use breakwater_common::ruleset::{Item, Ruleset};
use breakwater_control_core::{Command, CreateToken, Principal, Proposal, Role, State};
use breakwater_proto::v1::watch_rulesets_request::Message as Inbound;
use breakwater_proto::v1::watch_rulesets_response::Message;
use breakwater_proto::v1::{Hello, Nack, WatchRulesetsRequest};
use breakwater_runtime::Tasks;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{Encoded, Publisher, Settings};

const TOKEN: &str = "0123456789abcdef";
const CLUSTER: &str = "bw-test";
const SOON: Duration = Duration::from_secs(10);

struct Stage {
    tasks: Tasks,
    newest: watch::Sender<Arc<Encoded>>,
    publisher: Publisher,
    _applied: watch::Sender<Arc<State>>,
}

struct Proxy {
    up: mpsc::Sender<Result<WatchRulesetsRequest, Status>>,
    down: mpsc::Receiver<Result<breakwater_proto::v1::WatchRulesetsResponse, Status>>,
}

impl Stage {
    fn new() -> Self {
        let mut state = State::default();
        let token =
            CreateToken { id: TOKEN.to_owned(), sha256: [1; 32], subject: "p".to_owned(), role: Role::Proxy };
        let proposal = Proposal {
            request_id: String::new(),
            principal: Principal::system("bootstrap"),
            stamped: breakwater_common::time::UnixMillis(1),
            request_digest: None,
            command: Command::Bootstrap { cluster_id: CLUSTER.to_owned(), tokens: vec![token] },
        };
        assert!(state.apply(&proposal).outcome.is_ok());
        let (applied_sender, applied) = watch::channel(Arc::new(state));
        let (newest, receiver) = watch::channel(Arc::new(encoded(1)));
        let tasks = Tasks::new();
        let settings = Settings {
            node_id: 1,
            heartbeat: Duration::from_secs(60),
            report_interval: Duration::from_secs(1),
        };
        let end = tasks.token();
        let publisher = Publisher { newest: receiver, applied, book: Arc::default(), settings, end };
        Self { tasks, newest, publisher, _applied: applied_sender }
    }

    fn publish(&self, revision: u64) {
        self.newest.send_replace(Arc::new(encoded(revision)));
    }

    async fn connect(&self, hello: Hello) -> Proxy {
        let (up, inbound) = mpsc::channel(8);
        // Room for one message: the session waits for the proxy at once.
        let (outbound, down) = mpsc::channel(1);
        let session = self.publisher.session(TOKEN.to_owned(), outbound);
        self.tasks.spawn_contained("session", session.run(ReceiverStream::new(inbound)));
        let proxy = Proxy { up, down };
        proxy.say(Inbound::Hello(hello)).await;
        proxy
    }
}

impl Proxy {
    async fn say(&self, message: Inbound) {
        self.up.send(Ok(WatchRulesetsRequest { message: Some(message) })).await.unwrap();
    }

    async fn next(&mut self) -> Option<Message> {
        let next = tokio::time::timeout(SOON, self.down.recv()).await.expect("a message in time");
        next.map(|response| response.unwrap().message.unwrap())
    }

    /// Waits for the next whole ruleset and returns its revision.
    async fn ruleset(&mut self) -> u64 {
        loop {
            if let Message::End(end) = self.next().await.unwrap() {
                return end.revision;
            }
        }
    }
}

fn encoded(revision: u64) -> Encoded {
    let item = Item { kind: "Provider".to_owned(), name: "p".to_owned(), revision, body: vec![0; 8] };
    Encoded::new(CLUSTER, Ruleset { revision, items: vec![item] })
}

fn hello() -> Hello {
    Hello { proxy_id: "p1".to_owned(), boot_id: "b1".to_owned(), ..Hello::default() }
}

#[tokio::test]
async fn a_slow_proxy_skips_to_the_newest() {
    let stage = Stage::new();
    let mut proxy = stage.connect(hello()).await;
    assert_eq!(proxy.ruleset().await, 1);
    stage.publish(2);
    // The session is in the midst of 2 now, and waits for room.
    assert!(matches!(proxy.next().await, Some(Message::Begin(_) | Message::Heartbeat(_))));
    for revision in 3..=20 {
        stage.publish(revision);
    }
    let mut seen = vec![proxy.ruleset().await];
    while seen.last() != Some(&20) {
        seen.push(proxy.ruleset().await);
    }
    assert!(seen.len() <= 2, "{seen:?}");
}

#[tokio::test]
async fn a_refused_ruleset_is_not_sent_to_the_same_process_again() {
    let stage = Stage::new();
    let mut proxy = stage.connect(hello()).await;
    assert_eq!(proxy.ruleset().await, 1);
    proxy.say(Inbound::Nack(Nack { revision: 1, ..Nack::default() })).await;
    let parked = || stage.publisher.book().entries()["p1"].parked.is_some();
    let wait = async {
        while !parked() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, wait).await.unwrap();
    drop(proxy);
    let mut same = stage.connect(hello()).await;
    assert!(matches!(same.next().await, Some(Message::Welcome(_))));
    let beat = same.next().await;
    assert!(matches!(&beat, Some(Message::Heartbeat(beat)) if beat.proxies == 1), "{beat:?}");
    stage.publish(2);
    assert_eq!(same.ruleset().await, 2);
    let mut restarted = stage.connect(Hello { boot_id: "b2".to_owned(), ..hello() }).await;
    assert_eq!(restarted.ruleset().await, 2);
    assert!(!parked());
}

#[tokio::test]
async fn a_proxy_never_gets_something_older_than_it_holds() {
    let stage = Stage::new();
    let ahead = Hello { revision: 9, cluster_id: CLUSTER.to_owned(), ..hello() };
    let mut proxy = stage.connect(ahead.clone()).await;
    // This node is behind: the proxy is sent away to find another.
    assert!(matches!(proxy.next().await, Some(Message::Drain(_))));
    assert!(proxy.next().await.is_none());
    let mut proxy = stage.connect(ahead).await;
    stage.publish(10);
    assert_eq!(proxy.ruleset().await, 10);
    // Of another cluster, revisions do not compare.
    let other = Hello { revision: 99, cluster_id: "bw-other".to_owned(), ..hello() };
    assert_eq!(stage.connect(other).await.ruleset().await, 10);
}
