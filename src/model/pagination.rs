//! Lists that come page by page.
//!
//! Owns the common view on a page; the pages themselves are with what they list.

/// One page of a list (specification, server utilities, pagination).
pub trait Paginated {
    /// What is listed.
    type Item;

    /// The opaque cursor of the next page, `None` on the last. An empty string is a cursor like any other.
    fn next_cursor(&self) -> Option<&str>;

    /// The entries of this page, in the server's order.
    fn into_items(self) -> Vec<Self::Item>;
}
