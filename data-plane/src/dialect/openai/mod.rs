//! OpenAI's chat completions: `POST /v1/chat/completions`, whole and streamed (source: openai-openapi 2.3.0).

mod reply;
mod request;
mod stream;

pub use reply::{Garbage, Reply, ReplyRewriter};
pub use request::{BadRequest, ChatRequest, Inspection};
pub use stream::{StreamEnd, StreamRewriter, StreamStep};
