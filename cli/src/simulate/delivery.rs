//! How an answer goes out: as HTTP has it, or by hand, for what no server of HTTP would write.

use std::time::Duration;

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::answer::Answer;

/// Time between the last bytes and a reset: a reset overtakes what its receiver has not read yet.
const READ_BEFORE_RESET: Duration = Duration::from_millis(20);

/// How an answer goes out.
#[derive(Debug)]
pub(super) enum Delivery {
    /// As HTTP has it. True if all of the model's answer is in it.
    Proper(Answer, bool),
    /// By hand; the connection is over afterwards.
    Raw(Raw),
}

/// Bytes and pauses, written by hand.
pub(super) struct Raw {
    steps: Box<dyn Iterator<Item = Step> + Send>,
    close: Close,
    /// All of the model's answer is in it.
    pub(super) whole: bool,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Bytes that are sent at once.
    Bytes(Bytes),
    /// A pause.
    Wait(Duration),
}

/// What follows the last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    /// The connection ends in order.
    End,
    /// The connection is reset.
    Reset,
    /// Nothing, until the caller leaves.
    Stay,
}

impl Raw {
    /// Makes one.
    pub(super) fn new(steps: impl IntoIterator<Item = Step, IntoIter: Send + 'static>, close: Close) -> Self {
        Self { steps: Box::new(steps.into_iter()), close, whole: false }
    }

    /// Says that all of the model's answer is in it.
    pub(super) fn whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// Writes it. Ends when the caller leaves; true if all steps were made.
    pub(super) async fn play(self, mut stream: TcpStream) -> bool {
        let Self { steps, close, .. } = self;
        let made = {
            let (mut reader, mut writer) = stream.split();
            let written = async {
                for step in steps {
                    match step {
                        Step::Bytes(bytes) => writer.write_all(&bytes).await?,
                        Step::Wait(pause) => tokio::time::sleep(pause).await,
                    }
                }
                match close {
                    Close::End => writer.shutdown().await,
                    Close::Reset => {
                        tokio::time::sleep(READ_BEFORE_RESET).await;
                        Ok(())
                    }
                    Close::Stay => Ok(()),
                }
            };
            let left = async {
                let mut bytes = [0; 1024];
                // What is still sent is read and forgotten: unread bytes would make the end a reset.
                while reader.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
            };
            tokio::pin!(left);
            // Whichever ends first, the connection is over: nothing that is dropped here is needed again.
            let made = tokio::select! {
                () = &mut left => false,
                written = written => written.is_ok(),
            };
            if made && close == Close::Stay {
                left.await;
            }
            made
        };
        if close == Close::Reset {
            drop(stream.set_zero_linger());
        }
        made
    }
}

impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Raw").field("close", &self.close).field("whole", &self.whole).finish_non_exhaustive()
    }
}

// ===== HTTP by hand =====

/// Writes the head of an answer, with `framing` as its last header.
pub(super) fn head(answer: &Answer, framing: &str) -> Bytes {
    let reason = http::StatusCode::from_u16(answer.status).ok().and_then(|status| status.canonical_reason());
    let mut head = format!("HTTP/1.1 {} {}\r\n", answer.status, reason.unwrap_or("Simulated"));
    for (name, value) in answer.all_headers() {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("connection: close\r\n{framing}\r\n\r\n"));
    Bytes::from(head)
}

/// The framing of a body of a known length.
pub(super) fn length(bytes: usize) -> String {
    format!("content-length: {bytes}")
}

/// The framing of a body in chunks.
pub(super) const CHUNKED: &str = "transfer-encoding: chunked";

/// Writes one chunk.
pub(super) fn chunk(bytes: &[u8]) -> Step {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    Step::Bytes(Bytes::from(chunk))
}

/// The end of a body in chunks.
pub(super) fn last_chunk() -> Step {
    Step::Bytes(Bytes::from_static(b"0\r\n\r\n"))
}
