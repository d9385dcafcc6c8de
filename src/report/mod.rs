//! What is told of a run. The event log is the source; every format is rendered from it, also after a crash.

pub mod event;
#[cfg(feature = "terminal")]
pub mod format;
#[cfg(feature = "terminal")]
pub mod markdown;
pub mod merge;
#[cfg(feature = "terminal")]
pub mod page;
pub mod reference;
pub mod score;
pub mod script;
pub mod shell;
pub mod summary;
#[cfg(feature = "terminal")]
pub mod terminal;

pub use event::Event;
pub use summary::Summary;
