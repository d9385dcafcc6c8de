//! What a service in this process panicked with.

use std::any::Any;
use std::cell::RefCell;
use std::panic;
use std::sync::{Arc, Mutex, Once, PoisonError};

use bytes::Bytes;

/// Panics of a service, each with the request that was not answered for it; shared by its clones.
#[derive(Clone, Debug, Default)]
pub struct Panics {
    seen: Arc<Mutex<Vec<(Bytes, String)>>>,
}

/// So many are kept: the first few say it.
const MOST: usize = 1000;

thread_local! {
    /// Where the last panic of this thread was.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

impl Panics {
    /// Installs a panic hook that records where a thread panics, and then calls the hook that was there before.
    pub fn locate() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let usual = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                PLACE.set(info.location().map(ToString::to_string));
                usual(info);
            }));
        });
    }

    /// Takes note of a panic on this thread, in answer to a request with this body.
    pub(super) fn add(&self, body: &Bytes, payload: &(dyn Any + Send)) {
        let message = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
        let message = message.unwrap_or("a value that is no text");
        let told = match PLACE.take() {
            Some(place) => format!("panicked at {place}: {message}"),
            None => format!("panicked: {message}"),
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < MOST {
            seen.push((body.clone(), told));
        }
    }

    /// What the service panicked with in answer to a request with this body, or a body that begins so.
    pub fn of(&self, body: &[u8]) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().find(|(known, _)| known.starts_with(body)).map(|(_, told)| told.clone())
    }

    /// The first of all.
    pub fn first(&self) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.first().map(|(_, told)| told.clone())
    }
}
