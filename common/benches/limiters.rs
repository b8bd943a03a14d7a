//! What limits cost a call: asking and charging those of a route and a tenant (calls, tokens, calls at the same time) and
//! ending it. Beside it stands the obvious way in the same run: a bucket of floats behind a lock for each limit.
//!
//! `cargo bench -p breakwater-common --bench limiters`; docs/figures.md keeps what it said.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a bench reads the clock, prints what it measured and fails where it cannot go on"
)]

use std::hint::black_box;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use breakwater_common::limit::{Limiter, Limits, Meter, Share, admit};
use breakwater_common::time::MonoNanos;

/// Operations of one sample: short enough that most samples are not interrupted on a machine that others use.
const OPERATIONS: u32 = 1_000;
/// Samples; the median counts.
const SAMPLES: usize = 2_001;

fn main() {
    let limits = Limits {
        calls: Some(Share::per_second(10_000_000, None)),
        tokens: Some(Share::per_minute(4_000_000_000)),
        concurrent: Some(1_000_000),
    };
    let start = Instant::now();
    let now = || MonoNanos(u64::try_from(start.elapsed().as_nanos()).unwrap());
    let meter = Mutex::new(Meter::new(Share::per_second(10_000_000, None)));
    measure("one rate behind a lock", || {
        let mut meter = meter.lock().unwrap();
        let at = now();
        if black_box(meter.check(at, 1)).is_ok() {
            meter.take(at, 1);
        }
    });
    let bucket = Mutex::new(Bucket::new(1e7, start));
    measure("the same as a bucket of floats", || {
        let _taken = black_box(bucket.lock().unwrap().take(1.0));
    });
    let (route, tenant) = (Mutex::new(Limiter::new(limits)), Mutex::new(Limiter::new(limits)));
    measure("all limits of a route and a tenant, admit and end", || {
        let (mut one, mut other) = (route.lock().unwrap(), tenant.lock().unwrap());
        let admitted = admit(now(), 100, &mut [&mut *one, &mut *other]);
        drop((one, other));
        if black_box(admitted).is_ok() {
            let at = now();
            route.lock().unwrap().end(at, 100, 70);
            tenant.lock().unwrap().end(at, 100, 70);
        }
    });
    let buckets: Vec<_> = (0..6).map(|_| Mutex::new(Bucket::new(1e8, start))).collect();
    measure("the same as six buckets of floats", || {
        let mut taken = 0;
        while taken < buckets.len() && buckets[taken].lock().unwrap().take(10.0) {
            taken += 1;
        }
        black_box(taken);
        buckets.iter().for_each(|bucket| bucket.lock().unwrap().left += 3.0);
    });
}

/// The obvious way.
struct Bucket {
    rate: f64,
    left: f64,
    last: Instant,
}

impl Bucket {
    fn new(rate: f64, last: Instant) -> Self {
        Self { rate, left: rate, last }
    }

    fn take(&mut self, units: f64) -> bool {
        let now = Instant::now();
        let back = now.duration_since(self.last).as_secs_f64() * self.rate;
        (self.left, self.last) = ((self.left + back).min(self.rate), now);
        let room = self.left >= units;
        if room {
            self.left -= units;
        }
        room
    }
}

fn measure(name: &str, mut operation: impl FnMut()) {
    let mut samples: Vec<Duration> = (0..SAMPLES)
        .map(|_| {
            let begin = Instant::now();
            (0..OPERATIONS).for_each(|_| operation());
            begin.elapsed() / OPERATIONS
        })
        .collect();
    samples.sort_unstable();
    println!("{name}: {} ns (median), {} ns (least)", samples[SAMPLES / 2].as_nanos(), samples[0].as_nanos());
}
