//! What a breaker costs a call: asking it and telling it a success, alone and with 16 threads on one provider. Beside it stand the
//! obvious ways in the same run: the last hundred outcomes in a `Mutex<VecDeque>`, and the same machine behind a plain lock.
//!
//! `cargo bench -p breakwater-data-plane --bench breakers`; docs/figures.md keeps what it said.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a bench reads the clock and fails where it cannot go on"
)]

#[path = "../dialect/benches/formats/cpu.rs"]
mod cpu;

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use breakwater_common::breaker::{Answer, Draw, Machine, Outcome, Settings};
use breakwater_common::resource::{Credential, Provider, ProviderType, Timeouts};
use breakwater_common::ruleset::Upstream;
use breakwater_data_plane::breakers::{Breakers, Target};
use breakwater_runtime::{SharedClock, SystemClock};
use criterion::Criterion;

use self::cpu::CpuTime;

const THREADS: usize = 16;

fn main() {
    let mut criterion = Criterion::default()
        .with_measurement(CpuTime)
        .sample_size(50)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots()
        .configure_from_args();
    let upstream = upstream();
    let breakers = Breakers::new(SystemClock::shared(), 1);
    breakers.follow(std::iter::once(&upstream));
    let target = Target { upstream: &upstream, model: "gpt-4o", credential: "main" };
    let ours = || breakers.ask(black_box(target)).unwrap().report(Outcome::Success);
    let deque = Mutex::new((VecDeque::with_capacity(128), 0_u32));
    let obvious = || last_hundred(&deque);
    let clock = SystemClock::shared();
    let machine = Mutex::new(Machine::new(Settings::default()));
    let locked = || plain_lock(&machine, &clock);
    measure(&mut criterion, "ours", &ours);
    measure(&mut criterion, "mutex-vecdeque", &obvious);
    measure(&mut criterion, "mutex-machine", &locked);
    criterion.final_summary();
}

/// One thread by its own time on a processor; then 16 by the clock: what one of them waits for one operation.
fn measure(criterion: &mut Criterion<CpuTime>, name: &str, operation: &(impl Fn() + Sync)) {
    criterion.bench_function(&format!("{name}/1"), |bencher| bencher.iter(operation));
    criterion.bench_function(&format!("{name}/{THREADS}"), |bencher| {
        bencher.iter_custom(|times| {
            let barrier = Barrier::new(THREADS + 1);
            std::thread::scope(|scope| {
                for _ in 0..THREADS {
                    let _thread = scope.spawn(|| {
                        let _leader = barrier.wait();
                        (0..times).for_each(|_| operation());
                        let _leader = barrier.wait();
                    });
                }
                let _leader = barrier.wait();
                let start = Instant::now();
                let _leader = barrier.wait();
                start.elapsed()
            })
        });
    });
}

/// Whether fewer than half of the last hundred failed; then one success more.
fn last_hundred(outcomes: &Mutex<(VecDeque<bool>, u32)>) {
    let closed = outcomes.lock().unwrap().1 * 2 < 100;
    assert!(black_box(closed), "nothing fails here");
    let mut outcomes = outcomes.lock().unwrap();
    let (last, failed) = &mut *outcomes;
    if last.len() == 100 {
        *failed -= u32::from(last.pop_front() == Some(true));
    }
    last.push_back(false);
}

fn plain_lock(machine: &Mutex<Machine>, clock: &SharedClock) {
    let answer = machine.lock().unwrap().ask(clock.mono(), Draw::default());
    let Answer::Permit(permit) = answer else { panic!("nothing fails here") };
    let turned = machine.lock().unwrap().report(clock.mono(), Draw::default(), permit, Outcome::Success);
    assert!(black_box(turned).is_none(), "a success opens nothing");
}

fn upstream() -> Upstream {
    let provider = Provider {
        provider_type: ProviderType::OpenAi,
        base_url: "http://127.0.0.1:1/v1".to_owned(),
        region: String::new(),
        jurisdiction: String::new(),
        tags: Vec::new(),
        api_version: String::new(),
        credentials: vec![Credential { name: "main".to_owned(), api_key: "sk-1".to_owned() }],
        breaker: Settings::default(),
        timeouts: Timeouts::default(),
        models: Vec::new(),
        disabled: false,
        error_map: Vec::new(),
    };
    Upstream { name: "openai".to_owned(), provider }
}
