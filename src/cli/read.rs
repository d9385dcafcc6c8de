//! Reads the files that somebody wrote: whole, or not at all where one is far too large, or has no end.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
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

/// How many bytes a line of a log may have: the exchanges of a case are bounded, and so is a case.
const LINE: u64 = 64 << 20;

/// How many bytes a log may have.
const LOG: u64 = 1 << 30;

/// The bytes of a log, which may come through a pipe.
pub(super) fn log(path: &Path) -> io::Result<Vec<u8>> {
    lines(BufReader::new(File::open(path)?), LINE, LOG)
}

fn lines(mut reader: impl BufRead, line: u64, most: u64) -> io::Result<Vec<u8>> {
    let too_large = |what: String| io::Error::new(io::ErrorKind::FileTooLarge, what);
    let mut bytes = Vec::new();
    for number in 1.. {
        let read = reader.by_ref().take(line + 1).read_until(b'\n', &mut bytes)? as u64;
        match () {
            () if read == 0 => break,
            () if read > line => {
                return Err(too_large(format!("line {number} is longer than {} MiB, as no event is", line >> 20)));
            }
            () if bytes.len() as u64 > most => return Err(too_large(format!("larger than {} MiB", most >> 20))),
            () => {}
        }
    }
    Ok(bytes)
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
    fn a_log_is_bounded_by_the_line_and_as_a_whole() {
        let read = |text: &str| lines(text.as_bytes(), 4, 10).map_err(|error| error.kind());
        assert_eq!(read("abc\nabc\nab").as_deref(), Ok(&b"abc\nabc\nab"[..]));
        assert_eq!(read("abc\nabcde\n"), Err(io::ErrorKind::FileTooLarge));
        assert_eq!(read("abc\nabc\nabc"), Err(io::ErrorKind::FileTooLarge));
        assert_eq!(read("").as_deref(), Ok(&b""[..]));
        #[cfg(unix)]
        assert!(log(Path::new("/dev/zero")).unwrap_err().to_string().starts_with("line 1 is longer than 64 MiB"));
    }

    #[test]
    fn a_message_is_bounded_and_does_nothing() {
        assert_eq!(shown("a\u{1b}[2J\nb"), "a\u{fffd}[2J\nb");
        assert_eq!(shown(&"x".repeat(5000)).chars().count(), 4001);
    }
}
