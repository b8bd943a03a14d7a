//! Every recorded stream, in pieces of every kind, and cut off at every few of its frames.

use breakwater_dialect::ir::Usage;
use breakwater_dialect::{Ending, Format, StreamFault};

use crate::corpus::{Answer, Call, calls};
use crate::frames::{METADATA, Stream, is_error};
use crate::tally::{Tally, difference};
use crate::tokens::{self, Tokens};
use crate::{chance, exchange, kit, seed};

/// How many times a stream is cut off, about.
const CUTS: usize = 12;

/// What a caller got.
#[derive(Debug, PartialEq)]
struct Got {
    bytes: Vec<u8>,
    ending: Ending,
    usage: Option<Usage>,
}

fn play<'a>(
    format: Format,
    asked_usage: bool,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Got, StreamFault> {
    let mut stream = exchange(format, asked_usage).stream().expect("the format has streams");
    let mut bytes = Vec::new();
    for piece in pieces {
        bytes.extend_from_slice(&stream.push(piece)?.bytes);
    }
    let end = stream.finish();
    bytes.extend_from_slice(&end.bytes);
    Ok(Got { bytes, ending: end.ending, usage: end.usage })
}

/// Pieces of 1 to 700 bytes.
fn random(bytes: &[u8]) -> Vec<&[u8]> {
    let mut state = seed() ^ bytes.len() as u64;
    let (mut rest, mut pieces) = (bytes, Vec::new());
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(1 + chance(&mut state) % 700));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// Compares what a caller got of the first frames with what it must get.
fn compare(
    stream: &Stream,
    frames: usize,
    asked: bool,
    got: &Result<Got, StreamFault>,
) -> Result<(), String> {
    let wanted = stream.expected(frames, asked);
    let got = match got {
        Ok(got) => got,
        Err(fault) => {
            let events: Vec<_> =
                stream.frames[..frames].iter().filter_map(|frame| frame.event.clone()).collect();
            let seen = match stream.format {
                Format::Completions => Vec::new(),
                format => kit::streamed(format, &events).choices,
            };
            let stops = |stop| stop != kit::semantics::Stop::Failed;
            let visible = seen.iter().any(|choice| !choice.text.is_empty() || choice.stop.is_some_and(stops));
            return if wanted.ending == Ending::UpstreamError && !visible {
                Ok(())
            } else {
                Err(format!("a fault: {fault:?}"))
            };
        }
    };
    if got.ending != wanted.ending {
        return Err(format!("it ends as {:?}, not as {:?}", got.ending, wanted.ending));
    }
    let (wanted, end) = match wanted.bytes.strip_suffix(METADATA) {
        Some(bytes) => (bytes, true),
        None => (wanted.bytes.as_slice(), false),
    };
    let Some(rest) = got.bytes.strip_prefix(wanted) else {
        return Err(difference(&got.bytes, wanted));
    };
    let rest = kit::frames::split(stream.format, rest)?;
    match got.ending {
        Ending::Completed if end => match rest.as_slice() {
            [only] if only.name == "metadata" => Ok(()),
            _ => Err(format!("the end is {rest:?}")),
        },
        Ending::Completed => {
            if rest.is_empty() {
                Ok(())
            } else {
                Err(format!("more follows: {rest:?}"))
            }
        }
        _ => {
            let errors = rest.iter().filter_map(|frame| frame.event.as_ref());
            let all = !rest.is_empty() && errors.clone().all(|event| is_error(stream.format, event));
            if all { Ok(()) } else { Err(format!("it breaks off without an error: {rest:?}")) }
        }
    }
}

