//! Limiters against what they promise: never more than the burst and the rate allow in any stretch of time, an exact time to
//! come back, and a refusal that costs nothing.

use std::time::Duration;

use breakwater_common::limit::{Limit, Limiter, Limits, Meter, Refusal, Share, admit};
use breakwater_common::time::MonoNanos;
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;

/// Shares from one unit in a quarter of an hour to ten million a second.
fn share() -> impl Strategy<Value = Share> {
    let rate = prop_oneof![1_u64..2_000, 1_000_u64..10_000_000, 1_u64..10_000_000_000];
    (rate, prop_oneof![Just(0_u64), 0_u64..20, 0_u64..5_000_000])
        .prop_map(|(rate, burst)| Share::new(rate, burst))
}

/// Pauses around what a unit costs, so that the edge is met often.
fn pauses() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0_u64..3_000, prop_oneof![Just(1_u64), 1_u64..30]), 1..120)
}

/// Whether `units` in `nanos` are within `1 + burst + rate × nanos`, computed without the machine's rounding.
fn within(share: Share, units: u64, nanos: u64) -> bool {
    let by_rate = u128::from(share.milli_per_s()) * u128::from(nanos);
    let whole = u128::from(SECOND) * 1_000;
    u128::from(units) * whole <= (1 + u128::from(share.burst())) * whole + by_rate
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_stretch_of_time_holds_more_than_burst_and_rate(share in share(), pauses in pauses(), start in 0..SECOND) {
        let mut meter = Meter::new(share);
        let cost = (SECOND * 1_000 / share.milli_per_s()).max(1);
        let (mut now, mut passed) = (start, Vec::new());
        for (pause, units) in pauses {
            now += cost * pause / 1_000;
            let units = units.min(share.burst() + 1);
            if meter.check(MonoNanos(now), units).is_ok() {
                meter.take(MonoNanos(now), units);
                passed.push((now, units));
            }
        }
        for (first, (from, _)) in passed.iter().enumerate() {
            let mut sum = 0;
            for (to, units) in &passed[first..] {
                sum += units;
                prop_assert!(within(share, sum, to - from), "{sum} in {} ns of {share:?}", to - from);
            }
        }
    }

    #[test]
    fn the_time_to_come_back_is_exact(share in share(), pauses in pauses(), start in 0..SECOND) {
        let mut meter = Meter::new(share);
        let mut now = start;
        for (pause, units) in pauses {
            now += pause;
            match meter.check(MonoNanos(now), units) {
                Ok(()) => meter.take(MonoNanos(now), units),
                Err(wait) => {
                    let due = now + u64::try_from(wait.as_nanos()).unwrap();
                    prop_assert!(wait > Duration::ZERO);
                    prop_assert!(meter.check(MonoNanos(due - 1), units).is_err());
                    prop_assert!(meter.check(MonoNanos(due), units).is_ok());
                    now = due;
                }
            }
        }
    }

    /// A steady demand above the rate is served at the rate: the limiter does not starve either.
    #[test]
    fn a_steady_demand_gets_its_rate(rps in 1_u32..2_000, burst in 0_u32..50, seconds in 1_u64..20) {
        let mut meter = Meter::new(Share::per_second(rps, Some(burst)));
        let (mut now, mut passed) = (0_u64, 0_u64);
        while now < seconds * SECOND {
            match meter.check(MonoNanos(now), 1) {
                Ok(()) => {
                    meter.take(MonoNanos(now), 1);
                    passed += 1;
                }
                Err(wait) => now += u64::try_from(wait.as_nanos()).unwrap(),
            }
        }
        let expect = u64::from(rps) * seconds + u64::from(burst);
        prop_assert!(passed <= expect + 1 && passed + 1 >= expect, "{passed} of {expect}");
    }

    /// After everything was settled the meter owes what was used, whatever was reserved.
    #[test]
    fn settling_leaves_what_was_used(calls in prop::collection::vec((1_u64..5_000, 0_u64..5_000), 1..40)) {
        let share = Share::per_minute(60_000_000);
        let (mut reserved, mut used) = (Meter::new(share), Meter::new(share));
        // A base far from zero, so that what is owed never runs out while it is corrected.
        for meter in [&mut reserved, &mut used] {
            meter.take(MonoNanos(0), 1_000_000);
        }
        for (taken, _) in &calls {
            reserved.take(MonoNanos(0), *taken);
        }
        for (taken, was) in &calls {
            reserved.settle(MonoNanos(0), *taken, *was);
            used.take(MonoNanos(0), *was);
        }
        prop_assert_eq!(reserved.remaining(MonoNanos(0)), used.remaining(MonoNanos(0)));
    }

    /// A refused call takes nothing from any limiter: all of them answer as if it had never been.
    #[test]
    fn a_refusal_costs_nothing(
        calls in prop::collection::vec((0_u64..200_000_000, 1_u64..400), 1..60),
        limits in prop::collection::vec((1_u32..20, 1_u32..2_000, 1_u32..6), 1..4),
    ) {
        let limits = limits.into_iter().map(|(rps, tpm, concurrent)| Limits {
            calls: Some(Share::per_second(rps, None)),
            tokens: Some(Share::per_minute(tpm)),
            concurrent: Some(concurrent),
        });
        let mut limiters: Vec<Limiter> = limits.map(Limiter::new).collect();
        let mut now = 0;
        for (pause, tokens) in calls {
            now += pause;
            let before = format!("{limiters:?}");
            let mut all: Vec<&mut Limiter> = limiters.iter_mut().collect();
            match admit(MonoNanos(now), tokens, &mut all) {
                Err((at, refusal)) => {
                    prop_assert_eq!(&before, &format!("{limiters:?}"));
                    prop_assert_eq!(limiters[at].check(MonoNanos(now), tokens), Err(refusal));
                    let longest = limiters.iter().filter_map(|one| one.check(MonoNanos(now), tokens).err());
                    prop_assert_eq!(longest.map(|one| one.retry_after).max(), Some(refusal.retry_after));
                }
                Ok(()) => prop_assert!(limiters.iter().all(|one| one.running() > 0)),
            }
            if now % 3 == 0 && limiters[0].running() > 0 {
                limiters.iter_mut().for_each(|one| one.end(MonoNanos(now), 0, 0));
            }
        }
    }
}

