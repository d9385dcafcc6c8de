//! Shell functions that a script needs for some cases only.

/// What a script needs besides its calls.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Helper {
    /// `member FILE NAME…` prints a member of a JSON object.
    Member,
    /// `hex FILE…` prints a sha256.
    Hex,
    /// `encode FILE` prints base64.
    Encode,
    /// `repeat COUNT TEXT`.
    Repeat,
    /// `pad LENGTH NAME`.
    Pad,
    /// `grow LENGTH FILE` repeats the bytes of a file.
    Grow,
    /// `escape HOW` writes characters of a text as escapes.
    Escape,
    /// The variable `registry`: set by the calls before the case.
    Registry,
    /// The variable `alias`: set by the calls before the case.
    Alias,
    /// The variable `part_size`: set by the calls before the case.
    PartSize,
}

const MEMBER_AWK: &str = include_str!("member.awk");
const ESCAPE_AWK: &str = include_str!("escape.awk");

impl Helper {
    /// The function; empty where calls are needed instead.
    pub fn text(self) -> String {
        match self {
            Helper::Member => format!(
                "\
# member FILE NAME...: a member of a JSON object, as it stands in a JSON text.
member() {{
  file=$1
  shift
  WANTED=$(printf '\\n%s' \"$@\") UPPER=${{UPPER-}} awk '
{}' < \"$file\" || {{
    printf '%s\\n' \"$file has no member $* that could be sent on\" >&2
    return 1
  }}
}}
",
                indented(MEMBER_AWK)
            ),
            Helper::Hex => String::from(
                "\
# hex FILE...: the sha256 of files put together.
if command -v sha256sum > /dev/null; then
  hex() { cat -- \"$@\" | sha256sum | head -c 64; }
elif command -v shasum > /dev/null; then
  hex() { cat -- \"$@\" | shasum -a 256 | head -c 64; }
else
  echo 'expected the command sha256sum or shasum' >&2
  exit 1
fi
",
            ),
            Helper::Encode => String::from(
                "\
# encode FILE: its bytes as base64.
if command -v base64 > /dev/null; then
  encode() { base64 < \"$1\" | tr -d '\\n'; }
elif command -v openssl > /dev/null; then
  encode() { openssl base64 -A < \"$1\"; }
else
  echo 'expected the command base64 or openssl' >&2
  exit 1
fi
",
            ),
            Helper::Repeat => String::from(
                "\
# repeat COUNT TEXT
repeat() { awk 'BEGIN { for (n = ARGV[1]; n > 0; n--) printf \"%s\", ARGV[2] }' \"$1\" \"$2\"; }
",
            ),
            Helper::Pad => String::from(
                "\
# pad LENGTH NAME: the name, a slash, and as many a as make it that long.
pad() {
  if [ \"$1\" -le \"${#2}\" ]; then
    printf '%s\\n' \"$2 is too long already\" >&2
    exit 1
  fi
  printf '%s/' \"$2\"
  repeat \"$(($1 - ${#2} - 1))\" a
}
",
            ),
            Helper::Grow => String::from(
                "\
# grow LENGTH FILE: its bytes again and again, until it has that many.
grow() {
  while [ \"$(wc -c < \"$2\")\" -lt \"$1\" ]; do
    cat \"$2\" \"$2\" > grown && mv grown \"$2\"
  done
  head -c \"$1\" \"$2\" > grown && mv grown \"$2\"
}
",
            ),
            Helper::Escape => format!(
                "\
# escape HOW: the text of a JSON string, characters of it written as escapes.
escape() {{
  HOW=$1 awk '
{}'
}}
",
                indented(ESCAPE_AWK)
            ),
            Helper::Registry | Helper::Alias | Helper::PartSize => String::new(),
        }
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_has_no_quote_that_would_end_it() {
        assert!(!MEMBER_AWK.contains('\'') && !ESCAPE_AWK.contains('\''));
    }
}