fn outcome(call: &Call, stream: &Stream) -> Result<String, String> {
    let (format, count) = (stream.format, stream.frames.len());
    let bytes = stream.bytes.as_slice();
    let by_event: Vec<&[u8]> = (0..count).map(|at| &bytes[stream.begin(at)..stream.frames[at].end]).collect();
    let mut first = None;
    for asked in [true, false] {
        let whole = play(format, asked, [bytes]);
        compare(stream, count, asked, &whole)?;
        let others = [
            ("event by event", play(format, asked, by_event.iter().copied())),
            ("in random pieces", play(format, asked, random(bytes))),
            ("byte by byte", play(format, asked, bytes.chunks(1))),
        ];
        for (way, got) in others {
            if got != whole {
                return Err(format!("{way} it is another stream: {got:?}"));
            }
        }
        first = first.or(Some(whole));
        if !matches!(format, Format::Chat | Format::Completions) {
            break;
        }
    }
    let Some(Ok(got)) = first else { return Ok("an error before anything of an answer".to_owned()) };
    let usage = got.usage.as_ref().map(Tokens::of);
    let recorded = tokens::streamed(format, &call.provider, &stream.events());
    if usage != recorded {
        return Err(format!("usage {usage:?}, recorded {recorded:?}"));
    }
    Ok(match got.ending {
        Ending::Completed
            if got.bytes.ends_with(b"[DONE]\n\n") && !bytes.trim_ascii().ends_with(b"[DONE]") =>
        {
            "whole, its missing marker added".to_owned()
        }
        Ending::Completed => "the recorded bytes but for the documented edits, usage the same".to_owned(),
        Ending::Cut => "recorded without its end: it ends with the format's error".to_owned(),
        _ => "the upstream's error in mid-stream: scrubbed".to_owned(),
    })
}

/// Cuts the stream off behind every few of its frames, and in the middle of them.
fn cut_off(stream: &Stream) -> Result<usize, String> {
    let count = stream.frames.len();
    let mut cuts = 0;
    for frames in (0..count).step_by((count / CUTS).max(1)) {
        let end = stream.begin(frames);
        if frames > 0 {
            let got = play(stream.format, true, [&stream.bytes[..end]]);
            compare(stream, frames, true, &got).map_err(|why| format!("cut at frame {frames}: {why}"))?;
            cuts += 1;
        }
        if stream.expected(frames, true).ending != Ending::Cut {
            continue;
        }
        let half = usize::midpoint(end, stream.frames[frames].end);
        let Ok(got) = play(stream.format, true, [&stream.bytes[..half]]) else { continue };
        if matches!(got.ending, Ending::Completed | Ending::Blocked) {
            return Err(format!("cut in the middle of frame {frames} it ends as {:?}", got.ending));
        }
        let frames = kit::frames::split(stream.format, &got.bytes)?;
        if !frames
            .last()
            .and_then(|frame| frame.event.as_ref())
            .is_some_and(|event| is_error(stream.format, event))
        {
            return Err("cut in the middle of a frame it ends without an error".to_owned());
        }
        cuts += 1;
    }
    Ok(cuts)
}

fn streams() -> impl Iterator<Item = (&'static Call, Result<Stream, String>)> {
    calls().iter().filter_map(|call| {
        let bytes = match &call.answer {
            Answer::Stream(bytes) => bytes.clone(),
            // Without `alt=sse` Google streams an array. We never ask for that: its elements as we would get them.
            Answer::Array(elements) => {
                elements.iter().flat_map(|one| format!("data: {one}\r\n\r\n").into_bytes()).collect()
            }
            Answer::Whole(_) | Answer::Other => return None,
        };
        Some((call, Stream::new(call.format, bytes)))
    })
}

#[test]
fn a_stream_keeps_every_byte_but_the_documented_however_it_is_cut() {
    println!("seed: {}", seed());
    let (mut tally, mut cut) = (Tally::default(), Tally::default());
    let mut cuts = 0;
    for (call, stream) in streams() {
        let (format, provider) = (call.format.as_str(), call.provider.as_str());
        let stream = match stream {
            Ok(stream) => stream,
            Err(_) => {
                // One that was written by hand: its events lack the empty lines between them.
                tally.count(format, provider, &call.file, Ok("no server-sent events".to_owned()));
                continue;
            }
        };
        tally.count(format, provider, &call.file, outcome(call, &stream));
        let outcome = cut_off(&stream).map(|count| {
            cuts += count;
            "cut off it never ends clean".to_owned()
        });
        cut.count(format, provider, &call.file, outcome);
    }
    println!("{cuts} cuts");
    tally.hold(
        "streams",
        &[
            ("the recorded bytes but for the documented edits, usage the same", 960),
            ("whole, its missing marker added", 13),
            ("recorded without its end: it ends with the format's error", 5),
            ("the upstream's error in mid-stream: scrubbed", 3),
            ("an error before anything of an answer", 2),
            ("no server-sent events", 1),
        ],
    );
    cut.hold("streams cut off", &[("cut off it never ends clean", 983)]);
}
