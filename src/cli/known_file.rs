//! Reads a file of known deviations: for runs, for reports, and for `ecrspec known`, which changes it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::read;
use crate::judge::known::{Known, KnownFile};

/// Why a file of known deviations cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error("there is no file {} of known deviations: `ecrspec known init` writes one", .0.display())]
    Missing(PathBuf),
    #[error("could not read the known deviations in {}: {why}", path.display())]
    Unreadable { path: PathBuf, why: std::io::Error },
    #[error("{} is empty: expected known deviations, or `known = []` where there are none", .0.display())]
    Empty(PathBuf),
}

/// The text of a file. One with nothing in it may be what a full disk has left.
pub(super) fn text(path: &Path) -> Result<String, Unread> {
    match read::text(path) {
        Ok(text) if text.trim().is_empty() => Err(Unread::Empty(path.to_path_buf())),
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Unread::Missing(path.to_path_buf())),
        Err(why) => Err(Unread::Unreadable { path: path.to_path_buf(), why }),
    }
}

/// The entries of a text.
pub(super) fn parse(path: &Path, text: &str) -> anyhow::Result<KnownFile> {
    KnownFile::parse(text).map_err(|error| anyhow!("{}: {error}", path.display()))
}

/// Reads a file of known deviations.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Known>> {
    Ok(parse(path, &text(path)?)?.known)
}
