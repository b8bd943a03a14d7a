//! Streams: every recorded one, cut in several ways, for a caller of each other format.

use std::sync::OnceLock;

use breakwater_dialect::codec::Caller;
use breakwater_dialect::translate::{self, Crossing};
use breakwater_dialect::{Ending, Format};
use bytes::BytesMut;
use serde_json::Value;

use crate::compare;
use crate::crossing::{CLIENTS, Stream, caller, names, streams};
use crate::kit;
use crate::kit::frames;
use crate::order::{self, Usage};
use crate::replies::features;
use crate::tally::{Feature, Tally, Verdict};
use crate::valid;

/// The seed of the random pieces; `ORACLE_SEED` sets another.
fn seed() -> u64 {
    std::env::var("ORACLE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_121)
}

/// Puts every recorded stream through every pair, once.
pub fn tally() -> &'static Tally {
    static TALLY: OnceLock<Tally> = OnceLock::new();
    TALLY.get_or_init(|| {
        let mut tally = Tally::default();
        for (number, stream) in streams().enumerate() {
            let Ok(stream) = stream else { continue };
            let said = kit::streamed(stream.format, &stream.events());
            let features = features(Feature::Stream, &said);
            for (place, client) in CLIENTS.into_iter().enumerate() {
                if client != stream.format {
                    // A reader does not know for whom it reads: byte by byte it is fed for one caller of five.
                    let bytewise = number % CLIENTS.len() == place;
                    let verdict = cross(&stream, client, &said, bytewise);
                    tally.note(stream.format, client, &stream.recording.file, &features, verdict);
                }
            }
        }
        tally
    })
}

fn cross(stream: &Stream, client: Format, said: &kit::semantics::Answer, bytewise: bool) -> Verdict {
    let caller = caller(stream.recording, stream.format, true);
    let wrong = |what: String| Verdict::Wrong(what);
    let whole = match run(stream, client, &caller, [stream.bytes]) {
        Ok(whole) => whole,
        Err(why) => return wrong(why),
    };
    let verdict = match judge(stream, client, &whole, said) {
        Ok(verdict @ (Verdict::Pass | Verdict::Explained(_))) => verdict,
        Ok(verdict) => return verdict,
        Err(why) => return wrong(why),
    };
    let mut ways =
        vec![("event by event", cuts_of_frames(stream)), ("in random pieces", cuts_by_chance(stream))];
    if bytewise {
        ways.push(("byte by byte", (1..=stream.bytes.len()).collect()));
    }
    for (way, cuts) in ways {
        match run(stream, client, &caller, pieces(stream.bytes, &cuts)) {
            Ok(other) if other == whole => {}
            Ok(_) => return wrong(format!("{way} it is another stream")),
            Err(why) => return wrong(format!("{way}: {why}")),
        }
    }
    if let Err(why) = unasked_usage(stream, client).and_then(|()| cut_short(stream, client, &caller)) {
        return wrong(why);
    }
    verdict
}

/// Translates, and returns what the caller gets of a stream that came to its end.
fn run<'a>(
    stream: &Stream,
    client: Format,
    caller: &Caller,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, String> {
    let (out, ending) = feed(stream, client, caller, pieces)?;
    match ending {
        Some(Ending::Completed) => Ok(out),
        ending => Err(format!("a whole stream ended as {ending:?}")),
    }
}

fn feed<'a>(
    stream: &Stream,
    client: Format,
    caller: &Caller,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<u8>, Option<Ending>), String> {
    let Some(mut crossing) = Crossing::new(stream.format, client, caller) else {
        return Err("there is no reader or no writer of streams".to_owned());
    };
    let mut out = BytesMut::new();
    for piece in pieces {
        crossing.push(piece, &mut out).map_err(|fault| format!("the reader fails: {fault}"))?;
    }
    crossing.finish(&mut out);
    Ok((out.to_vec(), crossing.over()))
}

fn judge(
    stream: &Stream,
    client: Format,
    out: &[u8],
    said: &kit::semantics::Answer,
) -> Result<Verdict, String> {
    let frames = frames::split(client, out).map_err(|why| format!("no frames | {why}"))?;
    for event in frames.iter().filter_map(|frame| frame.event.as_ref()) {
        valid::event(client, event).map_err(|why| format!("invalid event: {why}"))?;
    }
    let told = said.usage != kit::semantics::Tokens::default();
    let usage = if told { Usage::Told } else { Usage::Unknown };
    order::check(client, &frames, usage).map_err(|why| format!("not well-formed: {why}"))?;
    let text = std::str::from_utf8(out).unwrap_or_default();
    let names = names(stream.format, &stream.events());
    if let Some(name) = names.iter().find(|name| text.contains(name.as_str())) {
        return Err(format!("the caller sees a name of the provider's | {name}"));
    }
    let got = kit::streamed(client, &frames::events(frames));
    let verdict = compare::answers(client, said, &got);
    if let Verdict::Wrong(_) = verdict {
        return Ok(verdict);
    }
    as_whole(stream, client, &got).map(|()| verdict)
}

/// The stream says what the same answer says that is not streamed.
fn as_whole(stream: &Stream, client: Format, got: &kit::semantics::Answer) -> Result<(), String> {
    let whole = translate::read_stream(stream.format, [stream.bytes]).map_err(|fault| fault.to_string())?;
    if !whole.is_whole() {
        return Err("read as a whole it is not whole".to_owned());
    }
    let caller = caller(stream.recording, stream.format, true);
    let written = translate::write_reply(client, whole.reply(), &caller);
    let body: Value = serde_json::from_str(&written).map_err(|_| "written as a whole it is no JSON")?;
    valid::reply(client, &body).map_err(|why| format!("written as a whole it is invalid: {why}"))?;
    match compare::answers(client, &kit::whole(client, &body), got) {
        Verdict::Wrong(what) => Err(format!("streamed it says another thing than whole: {what}")),
        Verdict::Pass | Verdict::Explained(_) => Ok(()),
    }
}

