//! Owns what counts as a number of something done. Must not know what is counted.

/// A number of items, bytes or the like: every integer and float of the language.
///
/// Integers beyond 2^53 are rounded, as they are by most peers.
pub trait Amount {
    /// The number as it goes over the wire.
    fn to_number(self) -> f64;
}

impl Amount for f64 {
    fn to_number(self) -> f64 {
        self
    }
}

impl Amount for f32 {
    fn to_number(self) -> f64 {
        self.into()
    }
}

macro_rules! integers {
    ($($integer:ty),*) => {
        $(impl Amount for $integer {
            fn to_number(self) -> f64 {
                self as f64
            }
        })*
    };
}

integers!(
    i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize
);
