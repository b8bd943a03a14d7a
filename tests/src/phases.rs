//! Says where a play stands, and waits for conditions instead of for time.

use std::future::Future;
use std::time::Duration;

/// Longest wait for a condition: a bound against hanging, not an expectation of speed.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Says which phase of a play begins. Shown when the test fails.
pub fn phase(name: &str) {
    println!("--- {name}");
}

/// Waits until `condition` holds; panics with `what` after [`PATIENCE`].
pub async fn until<F, Fut>(what: &str, mut condition: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "waited {PATIENCE:?} for: {what}");
}
