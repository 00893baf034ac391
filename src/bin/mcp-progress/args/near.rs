//! Which of the names that exist was probably meant.
//!
//! Owns how far apart two names are. It must not know what is named.

/// The one of `names` that is nearest to `wanted`, where it is near enough to be a slip.
pub(crate) fn nearest<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    let limit = (wanted.chars().count() * 2 / 5).max(1);
    let near = |name: &'a str| (distance(&wanted, &name.to_lowercase()), name);
    let (apart, name) = names
        .into_iter()
        .map(near)
        .min_by_key(|(apart, _)| *apart)?;
    (apart <= limit).then_some(name)
}

/// ` Did you mean …? There are: …`, for the end of a sentence that says what there is not.
pub(crate) fn hint(wanted: &str, names: &[&str]) -> String {
    let list = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    match nearest(wanted, names.iter().copied()) {
        Some(name) => format!("; did you mean {name}? There are: {list}"),
        None => format!("; there are: {list}"),
    }
}

/// How many characters must be put in, taken out or replaced (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = at + 1;
        for (at, y) in b.iter().enumerate() {
            let replaced = corner + usize::from(x != *y);
            corner = row[at + 1];
            row[at + 1] = replaced.min(corner + 1).min(row[at] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, hint, nearest};

    #[test]
    fn slips_are_near() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!((distance("", "ab"), distance("ab", "ab")), (2, 0));
        let names = ["everything", "demo", "GitHub"];
        assert_eq!(nearest("evrything", names), Some("everything"));
        assert_eq!(nearest("github", names), Some("GitHub"));
        assert_eq!(
            (nearest("filesystem", names), nearest("x", [])),
            (None, None)
        );
    }

    #[test]
    fn the_names_are_told() {
        assert_eq!(
            hint("dem", &["a", "demo"]),
            "; did you mean demo? There are: a, demo"
        );
        assert_eq!(hint("x", &[]), "; there are: none");
    }
}
