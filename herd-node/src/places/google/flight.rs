//! Single flight: the same question asked while its call is under way waits for that call.
//!
//! The call runs in a task of its own, so that it belongs to no single caller; when the last caller is gone it is aborted.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// The calls under way, by what they ask.
#[derive(Debug)]
pub(super) struct Flights<T> {
    // The standard map's hash is keyed at random: what is asked comes from clients.
    table: Mutex<Table<T>>,
}

#[derive(Debug)]
struct Table<T> {
    next_id: u64,
    flights: HashMap<Arc<str>, (u64, Weak<Flight<T>>)>,
}

/// One call under way. Held by those who wait for it and nobody else.
#[derive(Debug)]
struct Flight<T> {
    flights: Arc<Flights<T>>,
    ask: Arc<str>,
    id: u64,
    task: AbortHandle,
    outcome: watch::Receiver<Option<Arc<T>>>,
}

/// Someone who waits for a call.
#[derive(Debug)]
pub(super) struct Waiter<T> {
    flight: Arc<Flight<T>>,
}

impl<T: Send + Sync + 'static> Flights<T> {
    pub(super) fn new() -> Self {
        Self { table: Mutex::new(Table { next_id: 0, flights: HashMap::new() }) }
    }

    /// Joins the call that asks `ask`, if one is under way.
    pub(super) fn join(&self, ask: &str) -> Option<Waiter<T>> {
        let flight = self.lock().flights.get(ask).and_then(|(_, flight)| flight.upgrade())?;
        Some(Waiter { flight })
    }

    /// Has `call` answer `ask`, unless a call for it is under way by now.
    pub(super) fn start<F>(self: &Arc<Self>, runtime: &Handle, ask: Arc<str>, call: F) -> Waiter<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut table = self.lock();
        if let Some(flight) = table.flights.get(&ask).and_then(|(_, flight)| flight.upgrade()) {
            drop(table);
            return Waiter { flight };
        }
        let id = table.next_id;
        table.next_id += 1;
        let (outcome_in, outcome) = watch::channel(None);
        let (flights, asked) = (Arc::clone(self), Arc::clone(&ask));
        let task = runtime.spawn(async move {
            let result = call.await;
            // Off the table first: who asks from now on gets a new call and never an old answer.
            flights.remove(&asked, id);
            outcome_in.send_replace(Some(Arc::new(result)));
        });
        let task = task.abort_handle();
        let flight = Arc::new(Flight { flights: Arc::clone(self), ask: Arc::clone(&ask), id, task, outcome });
        table.flights.insert(ask, (id, Arc::downgrade(&flight)));
        drop(table);
        Waiter { flight }
    }
}

impl<T> Flights<T> {
    fn remove(&self, ask: &Arc<str>, id: u64) {
        if let Entry::Occupied(entry) = self.lock().flights.entry(Arc::clone(ask))
            && entry.get().0 == id
        {
            entry.remove();
        }
    }

    /// No `Flight` may be dropped while this is held: its drop takes the lock too.
    fn lock(&self) -> MutexGuard<'_, Table<T>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Waiter<T> {
    /// What the call brought. `None` only if it died without a word.
    pub(super) async fn outcome(self) -> Option<Arc<T>> {
        let mut outcome = self.flight.outcome.clone();
        let outcome = outcome.wait_for(Option::is_some).await.ok()?;
        outcome.clone()
    }
}

impl<T> Drop for Flight<T> {
    fn drop(&mut self) {
        self.task.abort();
        self.flights.remove(&self.ask, self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::runtime::Handle;
    use tokio::sync::oneshot;

    use super::{Flights, Waiter};

    type Sender = oneshot::Sender<u32>;

    fn start(flights: &Arc<Flights<u32>>, ask: &str) -> (Waiter<u32>, Sender) {
        let (answer, receiver) = oneshot::channel();
        (flights.start(&Handle::current(), ask.into(), async { receiver.await.unwrap() }), answer)
    }

    #[tokio::test]
    async fn the_same_question_shares_a_call() {
        let flights = Arc::new(Flights::new());
        assert!(flights.join("a").is_none());
        let (first, answer) = start(&flights, "a");
        let (second, _unused) = start(&flights, "a");
        let third = flights.join("a").unwrap();
        assert!(flights.join("b").is_none());
        answer.send(7).unwrap();
        for waiter in [first, second, third] {
            assert_eq!(waiter.outcome().await.as_deref(), Some(&7));
        }
        assert!(flights.join("a").is_none() && flights.lock().flights.is_empty());
    }

    #[tokio::test]
    async fn the_call_ends_with_its_last_waiter() {
        let flights = Arc::new(Flights::new());
        let (first, mut answer) = start(&flights, "a");
        let second = flights.join("a").unwrap();
        drop(first);
        tokio::task::yield_now().await;
        assert!(!answer.is_closed());
        drop(second);
        answer.closed().await;
        assert!(flights.lock().flights.is_empty());
    }

    #[tokio::test]
    async fn a_call_that_dies_leaves_nobody_waiting() {
        let flights = Arc::new(Flights::new());
        let waiter: Waiter<u32> = flights.start(&Handle::current(), "a".into(), async { panic!("for the test") });
        assert_eq!(waiter.outcome().await, None);
        assert!(flights.lock().flights.is_empty());
    }
}
