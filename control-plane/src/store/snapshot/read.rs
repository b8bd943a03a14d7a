//! Reads a snapshot file back; nothing in it is believed before its checksum is right.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

use breakwater_common::limits::SNAPSHOT_ROW_BYTES_MAX;
use ring::digest::{Context, SHA256};

use super::{END, FORMAT, MAGIC};
use crate::store::image::Row;

/// Reads a whole file and returns what it says about itself.
pub(super) fn check(path: &Path) -> io::Result<Vec<u8>> {
    let mut rows = Rows::open(path)?;
    rows.by_ref().try_for_each(|row| row.map(drop))?;
    Ok(rows.about)
}

/// The rows of a snapshot as they are read.
pub(super) struct Rows {
    input: BufReader<File>,
    context: Option<Context>,
    about: Vec<u8>,
    count: u64,
}

impl Rows {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let context = Some(Context::new(&SHA256));
        let mut rows =
            Self { input: BufReader::new(File::open(path)?), context, about: Vec::new(), count: 0 };
        if rows.bytes(4)? != MAGIC {
            return Err(damaged("not a snapshot"));
        }
        let format = rows.number()?;
        if format != FORMAT {
            return Err(damaged("snapshot of another format; use the release that wrote it"));
        }
        let length = rows.number()?;
        rows.about = rows.bytes(length)?;
        Ok(rows)
    }

    fn next_row(&mut self) -> io::Result<Option<Row>> {
        let key_length = self.number()?;
        if key_length == END {
            return self.end().map(|()| None);
        }
        let value_length = self.number()?;
        let row = (self.bytes(key_length)?, self.bytes(value_length)?);
        self.count += 1;
        Ok(Some(row))
    }

    fn end(&mut self) -> io::Result<()> {
        let count = self.bytes(8)?;
        let mut expected = [0; 32];
        self.input.read_exact(&mut expected)?;
        let found = self.context.take().map(Context::finish);
        let whole =
            count == self.count.to_be_bytes() && found.is_some_and(|found| found.as_ref() == expected);
        if whole { Ok(()) } else { Err(damaged("snapshot does not match its checksum")) }
    }

    fn number(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.take(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn bytes(&mut self, length: u32) -> io::Result<Vec<u8>> {
        let length = usize::try_from(length).ok().filter(|length| *length <= SNAPSHOT_ROW_BYTES_MAX);
        let mut bytes = vec![0; length.ok_or_else(|| damaged("snapshot has a row that is too long"))?];
        self.take(&mut bytes)?;
        Ok(bytes)
    }

    fn take(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.input.read_exact(bytes)?;
        self.context.iter_mut().for_each(|context| context.update(bytes));
        Ok(())
    }
}

impl Iterator for Rows {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        // After the end, and after an error, there is nothing.
        self.context.as_ref()?;
        let row = self.next_row();
        if row.is_err() {
            self.context = None;
        }
        row.transpose()
    }
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
