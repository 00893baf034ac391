//! Owns the doing of many things, two at a time. Must not know what they are.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Does `work` with every item, with two at a time, and gives what came of it in the items' order.
pub fn in_pairs<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let worker = || {
        while let Some((at, item)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            items.get(at).map(|item| (at, item))
        } {
            let result = work(item);
            done.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((at, result));
        }
    };
    thread::scope(|scope| {
        scope.spawn(worker);
        scope.spawn(worker);
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn two_at_once_and_in_order() {
        // Nobody passes the barrier alone.
        let both = Barrier::new(2);
        let doubled = in_pairs(&[1, 2, 3, 4], |n| {
            both.wait();
            n * 2
        });
        assert_eq!(doubled, [2, 4, 6, 8]);
        assert_eq!(in_pairs(&[0; 0], |n| *n), [0; 0]);
    }
}
