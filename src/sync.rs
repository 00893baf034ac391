//! The lock and the concurrent table everything shared is built on.
//!
//! Owns the choice of primitives, so that the loom models can replace this one file. It must not know what it
//! guards. Two rules hold for every user of it, and are cited as L1 and L2:
//!
//! * **L1, order:** a table's shard lock, then a slot's lock, then nothing.
//! * **L2, no foreign code under a lock:** no waker is woken or dropped, and no handler, outcome or mailbox is
//!   dropped, while a lock is held. Move them out, unlock, then act. A single update that another replaces is plain
//!   data of ours and may go under the lock.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::task::Waker;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;

pub(crate) use std::sync::Arc;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Few shards: readers and droppers are many, but the default (four times the cores) costs 32 KiB per empty map
/// on a machine with many cores.
const SHARDS: usize = 16;

/// Wakes what was taken out under a lock, after it (L2).
pub(crate) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// A short, synchronous lock that does not poison.
///
/// Handlers never run under it (L2), so a panic cannot leave the guarded state half changed.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

/// What [`Mutex::lock`] gives.
pub(crate) type MutexGuard<'a, T> = std::sync::MutexGuard<'a, T>;

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    /// The value, for whoever has the lock to himself.
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A concurrent map behind the few operations that the registry and the in-flight table need.
///
/// Each closure runs under one shard's lock: it may take a slot's lock (L1) and nothing else.
#[derive(Debug)]
pub(crate) struct Table<K, V>(DashMap<K, V, Seed>)
where
    K: Eq + Hash;

impl<K: Eq + Hash, V> Table<K, V> {
    pub(crate) fn new() -> Self {
        Self(DashMap::with_hasher_and_shard_amount(
            Seed::default(),
            SHARDS,
        ))
    }

    /// Looks `key` up and hands the value to `f` under the shard lock.
    pub(crate) fn get_with<Q, R>(&self, key: &Q, f: impl FnOnce(&V) -> R) -> Option<R>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.0.get(key).map(|entry| f(entry.value()))
    }

    /// Hands the value of `key` to `f` under the shard lock, after making it with `make` where there is none.
    ///
    /// `make` may decline, then nothing is inserted and `f` does not run.
    pub(crate) fn get_or_insert_with<R>(
        &self,
        key: K,
        make: impl FnOnce() -> Option<V>,
        f: impl FnOnce(&V) -> R,
    ) -> Option<R> {
        match self.0.entry(key) {
            Entry::Occupied(entry) => Some(f(entry.get())),
            Entry::Vacant(entry) => {
                let value = make()?;
                Some(f(entry.insert(value).value()))
            }
        }
    }

    /// Inserts without looking; an earlier value of the key is returned.
    pub(crate) fn insert(&self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    /// Removes and returns the value of `key` if `condition` holds, both under the shard lock.
    pub(crate) fn remove_if<Q>(&self, key: &Q, condition: impl FnOnce(&V) -> bool) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.0
            .remove_if(key, |_, value| condition(value))
            .map(|(_, value)| value)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// All values, cloned shard by shard. Not a snapshot: entries made meanwhile may be missing.
    pub(crate) fn values(&self) -> Vec<V>
    where
        V: Clone,
    {
        self.0.iter().map(|entry| entry.value().clone()).collect()
    }
}

/// A plain map by id, hashed as quickly as a table is.
#[cfg(feature = "http")]
pub(crate) type IdMap<V> = std::collections::HashMap<i64, V, Seed>;

/// Makes the hashers of one table, which differ from those of another.
#[derive(Clone, Debug)]
pub(crate) struct Seed(u64);

impl Default for Seed {
    fn default() -> Self {
        Self(RandomState::new().hash_one(SHARDS))
    }
}

impl BuildHasher for Seed {
    type Hasher = KeyHasher;

    fn build_hasher(&self) -> KeyHasher {
        KeyHasher(self.0)
    }
}

/// Hashes an id or a token in a few instructions: one wide multiplication for eight bytes, folded.
///
/// Looked up once per update, the standard hasher would be a tenth of all that an update costs. Peers cannot insert
/// keys, and whoever chooses tokens does not know the seed.
pub(crate) struct KeyHasher(u64);

impl KeyHasher {
    /// An odd number with its bits well spread: the fractional part of the golden ratio.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
}

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    fn write_i64(&mut self, number: i64) {
        self.write_u64(number.cast_unsigned());
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the two halves are taken apart"
    )]
    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number) * u128::from(Self::FACTOR);
        self.0 = product as u64 ^ (product >> 64) as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
