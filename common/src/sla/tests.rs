//! Traces in virtual time.

use std::time::Duration;

use super::*;
use crate::limits::{SLA_BAD_CALLS_MIN, SLA_GOOD_PROBES_MIN, SLA_HOLD_MS, SLA_SOON_MS, SLA_TIMED_CALLS_MIN};
use crate::time::MonoMillis;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn latency(limit: u64) -> Settings {
    Settings { failover_latency: Some(ms(limit)), min_availability: None, availability_window: ms(300_000) }
}

fn availability(percent: f64, window: u64) -> Settings {
    Settings { failover_latency: None, min_availability: Some(percent), availability_window: ms(window) }
}

fn took(millis: u64) -> Sample {
    Sample { good: true, first_token: Some(ms(millis)) }
}

const BAD: Sample = Sample { good: false, first_token: None };

/// An endpoint under steady traffic.
struct Play {
    machine: Machine,
    now: u64,
    changes: Vec<(u64, Change)>,
    probes: u64,
}

impl Play {
    fn of(settings: Settings) -> Self {
        Self { machine: Machine::new(settings), now: 1_000_000, changes: Vec::new(), probes: 0 }
    }

    /// Makes so many calls, `gap` apart, which end at once as `sample` says.
    fn calls(&mut self, count: u64, gap: u64, mut sample: impl FnMut() -> Sample) {
        for _ in 0..count {
            self.now += gap;
            let verdict = self.machine.ask(MonoMillis(self.now));
            self.probes += u64::from(verdict == Verdict::Probe);
            if verdict != Verdict::Elsewhere
                && let Some(change) = self.machine.report(MonoMillis(self.now), sample())
            {
                self.changes.push((self.now, change));
            }
        }
    }

    fn kinds(&self) -> Vec<Change> {
        self.changes.iter().map(|(_, change)| *change).collect()
    }
}

#[test]
fn most_of_enough_slow_calls_move_and_no_fewer() {
    let mut play = Play::of(latency(2_000));
    play.calls(SLA_TIMED_CALLS_MIN - 1, 100, || took(2_001));
    assert_eq!(play.kinds(), []);
    play.calls(1, 100, || took(2_001));
    assert_eq!(play.kinds(), [Change::LeftForLatency]);

    // Exactly half is not most; what is at the limit is not above it.
    let mut half = Play::of(latency(2_000));
    let mut odd = false;
    half.calls(1_000, 10, || {
        odd = !odd;
        took(if odd { 100 } else { 5_000 })
    });
    half.calls(1_000, 10, || took(2_000));
    assert_eq!(half.kinds(), []);
}

#[test]
fn calls_older_than_the_window_do_not_count() {
    let mut play = Play::of(latency(2_000));
    for _ in 0..20 {
        play.calls(SLA_TIMED_CALLS_MIN - 1, 1, || took(9_000));
        play.now += 40_000;
    }
    assert_eq!(play.kinds(), []);
}

#[test]
fn availability_needs_a_number_of_bad_calls_and_a_share() {
    let mut few = Play::of(availability(99.9, 300_000));
    few.calls(SLA_BAD_CALLS_MIN - 1, 100, || BAD);
    assert_eq!(few.kinds(), [], "a handful of bad calls moves nothing");
    few.calls(1, 100, || BAD);
    assert_eq!(few.kinds(), [Change::LeftForAvailability]);

    // Ten bad of 20,000: 99.95 %.
    let mut share = Play::of(availability(99.9, 300_000));
    share.calls(19_990, 1, || took(1));
    share.calls(SLA_BAD_CALLS_MIN, 1, || BAD);
    assert_eq!(share.kinds(), []);
    share.calls(SLA_BAD_CALLS_MIN + 1, 1, || BAD);
    assert_eq!(share.kinds(), [Change::LeftForAvailability]);
}

#[test]
fn calls_come_back_after_good_probes_over_the_hold() {
    let mut play = Play::of(latency(200));
    play.calls(100, 10, || took(300));
    assert_eq!(play.kinds(), [Change::LeftForLatency]);
    play.calls(1_000, 10, || took(190));
    assert_eq!(play.kinds().len(), 1, "just below the limit is not well");
    let before = (play.now, play.probes);
    play.calls(2_000, 10, || took(100));
    assert_eq!(play.kinds(), [Change::LeftForLatency, Change::Returned]);
    let waited = play.changes[1].0 - before.0;
    assert!((2_000..4_000).contains(&waited), "ten times the limit, and a little: {waited}");
    assert!(play.probes - before.1 >= SLA_GOOD_PROBES_MIN);
}

