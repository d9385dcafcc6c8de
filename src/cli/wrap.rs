//! Long lines of a report on a terminal: broken between words, and continued below the value that they began with.
//!
//! A terminal by itself breaks words, and goes on at its left edge, where keys stand. What is piped keeps its lines, and so
//! do commands and JSON: both are there to be copied.

/// How wide the terminal is that standard output goes to, if it goes to one.
fn width() -> Option<usize> {
    use std::io::IsTerminal as _;
    let (terminal_size::Width(width), _) =
        terminal_size::terminal_size().filter(|_| std::io::stdout().is_terminal())?;
    Some(usize::from(width))
}

/// A report as it fits the terminal, if there is one.
pub(super) fn for_terminal(text: &str) -> String {
    width().map_or_else(|| String::from(text), |width| wrapped(text, width))
}

/// Narrower than this, there is too little beside the keys.
const NARROWEST: usize = 40;

fn wrapped(text: &str, width: usize) -> String {
    if width < NARROWEST {
        return String::from(text);
    }
    text.split_inclusive('\n').map(|line| broken(line, width)).collect()
}

fn broken(line: &str, width: usize) -> String {
    let (content, end) = line.strip_suffix('\n').map_or((line, ""), |content| (content, "\n"));
    let plain = anstream::adapter::strip_str(content).to_string();
    let indent = indent(&plain);
    let value = plain.chars().skip(indent).collect::<String>();
    let is_command = |text: &str| ["ecrspec ", "curl "].iter().any(|name| text.trim_start().starts_with(name));
    let is_to_be_copied = plain.contains('{') || is_command(&plain) || is_command(&value);
    if plain.chars().count() <= width || is_to_be_copied {
        return String::from(line);
    }
    let mut out = String::new();
    let mut column = 0;
    let mut is_first = true;
    for word in content.split(' ') {
        let length = anstream::adapter::strip_str(word).to_string().chars().count();
        // Up to the value, all stays as it is, with its spaces.
        let fits = column <= indent || column + 1 + length <= width;
        if !is_first && fits {
            out.push(' ');
            column += 1;
        } else if !is_first {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        }
        out += word;
        column += length;
        is_first = false;
    }
    out + end
}

/// Where the value of a line begins, behind its key: what follows it is continued there.
fn indent(plain: &str) -> usize {
    const OF_FINDINGS: usize = "   accept as ".len();
    if plain.starts_with("   ") {
        return OF_FINDINGS;
    }
    let number = plain.split_once(") ").filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
    if let Some((number, _)) = number {
        return number.len() + 2;
    }
    // A key of one or two words, and at least two spaces.
    let key = plain.find("  ").filter(|end| plain[..*end].split(' ').count() <= 2);
    key.map_or(2, |end| {
        plain[end..].find(|letter| letter != ' ').map_or(2, |spaces| plain[..end].chars().count() + spaces)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_goes_on_below_itself() {
        for (line, expected) in [
            (
                "   says      An invalid request never gets a 5xx status.\n",
                "   says      An invalid request never\n             gets a 5xx status.\n",
            ),
            (
                "12) UploadLayerPart answers 500 without an error type\n",
                "12) UploadLayerPart answers 500 without\n    an error type\n",
            ),
            (
                "WARNING  ecr: the target does not know something\n",
                "WARNING  ecr: the target does not know\n         something\n",
            ),
            (
                "not judged  some rules, which this client does not show",
                "not judged  some rules, which this\n            client does not show",
            ),
            // Short enough, and no more than one word.
            ("   got       200\n", "   got       200\n"),
            (
                "   rule      CompleteLayerUpload/layerDigests/match\n",
                "   rule      CompleteLayerUpload/layerDigests/match\n",
            ),
        ] {
            assert_eq!(wrapped(line, 40), expected);
        }
    }

    #[test]
    fn colours_take_no_room_and_stay() {
        let line = "\u{1b}[33mWARNING\u{1b}[0m  ecr: the target does not know something";
        let expected = "\u{1b}[33mWARNING\u{1b}[0m  ecr: the target does not know\n         something";
        assert_eq!(wrapped(line, 40), expected);
    }

    #[test]
    fn what_is_copied_stays_on_its_line() {
        for line in [
            "   replay    ecrspec replay CompleteLayerUpload/layerDigests/match --endpoint http://127.0.0.1:1\n",
            "      ecrspec replay CompleteLayerUpload/layerDigests/match --endpoint http://127.0.0.1:1\n",
            "   curl      curl -sS -i -X POST --data-raw x http://127.0.0.1:5000 and so on and on\n",
            "   part      {\"repositoryName\": \"a b c d e f g h i j k l m n o p q r s t u v w\"}\n",
        ] {
            assert_eq!(wrapped(line, 40), line);
        }
        let long = "a line that is longer than what so narrow a terminal has";
        assert_eq!(wrapped(long, 39), long);
    }

    #[test]
    fn nothing_is_lost() {
        let text = "target     http://127.0.0.1:27431\n\n  scenarios                        55 ok    33 FAIL     6 skipped\n\
                    FAIL  http://127.0.0.1:27431 (ecr): 1471 cases judged, 623 ok, 333 skipped; 848 cases failed, 40 causes\n";
        for width in 40..120 {
            let shown = wrapped(text, width);
            assert_eq!(shown.split_whitespace().collect::<Vec<_>>(), text.split_whitespace().collect::<Vec<_>>());
            assert!(shown.lines().all(|line| line.chars().count() <= width.max(66)), "{width}: {shown}");
        }
    }
}
