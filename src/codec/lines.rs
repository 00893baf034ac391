//! Newline-delimited frames out of a stream of bytes.
//!
//! Owns the buffer that is read into and the limit on one line. A line beyond the limit is passed over in bounded
//! memory: its start is kept and handed out with its length. It must not know what the lines say.

/// How much of a line beyond the limit is kept.
pub(crate) const KEPT_START: usize = 64 * 1024;

/// A buffer beyond this is given back when its line is out.
const ROOMY: usize = 1024 * 1024;

/// Splits what is read into lines.
#[derive(Debug)]
pub(crate) struct Lines {
    buffer: Vec<u8>,
    /// Where the unfinished line begins.
    start: usize,
    /// Up to where the unfinished line was searched for its newline.
    searched: usize,
    limit: usize,
    /// Bytes of an oversized line that were passed over already; `buffer[start..]` then holds its beginning.
    skipped: Option<u64>,
}

/// One line, without its newline.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    Whole(&'a [u8]),
    /// Longer than the limit: how it begins, and how long it was.
    TooLong {
        start: &'a [u8],
        length: u64,
    },
}

impl Lines {
    /// `limit` is the longest line in bytes that is handed out whole.
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            limit,
            skipped: None,
        }
    }

    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    /// The buffer to append to. Take every line out with `next` before the next read.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        // The unfinished line moves to the front, so that the buffer grows only for lines that need it.
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
            // One large line must not hold its memory for the life of the connection.
            if self.buffer.capacity() > ROOMY && self.buffer.len() < ROOMY / 4 {
                self.buffer.shrink_to(ROOMY / 4);
            }
        }
        &mut self.buffer
    }

    /// The next line that is complete.
    pub(crate) fn next(&mut self) -> Option<Line<'_>> {
        let Some(offset) = memchr::memchr(b'\n', &self.buffer[self.searched..]) else {
            self.searched = self.buffer.len();
            self.skip_oversized();
            return None;
        };
        let end = self.searched + offset;
        let start = std::mem::replace(&mut self.start, end + 1);
        self.searched = end + 1;
        let line = &self.buffer[start..end];
        Some(match self.skipped.take() {
            Some(skipped) => {
                let length = skipped + line.len() as u64;
                Line::TooLong {
                    start: &line[..line.len().min(KEPT_START)],
                    length,
                }
            }
            None if line.len() > self.limit => Line::TooLong {
                start: &line[..line.len().min(KEPT_START)],
                length: line.len() as u64,
            },
            None => Line::Whole(line),
        })
    }

    /// What stands after the last newline when the stream ends.
    pub(crate) fn finish(&mut self) -> Option<Line<'_>> {
        if self.start == self.buffer.len() {
            return None;
        }
        self.buffer.push(b'\n');
        self.next()
    }

    /// Keeps only the start of an unfinished line that is beyond the limit.
    fn skip_oversized(&mut self) {
        let length = self.buffer.len() - self.start;
        if length <= self.limit && self.skipped.is_none() {
            return;
        }
        let kept = length.min(KEPT_START);
        let skipped = self.skipped.get_or_insert(0);
        *skipped += (length - kept) as u64;
        self.buffer.truncate(self.start + kept);
        if self.buffer.capacity() > 4 * KEPT_START {
            self.buffer.shrink_to(2 * KEPT_START);
        }
        self.searched = self.buffer.len();
    }
}
