use super::*;

fn frames(pieces: &[&[u8]]) -> Vec<Frame> {
    let mut framer = Framer::default();
    let mut frames = Vec::new();
    for piece in pieces {
        framer.push(piece);
        while let Some(frame) = framer.next_frame().unwrap() {
            frames.push(frame);
        }
    }
    frames.extend(framer.finish());
    frames
}

fn text(bytes: Option<&[u8]>) -> String {
    bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
}

/// The data of each frame, and that cuts anywhere change nothing and no byte is lost.
#[track_caller]
fn check(stream: &[u8], expect: &[&str]) {
    let whole = frames(&[stream]);
    let data: Vec<_> = whole.iter().map(|frame| text(frame.data())).collect();
    assert_eq!(data, expect, "{:?}", String::from_utf8_lossy(stream));
    let bytes: Vec<u8> = whole.iter().flat_map(|frame| frame.bytes.to_vec()).collect();
    assert_eq!(bytes, stream);
    for cut in 0..stream.len() {
        assert_eq!(frames(&[&stream[..cut], &stream[cut..]]), whole, "cut at {cut}");
    }
    let single: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(frames(&single), whole, "byte by byte");
}

#[test]
fn lines_end_by_lf_crlf_or_cr() {
    check(b"data: a\n\ndata: b\n\n", &["a", "b"]);
    check(b"data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]);
    check(b"data: a\r\rdata: b\r\r", &["a", "b"]);
}

#[test]
fn a_frame_of_crlf_is_whole_with_its_last_byte() {
    let mut framer = Framer::default();
    framer.push(b"data: a\r\n\r\n");
    assert_eq!(framer.next_frame().unwrap().unwrap().bytes, &b"data: a\r\n\r\n"[..]);
}

#[test]
fn marks_comments_and_missing_spaces_are_kept() {
    check(b"\xef\xbb\xbfdata:a\n\n", &["a"]);
    check(b": ping\n\ndata:  a\nid: 1\n\n", &["", " a"]);
    check(b"\n\ndata: a\n\n\n\ndata: b\n\n", &["a", "b"]);
    check(b"\xef\xbb\xbf\ndata: a\n\n", &["a"]);
    check(b"", &[]);
}

#[test]
fn several_lines_of_data_are_joined() {
    check(b"event: x\ndata: a\ndata: b\ndata\n\n", &["a\nb\n"]);
    assert_eq!(frames(&[b"event: x\ndata: a\n\n"])[0].event, "x");
}

#[test]
fn the_last_empty_line_may_be_missing() {
    check(b"data: a\n\ndata: b", &["a", "b"]);
    check(b"data: a\n\ndata: b\n", &["a", "b"]);
    let last = frames(&[b"data: b"]).remove(0);
    assert!(!last.terminated);
    assert_eq!(last.whole(), "data: b\n\n");
}

#[test]
fn data_is_replaced_in_its_place() {
    let frame = frames(&[b": c\r\nid: 7\r\ndata: old\r\n\r\n"]).remove(0);
    assert_eq!(frame.with_data("new"), ": c\r\nid: 7\r\ndata: new\r\n\r\n");
    let joined = frames(&[b"event: e\ndata: a\ndata: b\n\n"]).remove(0);
    assert_eq!(joined.with_data("c"), "event: e\ndata: c\n\n");
}

#[test]
fn an_event_beyond_the_bound_is_refused() {
    let mut framer = Framer::default();
    framer.push(b"data: ");
    framer.push(&vec![b'x'; SSE_EVENT_BYTES_MAX]);
    assert_eq!(framer.next_frame(), Err(EventTooLarge));
}

/// An event that was peeked at and skipped is the one that would have been cut.
#[test]
fn events_that_are_skipped_are_those_that_are_cut() {
    let stream =
        b"\xef\xbb\xbfdata: 1\n\n: c\r\n\r\n\ndata: 2\ndata: 3\n\nevent: e\rdata: 4\r\rdata: 5\n\nrest";
    for size in 1..=stream.len() {
        for skipped in 0..8 {
            let (mut one, mut other) = (Framer::default(), Framer::default());
            let mut count = 0;
            for piece in stream.chunks(size) {
                one.push(piece);
                other.push(piece);
                while let Some(frame) = one.next_frame().unwrap() {
                    assert_eq!(other.peek().unwrap(), Some(&*frame.bytes), "{size}");
                    if count % 8 == skipped {
                        other.skip();
                    } else {
                        assert_eq!(other.next_frame().unwrap(), Some(frame), "{size}");
                    }
                    count += 1;
                }
                assert_eq!(other.peek().unwrap(), None, "{size}");
                assert_eq!(one.between_events(), other.between_events(), "{size}");
            }
            assert_eq!(one.finish(), other.finish(), "{size}");
            assert!(count > 3);
        }
    }
}

#[test]
fn an_event_without_its_empty_line_gets_that_and_no_more() {
    for source in [
        "data: 1",
        "data: 1\n",
        "data: 1\r\n",
        "data: 1\r",
        "event: a\rdata: 1\r",
        "data: 1\n\r",
        "data: 1\r\n\r",
    ] {
        let mut framer = Framer::default();
        framer.push(source.as_bytes());
        assert!(framer.next_frame().unwrap().is_none(), "{source:?}");
        let frame = framer.finish().unwrap();
        for (written, data) in [(frame.whole(), &b"1"[..]), (frame.with_data("{}"), b"{}")] {
            let mut framer = Framer::default();
            framer.push(&written);
            let again = framer.next_frame().unwrap().unwrap();
            assert_eq!(again.data(), Some(data), "{source:?} became {written:?}");
            assert!(again.terminated && framer.finish().is_none(), "{source:?} became {written:?}");
        }
    }
}

#[test]
fn a_data_line_without_a_colon_takes_other_data() {
    let [frame] = frames(&[b"event: a\ndata\n\n"]).try_into().unwrap();
    assert_eq!(frame.data(), Some(&b""[..]));
    let [again] = frames(&[&frame.with_data("{}")]).try_into().unwrap();
    assert_eq!((again.data(), again.event.as_str()), (Some(&b"{}"[..]), "a"));
}
