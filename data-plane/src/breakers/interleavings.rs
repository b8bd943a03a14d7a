//! Every interleaving of small scenes at a gate, step by step of its word and its lock: what each thread sees, and what is left
//! at the end, is what some order of whole operations would have made of a plain machine.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use breakwater_common::breaker::{
    Answer, Count, Draw, Force, Machine, Outcome, Permit, Reason, Rule, Settings, State, Transition,
};
use breakwater_common::time::MonoMillis;

use super::gate::{Gate, Inner, Lock, Ticket, Word};

const CHANCE: Draw = Draw(0);

/// Lets one thread take one step at a time.
#[derive(Default)]
struct Turns {
    stage: Mutex<Stage>,
    changed: Condvar,
}

#[derive(Default)]
struct Stage {
    /// Each thread: what it waits for; none while it runs.
    waiting: Vec<Option<Wait>>,
    turn: Option<usize>,
    held: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Step,
    Lock,
    Ended,
}

thread_local! {
    static ME: RefCell<Option<(Arc<Turns>, usize)>> = const { RefCell::new(None) };
}

impl Turns {
    /// Waits until it is this thread's turn. Threads that no scene owns go on at once.
    fn pause(wait: Wait) {
        let Some((turns, me)) = ME.with_borrow(Clone::clone) else { return };
        let mut stage = turns.stage.lock().unwrap();
        stage.waiting[me] = Some(wait);
        turns.changed.notify_all();
        if wait != Wait::Ended {
            let mut stage = turns.changed.wait_while(stage, |stage| stage.turn != Some(me)).unwrap();
            (stage.turn, stage.waiting[me]) = (None, None);
            stage.held |= wait == Wait::Lock;
        }
    }

    fn release() {
        let Some((turns, _)) = ME.with_borrow(Clone::clone) else { return };
        turns.stage.lock().unwrap().held = false;
    }

    /// Gives turns as `choices` say, then the first that is free to go; returns of how many each choice was.
    fn conduct(&self, choices: &mut Vec<(usize, usize)>) {
        for step in 0.. {
            let stage = self.stage.lock().unwrap();
            let busy = |stage: &mut Stage| stage.turn.is_some() || stage.waiting.contains(&None);
            let mut stage = self.changed.wait_while(stage, busy).unwrap();
            let free = |wait: &Option<Wait>| match wait {
                Some(Wait::Step) => true,
                Some(Wait::Lock) => !stage.held,
                Some(Wait::Ended) | None => false,
            };
            let free: Vec<usize> =
                (0..stage.waiting.len()).filter(|thread| free(&stage.waiting[*thread])).collect();
            if free.is_empty() {
                assert!(
                    stage.waiting.iter().all(|wait| *wait == Some(Wait::Ended)),
                    "a deadlock: {choices:?}"
                );
                return;
            }
            if step == choices.len() {
                choices.push((0, free.len()));
            }
            stage.turn = Some(free[choices[step].0]);
            self.changed.notify_all();
        }
    }
}

struct Stepped(AtomicU64);

impl Word for Stepped {
    fn new(value: u64) -> Self {
        Self(AtomicU64::new(value))
    }

    fn load(&self) -> u64 {
        Turns::pause(Wait::Step);
        self.0.load(Ordering::SeqCst)
    }

    fn swap(&self, value: u64) -> u64 {
        Turns::pause(Wait::Step);
        self.0.swap(value, Ordering::SeqCst)
    }

    fn exchange(&self, from: u64, to: u64) -> Result<u64, u64> {
        Turns::pause(Wait::Step);
        self.0.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst)
    }
}

struct SteppedLock<T>(Mutex<T>);

impl<T> Lock<T> for SteppedLock<T> {
    fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        Turns::pause(Wait::Lock);
        let result = work(&mut self.0.lock().unwrap());
        Turns::release();
        result
    }
}

/// A word that is not shut while the lock is held: what the scenes must find.
struct Ajar(AtomicU64);

impl Word for Ajar {
    fn new(value: u64) -> Self {
        Self(AtomicU64::new(value))
    }

    fn load(&self) -> u64 {
        Turns::pause(Wait::Step);
        self.0.load(Ordering::SeqCst)
    }

    fn swap(&self, value: u64) -> u64 {
        Turns::pause(Wait::Step);
        let shuts = value == 0;
        if shuts { self.0.load(Ordering::SeqCst) } else { self.0.swap(value, Ordering::SeqCst) }
    }

    fn exchange(&self, from: u64, to: u64) -> Result<u64, u64> {
        Turns::pause(Wait::Step);
        self.0.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst)
    }
}

type SteppedGate<W> = Gate<W, SteppedLock<Inner>>;

/// What a thread does, in order.
#[derive(Debug, Clone, Copy)]
enum Act {
    Ask,
    /// Reports with the permit it holds, if it holds one.
    Report(Outcome),
}

