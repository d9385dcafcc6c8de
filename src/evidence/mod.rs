//! What a run's answers say about rules, as files that can be proposed as sources: one a service and area of rules, without
//! anything that belongs to the account, the endpoint or the run.

mod answer;
mod entry;
mod file;
mod placeholder;
pub mod question;
mod recorder;

pub use answer::Answer;
pub use entry::{Effect, Entry};
pub use file::{Asked, Endpoint, File, Origin, Questions, Reply};
pub use placeholder::Placeholders;
pub use question::OpenQuestion;
pub use recorder::Recorder;

/// Version of the format of the files; rises when a reader of the old one would misread the new.
pub const SCHEMA: u32 = 1;
