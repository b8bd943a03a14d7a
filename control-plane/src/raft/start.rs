//! Starts a node: opens what is on disk, joins it to openraft, waits until the state is that of before the stop.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicU64},
    time::Duration,
};

use breakwater_common::limits::{
    LOG_BYTES_BEFORE_SNAPSHOT, LOG_ENTRIES_BEFORE_SNAPSHOT, LOG_ENTRIES_KEPT, PROPOSALS_IN_FLIGHT_MAX,
};
use breakwater_control_core::snapshot::TABLE_LEDGER;
use breakwater_runtime::{clock::SharedClock, tasks::Tasks};
use openraft::{SnapshotPolicy, async_runtime::watch::WatchReceiver as _, impls::BasicNode};
use tokio::sync::Semaphore;

use super::{
    codec,
    log_store::LogStore,
    network::Peers,
    node::{Inner, Raft},
    state_machine::{StateError, StateMachine},
    types::Types,
};
use crate::store::{
    identity::{self, Identity, IdentityError, Lock},
    image::{Image, ImageError},
    log::{Log, LogError},
    snapshot::{SnapshotError, Snapshots},
};

/// How long a start waits until the state is that of before the stop. A log of 10,000 entries takes well under a second.
const RECOVERY_MAX: Duration = Duration::from_secs(60);

/// What a node needs to start.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Who this node is if the directory is new; the directory's own identity holds otherwise.
    pub new_identity: Identity,
    /// Where other nodes find this one; kept in the membership.
    pub address: String,
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory is not usable.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The log is not usable.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The image is not usable.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The snapshots are not usable.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The state is not usable.
    #[error(transparent)]
    State(#[from] StateError),
    /// Entries that neither the image nor a snapshot has were cut from the log.
    #[error(
        "log begins behind entry {purged}, but the state image and the snapshots end at {reached}: changes between are lost; \
         restore the node from a backup"
    )]
    Gap {
        /// Up to where the log was cut.
        purged: u64,
        /// How far image and snapshots are.
        reached: u64,
    },
    /// Entries that the image or a snapshot was made of are not in the log.
    #[error(
        "log ends at entry {last}, but the state image and the snapshots reach {reached}: the log is lost or older than they \
         are; restore the whole data directory from one backup"
    )]
    LogBehind {
        /// The log's last entry.
        last: u64,
        /// How far image and snapshots are.
        reached: u64,
    },
    /// openraft does not start.
    #[error("raft does not start: {0}")]
    Raft(String),
    /// The thread that opened the store panicked.
    #[error("opening the data directory panicked; look for the panic in the log")]
    Panicked,
}

struct Opened {
    lock: Lock,
    identity: Identity,
    log: Arc<Log>,
    state_machine: StateMachine,
}

impl Raft {
    /// Starts a node on a data directory and waits until it has the state of before the stop. A new directory becomes a new
    /// cluster of one voter; its maker then proposes `Command::Bootstrap` (see [`Raft::needs_bootstrap`]).
    ///
    /// If the node fails later, its task ends with the error and `tasks` ends the process.
    ///
    /// # Errors
    /// If what is on disk cannot be trusted: each error says what to do.
    pub async fn start(config: Config, clock: SharedClock, tasks: Tasks) -> Result<Self, StartError> {
        let Config { data_dir, new_identity, address } = config;
        let opened = tasks.blocking("store open", move || open(&data_dir, new_identity)).await;
        let Opened { lock, identity, log, state_machine } = opened.ok_or(StartError::Panicked)??;
        let shared = state_machine.shared();
        let failed = |error: &dyn std::fmt::Display| StartError::Raft(error.to_string());
        let settings = Arc::new(settings(&identity.cluster_id).validate().map_err(|error| failed(&error))?);
        let store = LogStore::new(Arc::clone(&log));
        let raft = openraft::Raft::new(identity.node_id, settings, Peers, store, state_machine).await;
        let raft = raft.map_err(|error| failed(&error))?;
        let initialized = raft.is_initialized().await.map_err(|error| failed(&error))?;
        if !initialized {
            let members = BTreeMap::from([(identity.node_id, BasicNode { addr: address })]);
            raft.initialize(members).await.map_err(|error| failed(&error))?;
        } else if raft.voter_ids().eq([identity.node_id]) {
            // The only voter need not wait for an election timeout.
            raft.trigger().elect(false).await.map_err(|error| failed(&error))?;
        }
        raft.wait_for_recovery(Some(RECOVERY_MAX)).await.map_err(|error| failed(&error))?;
        let permits = Arc::new(Semaphore::new(PROPOSALS_IN_FLIGHT_MAX));
        let (tasks_of_node, lock, refused_busy) = (tasks.clone(), Mutex::new(Some(lock)), AtomicU64::new(0));
        let inner =
            Inner { raft, log, shared, identity, clock, tasks: tasks_of_node, permits, refused_busy, lock };
        let (watched, log, permits) =
            (inner.raft.clone(), Arc::clone(&inner.log), Arc::clone(&inner.permits));
        tasks.spawn("raft", async move {
            let ended = watch_over(watched, log).await;
            // Whatever the reason: no change is taken from here on.
            permits.close();
            ended
        });
        Ok(Self::new(inner))
    }
}

