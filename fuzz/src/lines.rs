//! Any bytes, in pieces of any size, give the lines that splitting them in one go gives.

use crate::codec::lines::{KEPT_START, Line, Lines};
use crate::pieces;

/// The first byte chooses the limit, the second the sizes of the pieces, the rest is read.
pub fn check(data: &[u8]) {
    let Some((&[limit, sizes], bytes)) = data.split_first_chunk() else {
        return;
    };
    let limit = pieces::limit(limit);
    assert_eq!(in_pieces(bytes, limit, sizes), in_one_go(bytes, limit));
}

/// A line, or the start of one beyond the limit with its length.
type Owned = (Vec<u8>, Option<u64>);

fn in_pieces(bytes: &[u8], limit: usize, sizes: u8) -> Vec<Owned> {
    let mut lines = Lines::new(limit);
    let mut found = Vec::new();
    for piece in pieces::pieces(bytes, sizes) {
        lines.buffer().extend_from_slice(piece);
        while let Some(line) = lines.next() {
            found.push(owned(&line));
        }
    }
    found.extend(lines.finish().as_ref().map(owned));
    found
}

fn owned(line: &Line<'_>) -> Owned {
    match line {
        Line::Whole(line) => (line.to_vec(), None),
        Line::TooLong { start, length } => (start.to_vec(), Some(*length)),
    }
}

fn in_one_go(bytes: &[u8], limit: usize) -> Vec<Owned> {
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    // What stands behind the last newline is a line only if there is something.
    lines.pop_if(|last| last.is_empty());
    let judged = lines.into_iter().map(|line| match line.len() > limit {
        false => (line.to_vec(), None),
        true => (
            line[..line.len().min(KEPT_START)].to_vec(),
            Some(line.len() as u64),
        ),
    });
    judged.collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn seeds() {
        crate::frames::tests::for_each_seed("lines", super::check);
    }
}