/// What a thread saw: an answer to each ask, a transition for each report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Permit { probe: bool },
    Refused,
    Reported(Option<(State, Reason)>),
    Nothing,
}

type End = (Vec<Vec<Seen>>, State, u32, Count);

fn seen(turned: Option<Transition>) -> Seen {
    Seen::Reported(turned.map(|turned| (turned.to, turned.reason)))
}

/// The state and the counts, seen through the evidence of forcing it open at the end.
fn end(machine: &mut Machine, now: MonoMillis) -> (State, u32, Count) {
    let (state, failures) = (machine.state(now), machine.consecutive_failures());
    let force = Some(Force::Open);
    let turned = machine.reconfigure(now, Settings { force, ..*machine.settings() }).unwrap();
    (state, failures, turned.evidence.failures)
}

/// A scene: each thread's acts, whether it begins with a permit, and what happened before.
struct Scene {
    threads: Vec<(bool, Vec<Act>)>,
    before: Vec<Outcome>,
    settings: Settings,
    now: MonoMillis,
}

impl Scene {
    fn begin(&self) -> (Machine, Vec<Option<Permit>>) {
        let mut machine = Machine::new(self.settings);
        for outcome in &self.before {
            let Answer::Permit(permit) = machine.ask(MonoMillis(0), CHANCE) else { panic!("refused") };
            let _turned = machine.report(MonoMillis(0), CHANCE, permit, *outcome);
        }
        let mut held = Vec::new();
        for (holds, _) in &self.threads {
            held.push(holds.then(|| match machine.ask(self.now, CHANCE) {
                Answer::Permit(permit) => permit,
                Answer::Refused { .. } => panic!("refused"),
            }));
        }
        (machine, held)
    }

    /// Everything that whole operations in some order make of a plain machine.
    fn in_order(&self) -> BTreeSet<End> {
        let mut ends = BTreeSet::new();
        let mut open = vec![vec![0_usize; 0]];
        let total: usize = self.threads.iter().map(|(_, acts)| acts.len()).sum();
        for _ in 0..total {
            open = open
                .into_iter()
                .flat_map(|order| {
                    let done = |thread: usize| order.iter().filter(|one| **one == thread).count();
                    let more: Vec<usize> =
                        (0..self.threads.len()).filter(|t| done(*t) < self.threads[*t].1.len()).collect();
                    more.into_iter().map(move |thread| [order.as_slice(), &[thread]].concat())
                })
                .collect();
        }
        for order in open {
            let (mut machine, mut held) = self.begin();
            let mut saw = vec![Vec::new(); self.threads.len()];
            for thread in order {
                let act = self.threads[thread].1[saw[thread].len()];
                saw[thread].push(match act {
                    Act::Ask => match machine.ask(self.now, CHANCE) {
                        Answer::Permit(permit) => {
                            held[thread] = Some(permit);
                            Seen::Permit { probe: permit.probe }
                        }
                        Answer::Refused { .. } => Seen::Refused,
                    },
                    Act::Report(outcome) => held[thread].take().map_or(Seen::Nothing, |permit| {
                        seen(machine.report(self.now, CHANCE, permit, outcome))
                    }),
                });
            }
            let (state, failures, count) = end(&mut machine, self.now);
            ends.insert((saw, state, failures, count));
        }
        ends
    }

    /// Plays the scene at a gate with the turns that `choices` say.
    fn play<W: Word + Send + Sync + 'static>(&self, choices: &mut Vec<(usize, usize)>) -> End {
        let (machine, held) = self.begin();
        let gate = Arc::new(SteppedGate::<W>::new(machine));
        gate.locked(self.now, |_| ());
        let turns = Arc::new(Turns::default());
        turns.stage.lock().unwrap().waiting = vec![None; self.threads.len()];
        let (now, mut threads) = (self.now, Vec::new());
        for (me, (_, acts)) in self.threads.iter().enumerate() {
            let (gate, turns, acts, held) = (Arc::clone(&gate), Arc::clone(&turns), acts.clone(), held[me]);
            threads.push(std::thread::spawn(move || {
                ME.set(Some((turns, me)));
                let _ended = Ended;
                run(&gate, now, &acts, held.map(Ticket::of))
            }));
        }
        turns.conduct(choices);
        let saw = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        let (state, failures, count) = gate.locked(now, |machine| end(machine, now));
        (saw, state, failures, count)
    }

    /// Plays every interleaving. Errors: the first whose end no order of whole operations has.
    fn explore<W: Word + Send + Sync + 'static>(&self) -> Result<(), String> {
        let possible = self.in_order();
        let (mut choices, mut found) = (Vec::new(), BTreeSet::new());
        loop {
            let end = self.play::<W>(&mut choices);
            if !possible.contains(&end) {
                return Err(format!("{end:?} is in no order; turns {choices:?}"));
            }
            let _new = found.insert(end);
            // The next one: the last choice that has another.
            while choices.last().is_some_and(|(chosen, of)| chosen + 1 == *of) {
                let _exhausted = choices.pop();
            }
            match choices.last_mut() {
                Some((chosen, _)) => *chosen += 1,
                None => break,
            }
        }
        // That every order is reached says that turns are really taken in every way.
        assert_eq!(found, possible);
        Ok(())
    }

    fn check(&self) {
        assert_eq!(self.explore::<Stepped>(), Ok(()));
    }
}

