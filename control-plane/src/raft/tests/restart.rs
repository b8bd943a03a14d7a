//! A node stopped and started again has the same state, ledger and digest, whatever of its files is missing or damaged.

use std::fs;

use breakwater_common::limits::{LOG_BYTES_BEFORE_SNAPSHOT, PROPOSALS_IN_FLIGHT_MAX};

use super::*;

async fn fill(raft: &Raft, from: u64, to: u64) {
    for number in from..to {
        raft.submit(create_token(&format!("token-{number:04}"))).await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_keeps_state_ledger_and_digest() {
    let dir = tempfile::tempdir().unwrap();
    let raft = start(dir.path()).await;
    assert!(raft.needs_bootstrap());
    let receipt = raft.submit(bootstrap()).await.unwrap().unwrap();
    assert_eq!(receipt.ledger_index, Some(0));
    assert!(!raft.needs_bootstrap());
    for round in 0..3 {
        fill(&raft_of(dir.path(), &raft).await, round * 10, round * 10 + 10).await;
    }
    let before = seen(&raft).await;
    assert_eq!(before.2.len(), 31);
    raft.shutdown().await;
    for _ in 0..2 {
        let raft = start(dir.path()).await;
        assert_eq!(seen(&raft).await, before);
        assert!(raft.state().clock() >= UnixMillis(1_800_000_000_000));
        let status = raft.status();
        assert_eq!(
            (status.role, status.leader, status.voters, status.node_id),
            (Role::Leader, Some(1), vec![1], 1)
        );
        raft.shutdown().await;
    }
}

/// The same node; a second start is refused while it runs.
async fn raft_of(data_dir: &Path, raft: &Raft) -> Raft {
    let refused = try_start(data_dir).await.unwrap_err();
    assert!(refused.to_string().contains("in use by another process"), "{refused}");
    raft.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_image_is_rebuilt_from_the_log_alone_and_from_snapshot_and_log() {
    for with_snapshot in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let raft = start(dir.path()).await;
        raft.submit(bootstrap()).await.unwrap().unwrap();
        fill(&raft, 0, 20).await;
        if with_snapshot {
            raft.snapshot().await.unwrap();
            tokio::time::timeout(std::time::Duration::from_secs(10), async {
                while raft.status().snapshot_index == 0 {
                    tokio::task::yield_now().await;
                }
            })
            .await
            .unwrap();
        }
        fill(&raft, 20, 30).await;
        let before = seen(&raft).await;
        raft.shutdown().await;
        fs::remove_dir_all(dir.path().join("state")).unwrap();
        let raft = start(dir.path()).await;
        assert_eq!(seen(&raft).await, before, "with snapshot: {with_snapshot}");
        fill(&raft, 30, 31).await;
        raft.shutdown().await;
        // Damage instead of loss, and now the rebuilt one.
        fs::write(dir.path().join("state/db"), vec![0xab; 100_000]).unwrap();
        let raft = start(dir.path()).await;
        assert_eq!(raft.ledger_leaves(0, 10_000).await.unwrap().len(), before.2.len() + 1);
        raft.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn image_that_cannot_be_rebuilt_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let raft = start(dir.path()).await;
    raft.submit(bootstrap()).await.unwrap().unwrap();
    fill(&raft, 0, 3).await;
    raft.shutdown().await;
    // A log whose entries were cut, without a snapshot or an image that has them.
    let log = crate::store::log::Log::open(&dir.path().join("raft")).unwrap();
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let id =
        codec::encode_log_id(codec::decode_entry_log_id(&log.reader().view().entries(..)[2]).ok().as_ref());
    log.purge(2, id, Box::new(|result| drop(sender.send(result)))).await;
    receiver.await.unwrap().unwrap();
    log.close();
    fs::remove_dir_all(dir.path().join("state")).unwrap();
    let error = try_start(dir.path()).await.unwrap_err();
    assert!(matches!(error, StartError::Gap { purged: 2, reached: 0 }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_request_id_gives_the_first_answer_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let raft = start(dir.path()).await;
    raft.submit(bootstrap()).await.unwrap().unwrap();
    let first = raft.submit(create_token("once")).await.unwrap();
    raft.shutdown().await;
    let raft = start(dir.path()).await;
    assert_eq!(raft.submit(create_token("once")).await.unwrap(), first);
    raft.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_changes_at_once_are_refused_and_counted_and_the_rest_succeed() {
    let dir = tempfile::tempdir().unwrap();
    let raft = start(dir.path()).await;
    raft.submit(bootstrap()).await.unwrap().unwrap();
    let asked = PROPOSALS_IN_FLIGHT_MAX + 50;
    let answers =
        futures::future::join_all((0..asked).map(|number| raft.submit(create_token(&format!("t{number}")))))
            .await;
    let busy = answers.iter().filter(|answer| **answer == Err(SubmitError::Busy)).count();
    let taken = answers.iter().filter(|answer| matches!(answer, Ok(Ok(_)))).count();
    assert_eq!((busy + taken, taken >= PROPOSALS_IN_FLIGHT_MAX, busy > 0), (asked, true, true));
    assert_eq!(raft.status().proposals_refused_busy, u64::try_from(busy).unwrap());
    assert_eq!(raft.ledger_leaves(0, 10_000).await.unwrap().len(), taken + 1);
    // A group is published once: what a watcher sees last is the newest.
    assert_eq!(raft.watch().borrow().ledger().size, u64::try_from(taken + 1).unwrap());
    raft.shutdown().await;
    assert_eq!(raft.submit(create_token("late")).await.unwrap_err(), SubmitError::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn flipped_byte_in_the_log_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let raft = start(dir.path()).await;
    raft.submit(bootstrap()).await.unwrap().unwrap();
    raft.shutdown().await;
    let segment = dir.path().join("raft/wal-0000000000000001");
    let mut bytes = fs::read(&segment).unwrap();
    let at = bytes.windows(9).position(|window| window == b"bootstrap").unwrap();
    bytes[at] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let error = try_start(dir.path()).await.unwrap_err();
    assert!(error.to_string().contains("damaged in segment 1"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn log_is_cut_when_it_holds_too_many_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let raft = start(dir.path()).await;
    raft.submit(bootstrap()).await.unwrap().unwrap();
    // Refused for its size by a rule; it is in the log all the same.
    let mut large = token("large");
    large.subject = "x".repeat(LOG_BYTES_BEFORE_SNAPSHOT / 12);
    for number in 0..30 {
        let asked = proposal(&format!("large {number}"), Command::CreateToken(large.clone()));
        raft.submit(asked).await.unwrap().unwrap_err();
    }
    let cut = async {
        while raft.status().log_bytes > LOG_BYTES_BEFORE_SNAPSHOT {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), cut).await.unwrap();
    let before = seen(&raft).await;
    raft.shutdown().await;
    let raft = start(dir.path()).await;
    assert_eq!(seen(&raft).await, before);
    raft.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn image_without_its_log_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let raft = start(dir.path()).await;
    raft.submit(bootstrap()).await.unwrap().unwrap();
    fill(&raft, 0, 3).await;
    raft.shutdown().await;
    fs::remove_dir_all(dir.path().join("raft")).unwrap();
    let error = try_start(dir.path()).await.unwrap_err();
    assert!(matches!(error, StartError::LogBehind { last: 0, .. }), "{error}");
}
