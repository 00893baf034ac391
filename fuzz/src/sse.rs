//! Any bytes, in pieces of any size, give the events that the standard's algorithm gives on all of them at once.

use crate::codec::sse_model::{by_the_standard, said};
use crate::pieces;

/// The first byte chooses the limit, the second the sizes of the pieces, the rest is read.
pub fn check(data: &[u8]) {
    let Some((&[limit, sizes], bytes)) = data.split_first_chunk() else {
        return;
    };
    let limit = pieces::limit(limit);
    assert_eq!(
        said(limit, pieces::pieces(bytes, sizes)),
        by_the_standard(bytes, limit)
    );
}

#[cfg(test)]
mod tests {
    #[test]
    fn seeds() {
        crate::frames::tests::for_each_seed("sse", super::check);
    }
}
