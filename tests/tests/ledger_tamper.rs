//! A ledger that was tampered with is found, with the first record that does not hold.

use breakwater_common::ledger::verify_chain;
use breakwater_tests::cluster::Cluster;
use breakwater_tests::manifests::{provider, route, tenant};
use breakwater_tests::phases::phase;
use breakwater_tests::upstream::{Script, ScriptedLlm};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_to_tamper_is_found_at_its_record() {
    let llm = ScriptedLlm::start(|_| Script::chat("hello")).await;
    let cluster = Cluster::start(vec![
        provider("only", llm.addr(), 5, "60s"),
        route("chat", &["only"], &[]),
        tenant("acme", &["chat"]),
    ])
    .await;
    for number in 0..5 {
        cluster.apply(vec![route(&format!("route-{number}"), &["only"], &[])]).await;
    }
    let page = cluster.admin().get("/v1/ledger/records?page_size=1000").await.json();
    let leaves: Vec<Vec<u8>> = page["records"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|record| record["leaf"].as_str().expect("a leaf is text").as_bytes().to_vec())
        .collect();
    let verify = |leaves: &[Vec<u8>]| {
        verify_chain(leaves.iter().cloned().enumerate().map(|(at, leaf)| (at as u64, leaf)))
    };

    phase("untouched, it holds, and its root is the signed one");
    let head = verify(&leaves).unwrap_or_else(|tampering| panic!("{tampering:?}"));
    let checkpoint = cluster.admin().get("/v1/ledger/checkpoint").await.json();
    assert_eq!(checkpoint["tree_size"].as_u64(), Some(head.size));
    let root: String = head.root().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(checkpoint["root_hash"], root);

    phase("a byte is changed in each record in turn");
    for index in 0..leaves.len() {
        let mut tampered = leaves.clone();
        let at = tampered[index].len() / 2;
        tampered[index][at] ^= 1;
        match verify(&tampered) {
            Err(tampering) => assert!(tampering.index == index as u64 || tampering.index == index as u64 + 1),
            // The last record has no successor that names its hash: there the root differs from the signed one.
            Ok(found) => assert_ne!(found.root(), head.root(), "record {index}"),
        }
    }

    phase("a record is dropped, two are swapped, the end is cut off");
    let mut dropped = leaves.clone();
    dropped.remove(2);
    assert!(verify(&dropped).is_err());
    let mut swapped = leaves.clone();
    swapped.swap(2, 3);
    assert!(verify(&swapped).is_err());
    let cut = verify(&leaves[..leaves.len() - 1]).expect("a prefix is a ledger");
    assert_ne!(cut.root(), head.root());
    assert_ne!(cut.size, head.size);
    cluster.shutdown().await;
}
