//! Ends HTTP/2 streams whose time is over. A body says itself when its call's deadline has passed, but only when it is asked
//! for more, and nobody asks while the client gives the stream no window: a client that answers pings and takes nothing
//! would hold its upstream for ever. HTTP/1.1 has no window of its own: there `stall` watches the socket.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use breakwater_common::limits::CALL_BODY_MS_MAX;
use hyper::rt::Executor;
use hyper_util::rt::TokioExecutor;
use tokio::time::{Instant, sleep_until};

use crate::call::CALL_END;
use crate::metrics::Metrics;

/// Runs the streams of HTTP/2 connections, each to the end of its call's time and not much longer.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    /// Time to take what is there when the call's time is over.
    pub(super) grace: Duration,
    /// Where streams that were ended are counted.
    pub(super) metrics: Metrics,
}

impl<F> Executor<F> for Ending
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let Self { grace, metrics } = self.clone();
        TokioExecutor::new().execute(async move {
            // What never becomes a call has its whole body by then, or was answered.
            let first_end = Instant::now() + Duration::from_millis(CALL_BODY_MS_MAX);
            if !in_time(stream, first_end, grace).await {
                metrics.bad_input("stalled_client");
            }
        });
    }
}

/// Runs a stream until `grace` after [`CALL_END`], which the layers may move. Returns whether it ended by itself.
async fn in_time(stream: impl Future<Output = ()>, first_end: Instant, grace: Duration) -> bool {
    let mut stream = pin!(stream);
    let mut timer = pin!(sleep_until(first_end + grace));
    let mut end = first_end;
    poll_fn(|context| {
        let (polled, said) =
            CALL_END.sync_scope(Cell::new(end), || (stream.as_mut().poll(context), CALL_END.with(Cell::get)));
        if polled.is_ready() {
            return Poll::Ready(true);
        }
        if said != end {
            end = said;
            timer.as_mut().reset(end + grace);
        }
        timer.as_mut().poll(context).map(|()| false)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_after_its_calls_end() {
        let began = Instant::now();
        let stalled = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            CALL_END.with(|end| end.set(Instant::now() + Duration::from_secs(9)));
            std::future::pending().await
        };
        assert!(!in_time(stalled, began + Duration::from_secs(270), GRACE).await);
        assert_eq!(began.elapsed(), Duration::from_secs(10) + GRACE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_without_a_call_ends_too() {
        let began = Instant::now();
        assert!(!in_time(std::future::pending(), began + Duration::from_secs(270), GRACE).await);
        assert_eq!(began.elapsed(), Duration::from_secs(270) + GRACE);
        assert!(in_time(std::future::ready(()), began, GRACE).await, "what is ready is not ended");
    }
}
