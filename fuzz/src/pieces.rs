//! Bytes in pieces, as a peer may send them.

/// The pieces that follow from `sizes`: all in one for 0, byte by byte for 1, else of any size up to it.
pub(crate) fn pieces(bytes: &[u8], sizes: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    let mut state = u32::from(sizes);
    std::iter::from_fn(move || {
        // A cheap generator, so that one byte of input gives pieces of many sizes.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let size = match sizes {
            0 => rest.len(),
            1 => 1,
            _ => 1 + (state >> 16) as usize % usize::from(sizes),
        };
        let (piece, behind) = rest.split_at(size.min(rest.len()));
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}

/// The limit that a byte of input chooses: a small one, or one that no input reaches.
pub(crate) fn limit(byte: u8) -> usize {
    match byte {
        255 => usize::MAX,
        _ => usize::from(byte),
    }
}
