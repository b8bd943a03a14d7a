use super::*;

/// A message with a header of every type of value, made by another encoder (Python's struct and zlib).
const ALL_TYPES: &str = "0000007300000061e1e514b8017400016601016202ff017303000101690400000000016c05000000000000\
                         0000017906000361626301650700026869016d080000000000000000017509000000000000000000000000\
                         000000000b3a6576656e742d7479706507000470696e677b7dd37f9d83";

fn unhex(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn written(message_type: MessageType, kind: &str, payload: &str) -> Bytes {
    let mut out = BytesMut::new();
    write(message_type, kind, payload, &mut out);
    out.freeze()
}

/// All messages of bytes that come in pieces of a length, and the fault that ended them.
fn read(bytes: &[u8], piece: usize) -> (Vec<Frame>, Option<Fault>) {
    let (mut framer, mut frames) = (Framer::default(), Vec::new());
    for chunk in bytes.chunks(piece) {
        framer.push(chunk);
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(fault) => return (frames, Some(fault)),
            }
        }
    }
    (frames, None)
}

#[test]
fn messages_come_out_as_they_went_in_whatever_the_pieces() {
    let stream = [
        written(MessageType::Event, "messageStart", r#"{"role":"assistant"}"#),
        written(MessageType::Event, "empty", ""),
        unhex(ALL_TYPES).into(),
        written(MessageType::Exception, "throttlingException", r#"{"message":"slow"}"#),
        written(MessageType::Error, "500", ""),
    ];
    let bytes = stream.concat();
    for piece in [1, 2, 7, 16, bytes.len()] {
        let (frames, fault) = read(&bytes, piece);
        assert_eq!(fault, None);
        assert_eq!(
            frames.iter().map(|frame| &frame.bytes).collect::<Vec<_>>(),
            stream.iter().collect::<Vec<_>>()
        );
        let kinds: Vec<_> = frames.iter().map(|frame| (frame.message_type.as_str(), &*frame.kind)).collect();
        assert_eq!(
            kinds,
            [
                ("event", "messageStart"),
                ("event", "empty"),
                ("event", "ping"),
                ("exception", "throttlingException"),
                ("error", "500")
            ]
        );
        assert_eq!(frames[0].payload(), br#"{"role":"assistant"}"#);
        assert_eq!(frames[2].header("e"), Some("hi"));
        assert_eq!(frames[2].header("y"), None, "bytes are no text");
    }
}

#[test]
fn bug_10_another_payload_gets_lengths_and_checksums_of_its_own() {
    for frame in [unhex(ALL_TYPES).into(), written(MessageType::Event, "contentBlockDelta", "{}")] {
        let frame = read(&frame, 1000).0.remove(0);
        assert_eq!(frame.with_payload("{}"), frame.bytes, "the same payload gives the same bytes");
        let other = read(&frame.with_payload(r#"{"delta":{"text":"ä"}}"#), 3).0.remove(0);
        assert_eq!(other.payload(), r#"{"delta":{"text":"ä"}}"#.as_bytes());
        assert_eq!((other.kind, other.message_type), (frame.kind, frame.message_type));
    }
}

#[test]
fn a_changed_bit_is_found_wherever_it_is() {
    let bytes = [unhex(ALL_TYPES), written(MessageType::Event, "a", "{}").to_vec()].concat();
    assert_eq!(read(&bytes, 1).1, None);
    let first = unhex(ALL_TYPES).len();
    for bit in 0..first * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let (frames, fault) = read(&changed, 1);
        assert_eq!((frames.len(), fault), (0, Some(Fault::Broken)), "bit {bit}");
    }
}

/// A prelude with a right checksum, and what follows with a right one too.
fn forged(total: u32, headers: u32, rest: &[u8]) -> Vec<u8> {
    let mut bytes = [total.to_be_bytes(), headers.to_be_bytes()].concat();
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes.extend(rest);
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

#[test]
fn lengths_that_cannot_be_are_refused_before_their_bytes_are_awaited() {
    let max = u32::try_from(SSE_EVENT_BYTES_MAX).unwrap();
    for (total, headers, rest, fault) in [
        (max + 1, 0, &b""[..], Some(Fault::TooLarge)),
        (u32::MAX, u32::MAX, b"", Some(Fault::TooLarge)),
        (max, 0, b"", None),
        (0, 0, b"", Some(Fault::Broken)),
        (15, 0, b"", Some(Fault::Broken)),
        (16, 0, b"", None),
        (16, 1, b"", Some(Fault::Broken)),
        (17, u32::MAX, b"x", Some(Fault::Broken)),
        // Headers: a name longer than they are, a type that is none, a text longer than they are.
        (18, 2, b"\x05a", Some(Fault::Broken)),
        (19, 3, b"\x01a\x0a", Some(Fault::Broken)),
        (21, 5, b"\x01a\x07\x00\x01", Some(Fault::Broken)),
        (21, 5, b"\x01a\x07\x00\x00", None),
    ] {
        assert_eq!(read(&forged(total, headers, rest), 1).1, fault, "{total} {headers} {rest:?}");
    }
}

#[test]
fn after_a_fault_nothing_is_believed() {
    let good = written(MessageType::Event, "a", "{}");
    let mut framer = Framer::default();
    framer.push(&[0xff; 12]);
    assert_eq!(framer.next_frame(), Err(Fault::Broken));
    framer.push(&good);
    assert_eq!(framer.next_frame(), Err(Fault::Broken));
    let mut framer = Framer::default();
    framer.push(&good[..20]);
    assert_eq!(framer.next_frame(), Ok(None));
    assert!(framer.holds_rest());
}
