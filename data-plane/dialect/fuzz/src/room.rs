//! One format's room, and those of all others to which it is translated.

use breakwater_dialect::translate::{self, Crossing};
use breakwater_dialect::{Ending, Format, StreamFault, json};
use bytes::BytesMut;

use crate::{Kind, SPOKEN, assert_json, caller, callers, take, target};

/// Reads an input as one of a format and writes it in every other.
pub fn feed(format: Format, data: &[u8]) {
    match take(data) {
        Some((Kind::Request, body)) => request(format, body),
        Some((Kind::Reply, body)) => reply(format, body),
        Some((Kind::Stream(size), body)) => callers().for_each(|client| stream(format, client, size, body)),
        None => {}
    }
}

fn request(format: Format, body: &[u8]) {
    let Ok(text) = json::check(body) else { return };
    let Ok(read) = translate::read_request(format, text) else { return };
    for provider in SPOKEN {
        if let Ok(written) = translate::write_request(read.clone(), &target(provider)) {
            assert_json(&format!("request, {} to {}", format.as_str(), provider.as_str()), &written.body);
        }
    }
}

fn reply(format: Format, body: &[u8]) {
    // An error's body may be anything.
    let error = translate::read_error(format, 500, &String::from_utf8_lossy(body));
    std::hint::black_box(error);
    let Ok(read) = translate::read_reply(format, body) else { return };
    for client in callers() {
        let written = translate::write_reply(client, &read, &caller());
        assert_json(&format!("reply, {} to {}", format.as_str(), client.as_str()), written.as_bytes());
    }
}

fn stream(provider: Format, client: Format, size: usize, body: &[u8]) {
    let Some(whole) = play(provider, client, [body].into_iter()) else { return };
    let cut = play(provider, client, body.chunks(size)).expect("it has streams");
    let way = format!("stream, {} to {}", provider.as_str(), client.as_str());
    match (whole, cut) {
        (Ok((whole, ending)), Ok((cut, cut_ending))) => {
            assert_eq!(ending, cut_ending, "{way}: how it ends");
            assert!(whole == cut, "{way}:\n{}\n--- cut:\n{}", show(&whole), show(&cut));
            // Completions are only ever a caller's: nothing here reads their streams.
            if ending == Some(Ending::Completed) && client != Format::Completions {
                let again = translate::read_stream(client, [whole.as_ref()]);
                assert!(again.is_ok(), "{way}: {again:?} cannot be read again:\n{}", show(&whole));
            }
        }
        (whole, cut) => assert_eq!(whole.err(), cut.err(), "{way}: how it fails"),
    }
}

type Played = Result<(BytesMut, Option<Ending>), StreamFault>;

fn play<'a>(provider: Format, client: Format, pieces: impl Iterator<Item = &'a [u8]>) -> Option<Played> {
    let mut crossing = Crossing::new(provider, client, &caller())?;
    let mut out = BytesMut::new();
    for piece in pieces {
        if let Err(fault) = crossing.push(piece, &mut out) {
            return Some(Err(fault));
        }
    }
    crossing.finish(&mut out);
    Some(Ok((out, crossing.over())))
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
