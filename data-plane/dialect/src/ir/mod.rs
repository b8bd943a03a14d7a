//! The form between two formats: a call, an answer and a stream as ordered blocks. It is met only where a call crosses from
//! one format to another; within one format the bytes pass.
//!
//! What one format says and another cannot is not lost silently: a reader keeps what it knows, puts blocks that it does not
//! know into [`Block::Foreign`], and a writer that cannot say something refuses ([`Refused`]) or notes that it dropped it
//! ([`Dropped`]). JSON inside (arguments, schemas) is kept as source, so numbers and the order of keys survive.

mod answer;
mod citation;
mod custom;
mod event;
mod ids;
mod offers;
mod request;
mod rest;
mod seal;
mod unfold;

pub use answer::{Choice, Reply, Stop, StopReason, Usage};
pub use citation::{Citation, characters};
pub use custom::{TEXT_ARGUMENT, escaped, text_argument};
pub use event::{Accumulator, At, Delta, Event, Opening};
pub use ids::{ToolIdShape, digest_id, tool_id};
pub use offers::{Member, Namespaces, member_name};
pub use request::{
    Block, Cache, Dropped, Effort, Json, Media, Reasoning, Refused, Request, ResponseFormat, Role, Source,
    Tool, ToolChoice, ToolKind, Turn,
};
pub use rest::is_harmless;
pub(crate) use seal::{Seal, Sealing, carry, signer_of, signer_word};
pub use unfold::events_of;
