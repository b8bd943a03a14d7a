//! How many calls at once are taken in. The bound follows what the machine can do, measured by how long our own work waits
//! for a processor: never by how long answers take, for that is the length of what a model writes.

use std::time::Duration;

use crate::limits::{GATE_CALLS_MIN, GATE_DELAY_MS, GATE_WINDOW_MS};
use crate::time::MonoMillis;

/// How urgent a call is. When there is no room for all, those with less of it go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Evaluations and experiments: nobody waits.
    Eval,
    /// Work that can be done later.
    Batch,
    /// A person waits.
    Interactive,
}

/// Takes calls in, up to a bound that follows the delay of our own work: a tenth less after a window in which work always
/// waited too long, a little more after any other (source: CoDel, RFC 8289, for the delay; TCP's congestion avoidance for
/// the steps).
#[derive(Debug, Clone)]
pub struct Gate {
    most: u32,
    bound: u32,
    running: u32,
    /// The most that ran at once in this window.
    peak: u32,
    /// The window's begin, and the shortest delay in it.
    window: Option<(MonoMillis, Duration)>,
}

impl Priority {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Interactive, Self::Batch, Self::Eval];

    /// Returns the word of headers, keys and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Batch => "batch",
            Self::Eval => "eval",
        }
    }

    /// Returns the one of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.as_str() == word)
    }

    /// Returns how much of a bound its calls may fill together with all others: the rest is kept for more urgent ones.
    fn part(self, bound: u32) -> u32 {
        let percent = match self {
            Self::Interactive => return bound,
            Self::Batch => 80,
            Self::Eval => 60,
        };
        u32::try_from(u64::from(bound) * percent / 100).unwrap_or(bound)
    }
}

impl Gate {
    /// Makes one that is open for so many calls, which is also the most that it will ever be open for.
    #[must_use]
    pub fn new(most: u32) -> Self {
        Self { most, bound: most, running: 0, peak: 0, window: None }
    }

    /// Takes a call in, if there is room for its priority; [`Self::leave`] must follow then.
    #[must_use]
    pub fn enter(&mut self, priority: Priority) -> bool {
        let room = self.running < priority.part(self.bound);
        if room {
            self.running += 1;
            self.peak = self.peak.max(self.running);
        }
        room
    }

    /// Ends a call that was taken in.
    pub fn leave(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// Notes how long a piece of our own work waited for a processor. Asked some times in each window of
    /// [`GATE_WINDOW_MS`]; a delay that is short once shows that there is no standing queue.
    pub fn waited(&mut self, now: MonoMillis, delay: Duration) {
        let Some((begin, shortest)) = self.window else {
            self.window = Some((now, delay));
            return;
        };
        let shortest = shortest.min(delay);
        if now.since(begin) < Duration::from_millis(GATE_WINDOW_MS) {
            self.window = Some((begin, shortest));
            return;
        }
        self.bound = if shortest > Duration::from_millis(GATE_DELAY_MS) {
            // What ran is what was too much, however far the bound was above it.
            let used = self.bound.min(self.peak);
            (used - used / 10).max(GATE_CALLS_MIN).min(self.bound)
        } else {
            self.bound.saturating_add((self.bound / 32).max(1)).min(self.most)
        };
        self.peak = self.running;
        self.window = None;
    }

    /// Returns for how many calls it is open now.
    #[must_use]
    pub fn bound(&self) -> u32 {
        self.bound
    }

    /// Returns how many calls are in.
    #[must_use]
    pub fn running(&self) -> u32 {
        self.running
    }
}