/// A caller of chat completions who did not ask for usage gets none.
fn unasked_usage(stream: &Stream, client: Format) -> Result<(), String> {
    if client != Format::Chat {
        return Ok(());
    }
    let caller = caller(stream.recording, stream.format, false);
    let out = run(stream, client, &caller, [stream.bytes])?;
    order::check(client, &frames::split(client, &out)?, Usage::Unasked)
        .map_err(|why| format!("without include_usage: {why}"))
}

/// What breaks off before the stream says why it ended never ends clean.
fn cut_short(stream: &Stream, client: Format, caller: &Caller) -> Result<(), String> {
    let says = |frame: &frames::Frame| {
        frame.event.as_ref().is_some_and(|event| kit::says_stop(stream.format, event))
    };
    let stop = stream.frames.iter().position(says).ok_or("no stop")?;
    let begin = |frame: usize| frame.checked_sub(1).map_or(0, |before| stream.frames[before].end);
    // Nothing, a third, two thirds, all but the frame that says it, and half of that frame.
    let half = usize::midpoint(begin(stop), stream.frames[stop].end);
    for length in [0, begin(stop / 3), begin(stop * 2 / 3), begin(stop), half] {
        let pieces = [&stream.bytes[..length]];
        // An error before anything could be seen is no clean end either.
        let Ok((out, ending)) = feed(stream, client, caller, pieces) else { continue };
        if ending == Some(Ending::Completed) || ending.is_none() {
            return Err(format!("cut off it ends as {ending:?} | at byte {length}"));
        }
        let frames = frames::split(client, &out).map_err(|why| format!("cut off it is no frames | {why}"))?;
        if order::ended_clean(client, &frames) {
            return Err(format!("cut off it ends clean | at byte {length}"));
        }
    }
    Ok(())
}

fn cuts_of_frames(stream: &Stream) -> Vec<usize> {
    stream.frames.iter().map(|frame| frame.end).collect()
}

/// Pieces of 1 to 700 bytes.
fn cuts_by_chance(stream: &Stream) -> Vec<usize> {
    let mut state = seed() ^ stream.bytes.len() as u64;
    let mut cuts = Vec::new();
    let mut at = 0;
    while at < stream.bytes.len() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        at += usize::try_from(state >> 33).unwrap_or(1) % 700 + 1;
        cuts.push(at.min(stream.bytes.len()));
    }
    cuts
}

fn pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut last = 0;
    let ends = cuts.iter().copied().chain([bytes.len()]);
    ends.map(|end| &bytes[std::mem::replace(&mut last, end)..end]).filter(|piece| !piece.is_empty()).collect()
}

#[test]
fn a_stream_says_the_same_in_every_format_however_it_is_cut() {
    let (mut count, mut none) = (0, std::collections::BTreeMap::<_, Vec<&str>>::new());
    for stream in streams() {
        match stream {
            Ok(_) => count += 1,
            Err((recording, format, why)) => none.entry((format, why)).or_default().push(&recording.file),
        }
    }
    println!("seed of the random pieces: {}", seed());
    let tally = tally();
    tally.print("streams", count);
    for ((format, why), files) in none {
        println!("   left out {:>4}  {}: {why}, e.g. {}", files.len(), format.as_str(), files[0]);
    }
    assert!(count >= 900, "the corpus has more streams than {count}");
    tally.hold("streams");
}

/// The oracle can fail: a stream that lacks any one of its frames is not let pass.
#[test]
fn a_stream_without_one_of_its_frames_is_found_out() {
    for client in CLIENTS {
        let worth = |stream: &Stream| {
            let said = kit::streamed(stream.format, &stream.events());
            // A call without arguments may say `{}` or nothing.
            let says = |given: &Value| given.as_object().is_some_and(|given| !given.is_empty());
            let calls = |choice: &kit::semantics::Choice| choice.calls.iter().any(|call| says(&call.1));
            (stream.format != client && said.choices.iter().any(calls)).then_some(said)
        };
        let mut streams = streams().flatten().filter_map(|stream| worth(&stream).map(|said| (stream, said)));
        let found = streams.find_map(|(stream, said)| {
            let caller = caller(stream.recording, stream.format, true);
            let out = run(&stream, client, &caller, [stream.bytes]).ok()?;
            // What is only carried back is no part of what an answer says.
            let carries = String::from_utf8_lossy(&out).contains("reasoning_details");
            let passes = matches!(judge(&stream, client, &out, &said), Ok(Verdict::Pass));
            (passes && !carries).then_some((stream, said, out))
        });
        let (stream, said, out) = found.expect("some stream passes");
        let ends: Vec<usize> = frames::split(client, &out).unwrap().iter().map(|frame| frame.end).collect();
        for (place, end) in ends.iter().enumerate() {
            let begin = place.checked_sub(1).map_or(0, |before| ends[before]);
            let without = [&out[..begin], &out[*end..]].concat();
            let verdict = judge(&stream, client, &without, &said);
            let lost = String::from_utf8_lossy(&out[begin..*end]);
            assert!(!matches!(verdict, Ok(Verdict::Pass)), "{}: nobody misses {lost}", client.as_str());
        }
    }
}
