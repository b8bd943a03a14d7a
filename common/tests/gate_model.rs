//! The gate against what it promises: never above the hard bound, the less urgent go first, down while work waits and up
//! again after.

use std::time::Duration;

use breakwater_common::limit::{Gate, Priority};
use breakwater_common::limits::{GATE_CALLS_MIN, GATE_DELAY_MS, GATE_WINDOW_MS};
use breakwater_common::time::MonoMillis;
use proptest::prelude::*;

/// Lets so many windows pass in which work waits so long each time.
fn pass(gate: &mut Gate, now: &mut u64, windows: u64, delay_ms: u64) {
    for _ in 0..windows * 2 {
        gate.waited(MonoMillis(*now), Duration::from_millis(delay_ms));
        *now += GATE_WINDOW_MS;
    }
}

fn fill(gate: &mut Gate, priority: Priority) -> u32 {
    let mut entered = 0;
    while gate.enter(priority) {
        entered += 1;
    }
    entered
}

#[test]
fn the_less_urgent_are_shed_first() {
    let mut gate = Gate::new(100);
    assert_eq!(fill(&mut gate, Priority::Eval), 60);
    assert_eq!(fill(&mut gate, Priority::Batch), 20);
    assert_eq!(fill(&mut gate, Priority::Interactive), 20);
    gate.leave();
    assert!(!gate.enter(Priority::Eval) && !gate.enter(Priority::Batch) && gate.enter(Priority::Interactive));
}

#[test]
fn a_standing_delay_lowers_the_bound_below_what_runs_and_it_comes_back() {
    let mut gate = Gate::new(8_192);
    let mut now = 0;
    (0..1_000).for_each(|_| assert!(gate.enter(Priority::Interactive)));
    pass(&mut gate, &mut now, 1, GATE_DELAY_MS + 1);
    assert_eq!(gate.bound(), 900, "measured by what ran, not by the bound");
    assert!(!gate.enter(Priority::Interactive));
    pass(&mut gate, &mut now, 100, GATE_DELAY_MS + 1);
    assert_eq!(gate.bound(), GATE_CALLS_MIN, "some always get through");
    pass(&mut gate, &mut now, 400, 0);
    assert_eq!(gate.bound(), 8_192);
}

#[test]
fn one_short_wait_in_a_window_shows_that_there_is_no_queue() {
    let mut gate = Gate::new(100);
    for at in [0, 30, 60, 90, 120] {
        let delay = if at == 60 { 1 } else { 500 };
        gate.waited(MonoMillis(at), Duration::from_millis(delay));
    }
    assert_eq!(gate.bound(), 100);
}

proptest! {
    #[test]
    fn it_is_never_open_for_more_than_the_most_nor_less_than_the_least(
        most in GATE_CALLS_MIN..10_000,
        steps in prop::collection::vec((0_u8..4, 0_u64..200, 0_u64..100), 1..400),
    ) {
        let (mut gate, mut now, mut running) = (Gate::new(most), 0, 0_u32);
        for (what, pause, delay) in steps {
            now += pause;
            match what {
                0 if running > 0 => {
                    gate.leave();
                    running -= 1;
                }
                1 => gate.waited(MonoMillis(now), Duration::from_millis(delay)),
                _ => {
                    let priority = Priority::ALL[usize::try_from(delay % 3).unwrap()];
                    let full = running >= gate.bound();
                    let entered = gate.enter(priority);
                    prop_assert!(!(full && entered));
                    running += u32::from(entered);
                }
            }
            prop_assert_eq!(gate.running(), running);
            prop_assert!((GATE_CALLS_MIN..=most).contains(&gate.bound()));
        }
    }
}