fn open(data_dir: &Path, new_identity: Identity) -> Result<Opened, StartError> {
    let lock = identity::lock(data_dir)?;
    let identity = match identity::load(data_dir)? {
        Some(identity) => identity,
        None => {
            identity::create(data_dir, &new_identity)?;
            new_identity
        }
    };
    let log = Log::open(&data_dir.join(identity::LOG_DIRECTORY))?;
    let snapshots = Snapshots::open(&data_dir.join(identity::SNAPSHOT_DIRECTORY))?;
    let (image, loaded) = Image::open(&data_dir.join(identity::STATE_DIRECTORY), TABLE_LEDGER)?;
    let index_of = |about: &[u8]| {
        codec::decode_position(about).map(|position| position.applied.map_or(0, |id| id.index))
    };
    let snapshot =
        snapshots.newest()?.map_or(Ok(0), |file| index_of(file.about())).map_err(StateError::Io)?;
    let reached = snapshot.max(loaded.applied.as_ref().map_or(0, |applied| applied.index));
    check_log(&log, reached)?;
    let state_machine = StateMachine::open(Arc::new(image), snapshots, loaded)?;
    Ok(Opened { lock, identity, log: Arc::new(log), state_machine })
}

/// Checks that the log joins what image and snapshots reached: it begins no later and ends no earlier.
fn check_log(log: &Log, reached: u64) -> Result<(), StartError> {
    let reader = log.reader();
    let view = reader.view();
    let purged =
        view.purged().map_or(Ok(None), |bytes| codec::decode_log_id(&bytes)).map_err(StateError::Io)?;
    let purged = purged.map_or(0, |purged| purged.index);
    if purged > reached {
        return Err(StartError::Gap { purged, reached });
    }
    let last = view
        .last_entry()
        .map(|bytes| codec::decode_entry_log_id(&bytes))
        .transpose()
        .map_err(StateError::Io)?;
    // What the image holds was durable in the log before: a log that ends before it has lost a vote, and acknowledged writes.
    let last = last.map_or(purged, |last| last.index);
    if last < reached {
        return Err(StartError::LogBehind { last, reached });
    }
    Ok(())
}

fn settings(cluster_id: &str) -> openraft::Config {
    openraft::Config {
        cluster_name: cluster_id.to_owned(),
        // Milliseconds, for nodes of one site (design/storage.md 5.6; etcd's defaults are 100 and 1,000).
        heartbeat_interval: 100,
        election_timeout_min: 500,
        election_timeout_max: 1_000,
        max_payload_entries: 256,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(LOG_ENTRIES_BEFORE_SNAPSHOT),
        max_in_snapshot_log_to_keep: LOG_ENTRIES_KEPT,
        enable_pre_vote: Some(true),
        ..openraft::Config::default()
    }
}

/// Ends with an error when openraft stops for a reason of its own, and keeps the log below its bound of bytes.
async fn watch_over(raft: openraft::Raft<Types, StateMachine>, log: Arc<Log>) -> Result<(), String> {
    let mut metrics = raft.metrics();
    let mut asked_at = None;
    loop {
        let (stopped, snapshot, applied, purged) = {
            let metrics = metrics.borrow_and_update();
            let index = |id: &Option<super::types::LogId>| id.map(|id| id.index);
            (
                metrics.running_state.clone(),
                index(&metrics.snapshot),
                index(&metrics.last_applied),
                index(&metrics.purged),
            )
        };
        match stopped {
            Ok(()) => {}
            Err(openraft::errors::Fatal::Stopped) => return Ok(()),
            Err(error) => return Err(format!("raft stopped: {error}")),
        }
        if log.reader().view().entry_bytes() > LOG_BYTES_BEFORE_SNAPSHOT {
            // An error here means that it has stopped; the next round says why.
            match snapshot.filter(|snapshot| {
                Some(*snapshot) > purged && asked_at <= Some(*snapshot) && asked_at.is_some()
            }) {
                Some(snapshot) => {
                    asked_at = None;
                    drop(raft.trigger().purge_log(snapshot).await);
                }
                None if asked_at.is_none() => {
                    asked_at = applied;
                    drop(raft.trigger().snapshot().await);
                }
                None => {}
            }
        }
        if metrics.changed().await.is_err() {
            return Ok(());
        }
    }
}
