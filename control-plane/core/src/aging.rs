//! A map that forgets its oldest entries by age and by count, the same on every node: the time is the state's own, and
//! entries of one time leave in order of their keys.

use breakwater_common::time::UnixMillis;
use imbl::{OrdMap, OrdSet};

/// Entries that leave in one step at most, so that one command's work is bounded. One step adds fewer.
const EVICTIONS_PER_STEP_MAX: usize = 512;

/// A map with the time at which each entry came.
#[derive(Debug, Clone)]
pub(crate) struct Aging<V: Clone> {
    entries: OrdMap<String, (UnixMillis, V)>,
    order: OrdSet<(UnixMillis, String)>,
}

impl<V: Clone> Default for Aging<V> {
    fn default() -> Self {
        Self { entries: OrdMap::new(), order: OrdSet::new() }
    }
}

impl<V: Clone> Aging<V> {
    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &(UnixMillis, V))> {
        self.entries.iter()
    }

    /// Puts an entry in; one that was there is replaced, and its age begins anew.
    pub(crate) fn insert(&mut self, key: String, at: UnixMillis, value: V) {
        self.order.insert((at, key.clone()));
        if let Some((before, _)) = self.entries.insert(key.clone(), (at, value))
            && before != at
        {
            self.order.remove(&(before, key));
        }
    }

    /// Takes out the oldest entries that are older than `age_ms` at `now` or beyond `count`; returns their keys.
    pub(crate) fn evict(&mut self, now: UnixMillis, age_ms: u64, count: usize) -> Vec<String> {
        let mut gone = Vec::new();
        while gone.len() < EVICTIONS_PER_STEP_MAX {
            let Some((at, key)) = self.order.get_min().cloned() else { break };
            let too_old = now.0.saturating_sub(at.0) > age_ms;
            if !too_old && self.entries.len() <= count {
                break;
            }
            self.entries.remove(&key);
            self.order.remove(&(at, key.clone()));
            gone.push(key);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_leave_by_age_and_by_count() {
        let mut map = Aging::default();
        for at in 0..5_u64 {
            map.insert(format!("k{at}"), UnixMillis(at), at);
        }
        map.insert("k0".to_owned(), UnixMillis(9), 0);
        assert_eq!(map.evict(UnixMillis(9), 100, 5), Vec::<String>::new());
        assert_eq!(map.evict(UnixMillis(9), 7, 5), ["k1"]);
        assert_eq!(map.evict(UnixMillis(9), 100, 2), ["k2", "k3"]);
        assert_eq!(map.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["k0", "k4"]);
        assert_eq!(map.order.len(), 2);
    }

    #[test]
    fn one_step_evicts_a_bounded_number() {
        let mut map = Aging::default();
        for at in 0..600_u64 {
            map.insert(format!("{at:04}"), UnixMillis(at), ());
        }
        assert_eq!(map.evict(UnixMillis(1_000_000), 1, 10).len(), EVICTIONS_PER_STEP_MAX);
        assert_eq!(map.evict(UnixMillis(1_000_000), 1, 10).len(), 600 - EVICTIONS_PER_STEP_MAX);
    }
}