fn calls(rps: u32, burst: u32) -> Limits {
    Limits { calls: Some(Share::per_second(rps, Some(burst))), ..Limits::default() }
}

#[test]
fn what_passed_still_counts_under_other_limits() {
    let mut limiter = Limiter::new(calls(1, 3));
    for _ in 0..4 {
        limiter.take(MonoNanos(0), 0);
    }
    limiter.reconfigure(MonoNanos(0), calls(10, 3));
    let refusal = Refusal { limit: Limit::Calls, retry_after: Duration::from_millis(100) };
    assert_eq!(limiter.check(MonoNanos(0), 0), Err(refusal));
    assert_eq!(limiter.check(MonoNanos(SECOND / 10), 0), Ok(()));
    limiter.reconfigure(MonoNanos(0), Limits { concurrent: Some(4), ..Limits::default() });
    assert_eq!(limiter.check(MonoNanos(0), 0).map_err(|refusal| refusal.limit), Err(Limit::Concurrent));
    limiter.end(MonoNanos(0), 0, 0);
    assert_eq!(limiter.check(MonoNanos(0), 0), Ok(()));
}

#[test]
fn a_call_larger_than_the_limit_passes_a_full_allowance_and_is_owed() {
    let mut meter = Meter::new(Share::per_minute(600));
    assert_eq!(meter.check(MonoNanos(0), 1_200), Ok(()));
    meter.take(MonoNanos(0), 1_200);
    assert_eq!(meter.check(MonoNanos(0), 1), Err(Duration::from_millis(60_100)));
    meter.settle(MonoNanos(0), 1_200, 300);
    assert_eq!(meter.remaining(MonoNanos(0)), 300);
}
