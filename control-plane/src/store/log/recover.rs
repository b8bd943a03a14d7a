//! Reads the log back, and says whether what it cannot read was ever acknowledged.

use super::{
    LogError, frame,
    record::{self, Record},
    segment_name, segment_number,
    view::View,
};
use crate::store::disk::{Disk, DiskFile};

/// A segment that is complete.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sealed {
    /// Its number.
    pub(super) number: u64,
    /// Newest entry ever written to it.
    pub(super) newest_entry: Option<u64>,
}

/// The segment being written.
pub(super) struct Current {
    /// The file.
    pub(super) file: Box<dyn DiskFile>,
    /// Its number.
    pub(super) number: u64,
    /// Where the next frame goes.
    pub(super) offset: usize,
    /// Its size on disk.
    pub(super) size: usize,
    /// Newest entry ever written to it.
    pub(super) newest_entry: Option<u64>,
}

/// What was found.
pub(super) struct Recovered {
    /// The log.
    pub(super) view: View,
    /// Segments before the current one.
    pub(super) sealed: Vec<Sealed>,
    /// The segment to go on in.
    pub(super) current: Current,
    /// Number of the next frame.
    pub(super) sequence: u64,
    /// Bytes of a torn write that were cleared.
    pub(super) torn_bytes: usize,
}

/// Opens what is there, or begins a log.
pub(super) fn recover(disk: &dyn Disk, segment_bytes: usize) -> Result<Recovered, LogError> {
    let mut numbers = Vec::new();
    for name in disk.list().map_err(LogError::Io)? {
        if name.ends_with(".tmp") {
            // A segment that was being made; nothing was written behind its heading.
            disk.remove(&name).map_err(LogError::Io)?;
        } else if let Some(number) = segment_number(&name) {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    let Some((last, before)) = numbers.split_last() else {
        let current = begin_segment(disk, 1, 1, &[], segment_bytes)?;
        return Ok(Recovered {
            view: View::default(),
            sealed: Vec::new(),
            current,
            sequence: 2,
            torn_bytes: 0,
        });
    };
    let mut scan = Scan { view: View::default(), sequence: None };
    let mut sealed = Vec::new();
    for (position, number) in before.iter().enumerate() {
        if numbers.get(position + 1) != Some(&(number + 1)) {
            return Err(LogError::MissingSegment { number: number + 1 });
        }
        let bytes = disk.read(&segment_name(*number)).map_err(LogError::Io)?;
        let found = scan.segment(*number, &bytes)?;
        // What follows this segment was written after all of it was synced; the next one's sequence proves that nothing is missing.
        sealed.push(Sealed { number: *number, newest_entry: found.newest_entry });
    }
    let mut bytes = disk.read(&segment_name(*last)).map_err(LogError::Io)?;
    let found = scan.segment(*last, &bytes)?;
    if found.end == 0 {
        // A segment is named only after its heading is synced.
        return Err(LogError::Damaged { segment: *last, offset: 0 });
    }
    if let Some(index) = scan.view.first_hole() {
        return Err(LogError::Hole { index });
    }
    let mut file = disk.open(&segment_name(*last)).map_err(LogError::Io)?;
    let tail = bytes.split_off(found.end);
    let torn_bytes = written_bytes(&tail);
    if torn_bytes > 0 {
        // What is left of a torn write must not be taken for a later one.
        let cleared = vec![0; torn_bytes];
        file.write_at(u64::try_from(found.end).unwrap_or(u64::MAX), &cleared).map_err(LogError::Io)?;
    }
    // A process that was killed between its write and its sync leaves bytes that can be read and are not yet on the device.
    file.sync().map_err(LogError::Io)?;
    let current = Current {
        file,
        number: *last,
        offset: found.end,
        size: found.end + tail.len(),
        newest_entry: found.newest_entry,
    };
    let sequence = scan.sequence.unwrap_or(1);
    Ok(Recovered { view: scan.view, sealed, current, sequence, torn_bytes })
}

/// Returns the bytes up to the last sector that is not all zeros. Whole sectors are compared: a segment is large.
fn written_bytes(bytes: &[u8]) -> usize {
    const ZEROS: [u8; frame::SECTOR_BYTES] = [0; frame::SECTOR_BYTES];
    let written =
        bytes.chunks(frame::SECTOR_BYTES).rposition(|sector| ZEROS.get(..sector.len()) != Some(sector));
    written.map_or(0, |sector| (sector + 1) * frame::SECTOR_BYTES)
}

/// Makes the next segment; its first frame repeats what the segments before it add up to, without entries.
pub(super) fn begin_segment(
    disk: &dyn Disk,
    number: u64,
    sequence: u64,
    heading: &[Record],
    size: usize,
) -> Result<Current, LogError> {
    let mut body = Vec::new();
    for record in heading {
        record.encode(&mut body);
    }
    let head = frame::encode(number, sequence, &body);
    let size = size.max(head.len());
    let file = disk.create(&segment_name(number), &head, size).map_err(LogError::Io)?;
    Ok(Current { file, number, offset: head.len(), size, newest_entry: None })
}

struct Scan {
    view: View,
    sequence: Option<u64>,
}

struct Found {
    end: usize,
    newest_entry: Option<u64>,
}

impl Scan {
    /// Takes in the frames of a segment, up to the first that cannot be read.
    fn segment(&mut self, number: u64, bytes: &[u8]) -> Result<Found, LogError> {
        let mut found = Found { end: 0, newest_entry: None };
        let damaged = |offset| LogError::Damaged { segment: number, offset };
        loop {
            let rest = bytes.get(found.end..).unwrap_or_default();
            let expected = self.sequence;
            let next = frame::decode(number, rest)
                .filter(|frame| expected.is_none_or(|expected| frame.sequence == expected));
            let Some(frame) = next else {
                // A readable frame behind an unreadable one: it was begun after the unreadable one was synced.
                return match frame::find_later(number, expected.unwrap_or(0), rest) {
                    Some(_) => Err(damaged(found.end)),
                    None => Ok(found),
                };
            };
            for record in record::decode_all(frame.body)
                .map_err(|_| LogError::Unknown { segment: number, offset: found.end })?
            {
                if let Record::Entry { index, .. } = &record {
                    found.newest_entry = found.newest_entry.max(Some(*index));
                }
                self.view.take(&record);
            }
            self.sequence = Some(frame.sequence + 1);
            found.end += frame.size;
        }
    }
}
