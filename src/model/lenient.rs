//! Reading loosely what peers write loosely (`null` for absent, `3.0` for 3), and writing tersely.
//!
//! Owns the functions that this layer names in its serde attributes; knows no MCP type.

use serde::{Deserialize, Deserializer};
use serde_json::Number;

/// Reads `null` as the type's default. Together with `#[serde(default)]` absent and `null` are one.
pub(super) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads a count that the schemas call `number`: some languages have only floats, so `1024.0` is 1024.
///
/// A fraction is cut off, a negative count reads as absent and a huge one as `u64::MAX`: the fields read
/// this way are hints, and a hint must not cost the caller the result that carries it.
pub(super) fn count<'de, D>(deserializer: D) -> Result<Option<u64>, D::Error>
where
    D: Deserializer<'de>,
{
    let number = Option::<Number>::deserialize(deserializer)?;
    Ok(number.as_ref().and_then(whole))
}

/// Reads `ttlMs`: a [`count`], but a negative one is 0 (2026-07-28, server utilities, caching).
pub(super) fn ttl<'de, D>(deserializer: D) -> Result<Option<u64>, D::Error>
where
    D: Deserializer<'de>,
{
    let number = Option::<Number>::deserialize(deserializer)?;
    Ok(number.map(|number| whole(&number).unwrap_or(0)))
}

/// Reads a number with a fraction through [`Number`].
///
/// serde_json's feature `arbitrary_precision`, which any other crate in the build may turn on, breaks `f64`
/// inside a tagged enum; [`Number`] stays readable there.
pub(super) fn fraction<'de, D>(deserializer: D) -> Result<Option<f64>, D::Error>
where
    D: Deserializer<'de>,
{
    let number = Option::<Number>::deserialize(deserializer)?;
    Ok(number.as_ref().and_then(Number::as_f64))
}

/// The whole part of a number that is not negative.
fn whole(number: &Number) -> Option<u64> {
    number.as_u64().or_else(|| {
        let float = number.as_f64()?;
        // `as` saturates, so there is no overflow; JSON has no NaN.
        (float >= 0.0).then_some(float as u64)
    })
}

/// A flag that is off is not written: absent means the same, and older peers do not know the field.
pub(super) fn is_off(flag: &bool) -> bool {
    !flag
}