/// Says that a thread has ended, also if it panicked.
struct Ended;

impl Drop for Ended {
    fn drop(&mut self) {
        Turns::pause(Wait::Ended);
    }
}

/// What `Cell` does, without its clock and its records.
fn run<W: Word>(gate: &SteppedGate<W>, now: MonoMillis, acts: &[Act], mut held: Option<Ticket>) -> Vec<Seen> {
    let act = |act: &Act| match act {
        Act::Ask => {
            if let Some(ticket) = gate.admit() {
                held = Some(ticket);
                return Seen::Permit { probe: false };
            }
            match gate.locked(now, |machine| machine.ask(now, CHANCE)) {
                Answer::Permit(permit) => {
                    held = Some(Ticket::of(permit));
                    Seen::Permit { probe: permit.probe }
                }
                Answer::Refused { .. } => Seen::Refused,
            }
        }
        Act::Report(outcome) => {
            let Some(ticket) = held.take() else { return Seen::Nothing };
            if *outcome == Outcome::Success && !ticket.probe && gate.succeeded(now, ticket) {
                return Seen::Reported(None);
            }
            seen(gate.locked(now, |machine| {
                let permit = ticket.permit(machine)?;
                machine.report(now, CHANCE, permit, *outcome)
            }))
        }
    };
    acts.iter().map(act).collect()
}

const ASK: Act = Act::Ask;
const SUCCESS: Act = Act::Report(Outcome::Success);
const FAILURE: Act = Act::Report(Outcome::Failure);
const LEAVE: Act = Act::Report(Outcome::Abandoned);

fn settings() -> Settings {
    let failures = Some(Rule { share: 6_000, min_requests: 5, window: Duration::from_secs(10) });
    Settings { failures, ..Settings::exact(2, Duration::from_secs(1)) }
}

fn closed(threads: &[(bool, &[Act])], before: &[Outcome]) -> Scene {
    let threads = threads.iter().map(|(holds, acts)| (*holds, acts.to_vec())).collect();
    Scene { threads, before: before.to_vec(), settings: settings(), now: MonoMillis(0) }
}

/// A scene that begins when the open time has passed.
fn half_open(threads: &[&[Act]]) -> Scene {
    let threads: Vec<_> = threads.iter().map(|acts| (false, *acts)).collect();
    let before = [Outcome::Failure, Outcome::Failure];
    Scene { now: MonoMillis(1_000), ..closed(&threads, &before) }
}

#[test]
fn successes_past_the_lock_and_failures_within_it_are_in_some_order() {
    closed(&[(true, &[SUCCESS]), (true, &[FAILURE]), (true, &[FAILURE])], &[]).check();
    closed(&[(true, &[SUCCESS]), (true, &[SUCCESS]), (true, &[FAILURE])], &[Outcome::Failure]).check();
    closed(&[(true, &[SUCCESS, ASK]), (true, &[FAILURE, ASK])], &[Outcome::Failure]).check();
    let before = [Outcome::Success, Outcome::Failure, Outcome::Success, Outcome::Failure];
    closed(&[(true, &[SUCCESS, ASK]), (true, &[FAILURE, ASK, LEAVE])], &before).check();
}

#[test]
fn one_probe_goes_out_whoever_asks_when() {
    half_open(&[&[ASK, SUCCESS], &[ASK, FAILURE]]).check();
    half_open(&[&[ASK, LEAVE], &[ASK, SUCCESS]]).check();
    half_open(&[&[ASK, FAILURE, ASK], &[ASK]]).check();
    half_open(&[&[ASK], &[ASK], &[ASK]]).check();
}

#[test]
fn a_success_that_comes_late_closes_nothing_and_is_counted_nowhere() {
    closed(&[(true, &[SUCCESS]), (true, &[FAILURE, ASK])], &[Outcome::Failure]).check();
}

#[test]
fn a_way_past_the_lock_that_is_not_shut_is_found() {
    let scene = closed(&[(true, &[SUCCESS]), (true, &[FAILURE])], &[]);
    assert!(scene.explore::<Ajar>().is_err(), "a success is lost when the word is written anew");
    scene.check();
}
