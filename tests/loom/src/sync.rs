//! The library's `sync` for loom: the same names, with a switch of threads at every lock and every flag.
//!
//! Owns the choice of what is modelled. References are counted and numbers minted by the standard library's types: no
//! decision of the library hangs on them, and every modelled operation multiplies the number of interleavings.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::task::Waker;

pub(crate) use loom::sync::atomic::AtomicBool;
pub(crate) use std::sync::Arc;
pub(crate) use std::sync::atomic::{AtomicU64, Ordering};

/// Two, so that looking at all of a table is not one step.
const SHARDS: usize = 2;

pub(crate) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

pub(crate) type MutexGuard<'a, T> = loom::sync::MutexGuard<'a, T>;

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A hasher without chance in it: loom repeats runs step by step.
type Map<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

#[derive(Debug)]
pub(crate) struct Table<K, V>([Mutex<Map<K, V>>; SHARDS]);

impl<K: Eq + Hash, V> Table<K, V> {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(Map::default())))
    }

    fn shard<Q: Hash + ?Sized>(&self, key: &Q) -> MutexGuard<'_, Map<K, V>> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        self.0[usize::from(hasher.finish() % 2 == 1)].lock()
    }

    pub(crate) fn get_with<Q, R>(&self, key: &Q, f: impl FnOnce(&V) -> R) -> Option<R>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.shard(key).get(key).map(f)
    }

    pub(crate) fn get_or_insert_with<R>(
        &self,
        key: K,
        make: impl FnOnce() -> Option<V>,
        f: impl FnOnce(&V) -> R,
    ) -> Option<R> {
        let mut shard = self.shard(&key);
        if !shard.contains_key(&key) {
            let value = make()?;
            return Some(f(shard.entry(key).or_insert(value)));
        }
        shard.get(&key).map(f)
    }

    pub(crate) fn insert(&self, key: K, value: V) -> Option<V> {
        self.shard(&key).insert(key, value)
    }

    pub(crate) fn remove_if<Q>(&self, key: &Q, condition: impl FnOnce(&V) -> bool) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let mut shard = self.shard(key);
        if condition(shard.get(key)?) {
            shard.remove(key)
        } else {
            None
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|shard| shard.lock().len()).sum()
    }

    pub(crate) fn values(&self) -> Vec<V>
    where
        V: Clone,
    {
        let values = |shard: &Mutex<Map<K, V>>| shard.lock().values().cloned().collect::<Vec<_>>();
        self.0.iter().flat_map(values).collect()
    }
}
