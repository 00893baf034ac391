//! A message on its way from the reader to its consumer.
//!
//! Owns keeping short text in place. It must not know what the text says.

use std::sync::Arc;

/// What is kept in place: with its length and the tag, 32 bytes in all.
const IN_PLACE: usize = 30;

/// Text that waits in a mailbox.
///
/// The reader makes it and the consumer gives it up, mostly on another thread. Memory that changes threads with every
/// update costs both of them the allocator's lock; so short text is memory only once the consumer takes it.
#[derive(Clone, Debug)]
pub(crate) enum WaitingText {
    Short { length: u8, bytes: [u8; IN_PLACE] },
    Long(Arc<str>),
}

impl WaitingText {
    pub(crate) fn of(text: &str) -> Self {
        let mut bytes = [0; IN_PLACE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(text.as_bytes());
                Self::Short { length, bytes }
            }
            _ => Self::Long(text.into()),
        }
    }

    pub(crate) fn into_shared(self) -> Arc<str> {
        match self {
            Self::Short { length, bytes } => {
                // Whole characters went in; should that ever be wrong, the text is mended rather than lost.
                String::from_utf8_lossy(&bytes[..usize::from(length)]).into()
            }
            Self::Long(text) => text,
        }
    }

    /// Bytes beyond the fixed size.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Short { .. } => 0,
            Self::Long(text) => text.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_every_length_comes_back() {
        for length in 0..100 {
            let text = "ü€x".chars().cycle().take(length).collect::<String>();
            let waiting = WaitingText::of(&text);
            let short = matches!(waiting, WaitingText::Short { .. });
            assert_eq!(short, text.len() <= IN_PLACE);
            assert_eq!(waiting.heap_bytes(), if short { 0 } else { text.len() });
            assert_eq!(*waiting.into_shared(), *text);
        }
        assert_eq!(size_of::<Option<WaitingText>>(), 32);
    }
}
