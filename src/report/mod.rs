//! Reports of a run. Its events are the source ([`crate::events`]); every format is rendered from them, also after a
//! crash.

#[doc(hidden)]
pub mod accept;
#[cfg(feature = "terminal")]
pub mod format;
#[cfg(feature = "terminal")]
mod github;
#[cfg(feature = "terminal")]
mod har;
#[cfg(feature = "terminal")]
#[doc(hidden)]
pub mod html;
#[cfg(feature = "terminal")]
mod input;
#[cfg(feature = "terminal")]
#[doc(hidden)]
pub mod issue;
#[cfg(feature = "terminal")]
mod json;
#[cfg(feature = "terminal")]
mod junit;
#[cfg(feature = "terminal")]
#[doc(hidden)]
pub mod markdown;
pub mod merge;
#[cfg(feature = "terminal")]
#[doc(hidden)]
pub mod page;
#[doc(hidden)]
pub mod reference;
#[cfg(feature = "terminal")]
mod result;
#[cfg(feature = "terminal")]
mod sarif;
pub mod score;
#[doc(hidden)]
pub mod script;
#[doc(hidden)]
pub mod shell;
pub mod summary;
#[cfg(feature = "terminal")]
pub mod terminal;

pub use summary::Summary;
