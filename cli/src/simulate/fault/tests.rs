use std::{collections::BTreeSet, time::Duration};

use super::*;

#[test]
fn every_kind_has_one_row_and_one_name() {
    let kinds: BTreeSet<Kind> = LIBRARY.iter().map(|entry| entry.kind).collect();
    let names: BTreeSet<&str> = LIBRARY.iter().map(|entry| entry.name).collect();
    assert_eq!((kinds.len(), names.len()), (LIBRARY.len(), LIBRARY.len()));
    for entry in &LIBRARY {
        assert_eq!(entry.kind.entry().name, entry.name);
        let spec = if entry.takes == Takes::Status { "status=503" } else { entry.name };
        assert_eq!(spec.parse::<Fault>().unwrap().kind, entry.kind);
    }
}

#[test]
fn what_is_written_reads_back() {
    for text in [
        "status=503",
        "status=429,retry_after=2,count=3",
        "status=429,retry_after=1500ms,code=insufficient_quota",
        "status=502,body=html",
        "cut,after=3,every=2",
        "stall,after=0,skip=1,model=gpt-4o",
        "error_event,after=2,rate=12.50%",
        "bad_json,after=1",
        "hang_up,wait=1000ms,for=2000ms",
        "slow=250ms",
        "content_type=text/plain",
        "big_event=2097152",
    ] {
        let fault: Fault = text.parse().unwrap();
        assert_eq!(fault.to_string(), text);
    }
    let check = |text: &str, same: &str| {
        assert_eq!(text.parse::<Fault>().unwrap(), same.parse::<Fault>().unwrap(), "{text}");
    };
    check("slow=2s", "slow=2000ms");
    check("error_event", "error_event:after=1");
    check("stall:after=2,rate=10%", "stall,after=2,rate=10.00%");
    check("big_event=2m", "big_event=2097152");
}

#[test]
fn wrong_faults_are_refused_with_what_is_right() {
    let check = |text: &str, part: &str| {
        let error = text.parse::<Fault>().unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    };
    check("", "unknown fault");
    check("every=2", "unknown fault");
    check("explode", "unknown fault");
    check("status", "from 200 to 599");
    check("status=100", "from 200 to 599");
    check("status=x", "from 200 to 599");
    check("status=503,sometimes=1", "retry_after= code= body= every=");
    check("cut,retry_after=1", "it takes after= every=");
    check("bad_gzip=1", "the name alone");
    check("cut:after=x", "a number of events");
    check("status=429,retry_after=soon", "date or absurd");
    check("status=503,body=xml", "html or empty");
    check("status=503,every=0", "from 1");
    check("status=503,rate=0%", "above 0%");
    check("status=503,rate=101%", "up to 100%");
    check("status=503,rate=0.5", "at most two decimals");
    check("status=503,every=2,rate=1%", "one of every and rate");
    check("slow=fast", "a duration");
    check("big_body=65m", "at most 64m");
}

#[test]
fn calls_are_hit_by_count() {
    let check = |text: &str, expect: &[u64]| {
        let when = text.parse::<Fault>().unwrap().when;
        let mut seen = Seen::default();
        let hit: Vec<u64> = (1..=8).filter(|_| when.hits(&mut seen, Duration::ZERO, "m")).collect();
        assert_eq!(hit, expect, "{text}");
    };
    check("hang_up", &[1, 2, 3, 4, 5, 6, 7, 8]);
    check("hang_up,every=3", &[3, 6]);
    check("hang_up,count=2", &[1, 2]);
    check("hang_up,skip=6", &[7, 8]);
    check("hang_up,skip=1,every=2,count=2", &[3, 5]);
    check("hang_up,rate=25%", &[4, 8]);
    check("hang_up,model=m,count=1", &[1]);
    check("hang_up,model=other", &[]);
}

#[test]
fn a_fault_starts_and_ends_by_time() {
    let when = "refuse,wait=2s,for=3s".parse::<Fault>().unwrap().when;
    let hit: Vec<u64> = (0..8).filter(|s| when.in_force(Duration::from_secs(*s))).collect();
    assert_eq!(hit, [2, 3, 4]);
}
