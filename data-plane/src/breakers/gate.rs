//! A machine behind a lock, with a way past the lock for what happens most: a closed breaker is asked, and told of successes.
//! Both touch one word. While it is *open*, the machine is closed, nobody holds the lock, and the word says in which generation and
//! tenth of the window; successes are counted in it. Whoever takes the lock shuts it first, and gives the machine what was
//! counted, so that the machine always knows everything it is asked about; see [`Gate::locked`]. So each step past the lock is one
//! atomic operation on the word, and each step within it happens while none can be made past it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use breakwater_common::breaker::{Machine, Permit, Settings};
use breakwater_common::time::MonoMillis;

/// The word: 1 bit open, 19 of the generation, 28 of the tenth, 16 of the count. A generation comes round after half a million
/// transitions and returned probes: a call that outlives exactly so many would be one stray outcome. A tenth comes round after 300
/// days for the shortest window, and reports, once a second, begin a new one.
const OPEN: u64 = 1 << 63;
const GENERATION: (u32, u64) = (44, (1 << 19) - 1);
const TENTH: (u32, u64) = (16, (1 << 28) - 1);
const COUNT: u64 = (1 << 16) - 1;

/// The right to one attempt, with as much of its generation as the word holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    generation: u64,
    /// The attempt decides whether the breaker closes.
    pub(super) probe: bool,
}

/// An atomic word; tests bring their own, which they step through.
pub(super) trait Word {
    fn new(value: u64) -> Self;
    fn load(&self) -> u64;
    fn swap(&self, value: u64) -> u64;
    fn exchange(&self, from: u64, to: u64) -> Result<u64, u64>;
}

/// A lock around something, likewise.
pub(super) trait Lock<T> {
    fn new(value: T) -> Self;
    fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R;
}

/// See the module.
#[derive(Debug)]
pub(super) struct Gate<W = AtomicU64, L = Mutex<Inner>> {
    word: W,
    tenth_ms: AtomicU64,
    /// Successes that were counted past the lock and that the machine was told of.
    passed: AtomicU64,
    inner: L,
}

/// What the lock holds.
#[derive(Debug)]
pub(super) struct Inner {
    machine: Machine,
    /// When the word was opened: when what it counts happened, to the tenth.
    opened: MonoMillis,
}

impl<W: Word, L: Lock<Inner>> Gate<W, L> {
    pub(super) fn new(machine: Machine) -> Self {
        let tenth_ms = AtomicU64::new(tenth_ms(machine.settings()));
        let inner = L::new(Inner { machine, opened: MonoMillis::default() });
        // Shut: the first to ask takes the lock and opens it.
        Self { word: W::new(0), tenth_ms, passed: AtomicU64::new(0), inner }
    }

    /// Returns a ticket past the lock; none if the machine must be asked.
    pub(super) fn admit(&self) -> Option<Ticket> {
        let word = self.word.load();
        (word & OPEN != 0).then(|| Ticket { generation: field(word, GENERATION), probe: false })
    }

    /// Counts a success past the lock; false if the machine must be told.
    pub(super) fn succeeded(&self, now: MonoMillis, ticket: Ticket) -> bool {
        let mut word = self.word.load();
        loop {
            let counts = word & OPEN != 0
                && word & COUNT != COUNT
                && field(word, GENERATION) == ticket.generation
                && field(word, TENTH) == self.tenth(now) & TENTH.1;
            if !counts {
                return false;
            }
            match self.word.exchange(word, word + 1) {
                Ok(_) => return true,
                Err(other) => word = other,
            }
        }
    }

    /// Works on the machine, which has been told of everything that happened before.
    pub(super) fn locked<R>(&self, now: MonoMillis, work: impl FnOnce(&mut Machine) -> R) -> R {
        self.inner.with(|inner| {
            let word = self.word.swap(0);
            let count = u32::try_from(word & COUNT).unwrap_or(u32::MAX);
            inner.machine.succeeded(inner.opened, count);
            let _before = self.passed.fetch_add(u64::from(count), Ordering::Relaxed);
            let result = work(&mut inner.machine);
            self.tenth_ms.store(tenth_ms(inner.machine.settings()), Ordering::Relaxed);
            if inner.machine.is_closed() {
                inner.opened = now;
                let generation = inner.machine.generation() & GENERATION.1;
                let tenth = self.tenth(now) & TENTH.1;
                let _shut = self.word.swap(OPEN | generation << GENERATION.0 | tenth << TENTH.0);
            }
            result
        })
    }

    /// Returns how many successes were counted past the lock, up to when the machine was worked on last.
    pub(super) fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    fn tenth(&self, now: MonoMillis) -> u64 {
        now.0 / self.tenth_ms.load(Ordering::Relaxed).max(1)
    }
}

impl Ticket {
    /// Makes the ticket of a machine's permit.
    pub(super) fn of(permit: Permit) -> Self {
        Self { generation: permit.generation & GENERATION.1, probe: permit.probe }
    }

    /// Returns the machine's permit; none if the ticket is of an older generation.
    pub(super) fn permit(self, machine: &Machine) -> Option<Permit> {
        let generation = machine.generation();
        (generation & GENERATION.1 == self.generation).then_some(Permit { generation, probe: self.probe })
    }
}

fn field(word: u64, (shift, mask): (u32, u64)) -> u64 {
    word >> shift & mask
}

fn tenth_ms(settings: &Settings) -> u64 {
    let window = settings.failures.unwrap_or_default().window;
    u64::try_from((window / 10).as_millis()).unwrap_or(u64::MAX).max(1)
}

impl Word for AtomicU64 {
    fn new(value: u64) -> Self {
        Self::new(value)
    }

    fn load(&self) -> u64 {
        self.load(Ordering::Acquire)
    }

    fn swap(&self, value: u64) -> u64 {
        self.swap(value, Ordering::AcqRel)
    }

    fn exchange(&self, from: u64, to: u64) -> Result<u64, u64> {
        self.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
    }
}

impl<T> Lock<T> for Mutex<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }

    fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        work(&mut self.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
