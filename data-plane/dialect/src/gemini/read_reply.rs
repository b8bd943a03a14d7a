//! Reads a provider's whole answer.

use super::answer::Answer;
use crate::codec::Garbage;
use crate::ir::{Accumulator, Reply};
use crate::json::Place;

pub(crate) fn read_reply(body: &str) -> Result<Reply, Garbage> {
    let root = Place::root(body);
    let mut answer = Answer::default();
    let mut events = Vec::new();
    // An answer to streamGenerateContent that was asked for as a whole is an array.
    let chunks = if root.is_array() { root.elements().collect() } else { vec![root] };
    let mut is_one = false;
    for chunk in chunks {
        is_one |= answer.take(chunk, &mut events).map_err(|_| Garbage)?;
    }
    if !is_one {
        return Err(Garbage);
    }
    answer.finish(&mut events);
    let mut whole = Accumulator::default();
    events.iter().for_each(|event| whole.take(event));
    Ok(whole.into_reply())
}