#[test]
fn probes_are_a_small_share_and_bounded_in_time() {
    let mut play = Play::of(latency(200));
    play.calls(SLA_TIMED_CALLS_MIN, 1, || took(300));
    play.calls(100_000, 1, || took(300));
    assert!((400..=500).contains(&play.probes), "five a second over 100 s: {}", play.probes);
    let mut slow = Play::of(latency(200));
    slow.calls(SLA_TIMED_CALLS_MIN, 1, || took(300));
    slow.calls(1_000, 1_000, || took(300));
    assert_eq!(slow.probes, 50, "one of twenty");
}

#[test]
fn who_is_left_again_soon_must_prove_itself_for_longer() {
    let mut play = Play::of(latency(200));
    let mut waits = Vec::new();
    for _ in 0..12 {
        play.calls(100, 10, || took(1_000));
        let left = play.now;
        while play.machine.is_away() {
            play.calls(100, 10, || took(10));
        }
        waits.push(play.now - left);
    }
    assert!(waits.windows(2).all(|pair| pair[1] >= pair[0]), "{waits:?}");
    assert!(waits[0] < 5_000 && waits[11] >= SLA_SOON_MS / 2, "{waits:?}");
    assert!(waits[11] < 2 * SLA_SOON_MS, "there is an end to it: {waits:?}");
    play.now += 2 * SLA_SOON_MS;
    play.calls(100, 10, || took(1_000));
    let left = play.now;
    while play.machine.is_away() {
        play.calls(100, 10, || took(10));
    }
    assert!(play.now - left < 5_000, "and it is forgotten");
}

/// A small generator, so that a trace is known by its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

#[test]
fn no_random_trace_flaps() {
    for seed in 0..10_000 {
        let mut random = Random(seed);
        let limit = 100 + random.below(900);
        let mut play = Play::of(latency(limit));
        // Phases of any latency, also around the limit, each with noise, over about ten minutes.
        let start = play.now;
        while play.now - start < 600_000 {
            let (middle, gap) = (1 + random.below(2 * limit), 1 + random.below(400));
            let calls = 1 + random.below(200);
            play.calls(calls, gap, || took(middle / 2 + random.below(middle + 1)));
        }
        let hold = Settings::hold(&latency(limit));
        for pair in play.changes.windows(2) {
            let (before, after) = (pair[0], pair[1]);
            assert_ne!(before.1 == Change::Returned, after.1 == Change::Returned, "seed {seed}");
            if after.1 == Change::Returned {
                assert!(ms(after.0 - before.0) >= hold, "seed {seed}: back before the hold");
            }
        }
        // Each leaving within the memory doubles the hold, so that ten minutes see a few swings at most.
        let bound = 2 * (1 + usize::try_from((600_000 / hold.as_millis()).ilog2() + 1).unwrap());
        assert!(play.changes.len() <= bound, "seed {seed}: {} changes, {bound}", play.changes.len());
    }
}

#[test]
fn a_steady_endpoint_is_never_left_and_a_steadily_bad_one_never_taken_back() {
    let mut steady = Play::of(latency(200));
    let mut random = Random(7);
    steady.calls(100_000, 7, || took(random.below(250)));
    assert_eq!(steady.kinds(), [], "a fifth is above the limit, the median is not");
    let mut slow = Play::of(latency(200));
    slow.calls(100_000, 7, || took(150 + random.below(200)));
    assert_eq!(slow.kinds(), [Change::LeftForLatency]);
}

#[test]
fn the_hold_has_its_bounds() {
    assert_eq!(latency(1).hold(), ms(SLA_HOLD_MS.0));
    assert_eq!(latency(2_000).hold(), ms(20_000));
    assert_eq!(latency(3_600_000).hold(), ms(SLA_HOLD_MS.1));
    assert_eq!(availability(99.0, 300_000).hold(), ms(30_000));
}

#[test]
fn what_a_call_took_says_what_it_can() {
    let settings = latency(2_000);
    let of = |good, taken, tokens| Sample::of(&settings, good, ms(taken), tokens).first_token;
    assert_eq!(of(true, 1_500, 0), Some(ms(1_500)));
    assert_eq!(of(true, 9_500, 300), Some(ms(500)), "an answer in one piece takes its tokens' time");
    assert_eq!(of(true, 100, 300), Some(ms(0)));
    assert_eq!(of(false, 5, 0), None, "a quick failure is not quick service");
    assert_eq!(of(false, 2_001, 0), Some(ms(2_001)));
}
