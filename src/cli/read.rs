//! Reads the files that somebody wrote: whole, or not at all where one is far too large, or has no end.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// How many bytes such a file may have.
pub(super) const MOST: u64 = 16 << 20;

/// The text of a file.
pub(super) fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
    match text.len() as u64 > MOST {
        true => Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 16 MiB")),
        false => Ok(text),
    }
}

/// A message on the terminal: of bounded length, whatever it quotes, with nothing in it that acts there.
pub(super) fn shown(message: &str) -> String {
    const LONGEST: usize = 4000;
    let visible = |letter| if letter == '\n' { letter } else { crate::wire::envelope::visible(letter) };
    let kept: String = message.chars().take(LONGEST).map(visible).collect();
    if message.chars().nth(LONGEST).is_some() { kept + "…" } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_not_read() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("file");
        File::create(&path).unwrap().set_len(MOST).unwrap();
        assert_eq!(text(&path).unwrap().len() as u64, MOST);
        File::create(&path).unwrap().set_len(MOST + 1).unwrap();
        assert_eq!(text(&path).unwrap_err().to_string(), "larger than 16 MiB");
        #[cfg(unix)]
        assert!(text(Path::new("/dev/zero")).is_err());
    }

    #[test]
    fn a_message_is_bounded_and_does_nothing() {
        assert_eq!(shown("a\u{1b}[2J\nb"), "a\u{fffd}[2J\nb");
        assert_eq!(shown(&"x".repeat(5000)).chars().count(), 4001);
    }
}
