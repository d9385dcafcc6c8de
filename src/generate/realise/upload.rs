//! The uploads of a sequence, and what a call is about.

use crate::model::registry::MIN_INNER_PART;

/// An upload of the sequence, as far as the next request depends on it.
#[derive(Clone, Debug)]
pub(super) struct Upload {
    /// The step whose answer has its id.
    pub(super) step: String,
    /// Index of its repository.
    pub(super) repository: usize,
    /// Its chunks with their lengths.
    pub(super) parts: Vec<(String, usize)>,
    pub(super) life: Life,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Life {
    Open,
    Completed,
    RepositoryDeleted,
}

impl Upload {
    pub(super) fn size(&self) -> usize {
        self.parts.iter().map(|(_, len)| len).sum()
    }

    pub(super) fn content(&self) -> Vec<String> {
        self.parts.iter().map(|(chunk, _)| chunk.clone()).collect()
    }

    /// Whether an inner part is too small to be completed.
    pub(super) fn is_too_small(&self) -> bool {
        self.parts.split_last().is_some_and(|(_, inner)| inner.iter().any(|(_, len)| *len < MIN_INNER_PART))
    }

    pub(super) fn is_open(&self) -> bool {
        self.life == Life::Open
    }

    pub(super) fn has_parts(&self) -> bool {
        self.is_open() && !self.parts.is_empty()
    }
}

/// What a request is about.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// Index of its upload.
    pub(super) upload: Option<usize>,
    /// Index of its repository.
    pub(super) repository: usize,
    /// The bytes that it sends, and how many.
    pub(super) chunk: String,
    pub(super) len: usize,
}

/// Mostly the first.
pub(super) fn rarely<T>(of: &[T], choice: u8) -> Option<&T> {
    match choice {
        0..160 => of.first(),
        _ => of.get(usize::from(choice - 160) % of.len().max(1)),
    }
}
