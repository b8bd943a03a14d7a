//! URLs with a user and a password: `scheme://user:password@host`. What stands between `://` and the path is taken out.

use super::{Ahead, Category, Look, Tail, Text, Try, settle, tail};
use crate::limits::STREAM_HOLD_BYTES_MAX;

static URL_CREDENTIALS: Category = Category { word: "url_credentials", placeholder: "[URL_CREDENTIALS]" };

const MARK: &[u8] = b"://";

pub(super) fn look(text: &Text<'_>, from: usize) -> Look {
    // A match starts behind the mark, so the mark itself may stand before the place.
    let mut at = from.saturating_sub(MARK.len());
    while let Some(skip) = text.bytes.get(at..).and_then(|rest| memchr::memmem::find(rest, MARK)) {
        let start = at + skip + MARK.len();
        if start >= from
            && text.before(at + skip).is_some_and(|byte| byte.is_ascii_alphanumeric())
            && let Some(look) = settle(start, user_info(text, start))
        {
            return look;
        }
        at = start;
    }
    Look::Clear(text.bytes.len())
}

fn user_info(text: &Text<'_>, start: usize) -> Try {
    let mut at = start;
    let mut colon = None;
    loop {
        if at - start >= STREAM_HOLD_BYTES_MAX {
            return Try::Doubt(at, Tail::Authority, &URL_CREDENTIALS);
        }
        match text.at(at) {
            Ahead::Byte(b'@') => {
                let password = colon.is_some_and(|colon| at > colon + 1);
                return if password { Try::Open(at + 1, Tail::Authority, &URL_CREDENTIALS) } else { Try::No };
            }
            Ahead::Byte(byte) if tail::is_authority(byte) => {
                if byte == b':' && colon.is_none() {
                    colon = Some(at);
                }
                at += 1;
            }
            Ahead::Byte(_) | Ahead::End => return Try::No,
            Ahead::More => return Try::Need,
        }
    }
}
