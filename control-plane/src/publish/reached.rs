//! Waiting for the fleet: who runs a revision, and who does not yet.

use std::time::Duration;

use super::Book;

/// Connected proxies by whether they run a revision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached {
    /// Those that do.
    pub acknowledged: Vec<String>,
    /// Those that do not.
    pub pending: Vec<String>,
}

impl Book {
    /// Waits until every proxy that is connected to this node runs the revision or a newer one, but not longer than `within`.
    ///
    /// Cancel-safe: it only reads.
    pub async fn reached(&self, revision: u64, within: Duration) -> Reached {
        let all = async {
            loop {
                // Heard from before the look, so that no change falls in between.
                let changed = self.changed.notified();
                tokio::pin!(changed);
                let _not_yet = changed.as_mut().enable();
                if self.standing(revision).pending.is_empty() {
                    return;
                }
                changed.await;
            }
        };
        // Either way the answer is how it stands then.
        let _in_time = tokio::time::timeout(within, all).await;
        self.standing(revision)
    }

    fn standing(&self, revision: u64) -> Reached {
        let connected = self.entries().into_iter().filter(|(_, entry)| entry.sessions > 0);
        let (acknowledged, pending): (Vec<_>, Vec<_>) =
            connected.partition(|(_, entry)| entry.revision >= revision);
        let names = |list: Vec<(String, _)>| list.into_iter().map(|(name, _)| name).collect();
        Reached { acknowledged: names(acknowledged), pending: names(pending) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn the_wait_ends_with_the_last_acknowledgement_or_departure() {
        let book = Book::default();
        for proxy in ["a", "b", "c"] {
            book.opened(proxy, "boot", "1", 6);
        }
        book.acknowledged("a", 7);
        let mut waiting = std::pin::pin!(book.reached(7, SOON));
        let looked = tokio::time::timeout(Duration::ZERO, &mut waiting).await;
        assert!(looked.is_err(), "two proxies are behind");
        book.closed("c");
        book.acknowledged("b", 8);
        let reached = waiting.await;
        assert_eq!((reached.acknowledged, reached.pending), (vec!["a".into(), "b".into()], vec![]));
    }

    #[tokio::test]
    async fn who_does_not_answer_in_time_is_named() {
        let book = Book::default();
        book.opened("slow", "boot", "1", 6);
        book.opened("quick", "boot", "1", 7);
        let reached = book.reached(7, Duration::from_millis(20)).await;
        assert_eq!((reached.acknowledged, reached.pending), (vec!["quick".into()], vec!["slow".into()]));
        assert_eq!(Book::default().reached(7, SOON).await, Reached::default());
    }
}
