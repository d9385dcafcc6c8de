//! How large an answer may be: in bytes, in JSON values, in nesting, and together with the others of its case.
//!
//! Without these, memory is the target's to decide: a JSON value takes some hundred bytes, and as little as two on the wire.

use super::Response;

/// How many bytes an answer may have that quotes nothing of its request. The covered operations have far less to say.
pub const MAX_ANSWER: usize = 256 << 10;

/// How many bytes any answer may have.
pub const MOST_ANSWER: usize = 16 << 20;

/// How many bytes the head of an answer may have.
pub const MAX_HEAD: usize = 128 << 10;

/// How many JSON values an answer may have: arrays and objects with what is in them.
pub const MAX_VALUES: usize = 4096;

/// How deep the JSON of an answer may be nested.
pub const MAX_DEPTH: usize = 64;

/// What the answers of a case may cost together, each as [`cost`] has it, besides what they quote: a case that asks for a
/// hundred layers a hundred times has some six million bytes.
pub(crate) const MAX_KEPT: usize = 16 << 20;

/// The same on a target that answers at length.
pub(crate) const MAX_KEPT_AT_LENGTH: usize = 1 << 20;

/// An answer that costs more is longer than any that the operations have reason for.
#[cfg(feature = "run")]
pub(crate) const AT_LENGTH: usize = 128 << 10;

/// What an answer may cost that is not counted: a case of a thousand calls has a thousand answers.
pub(crate) const LIGHT: usize = 16 << 10;

/// How many bytes the answer to a request with a body of so many may have: it may quote the request, escaped.
pub fn longest_answer(sent: usize) -> usize {
    sent.saturating_mul(2).saturating_add(MAX_ANSWER).min(MOST_ANSWER)
}

/// Whether the answer to a request with a body of so many bytes has too many bytes or JSON values, or is nested too deep.
pub(super) fn is_too_large(answer: &Response, sent: usize) -> bool {
    let body = answer.body.trim_ascii_start();
    let is_json = matches!(body, [b'{' | b'[', ..] | [0xef, 0xbb, 0xbf, ..]);
    head(answer) > MAX_HEAD || answer.body.len() > longest_answer(sent) || (is_json && !is_bounded(body))
}

/// Whether JSON has no more values than it may, and is nested no deeper. Of what is none, this says little.
pub(super) fn is_bounded(json: &[u8]) -> bool {
    let shape = Shape::of(json);
    shape.values <= MAX_VALUES && shape.depth <= MAX_DEPTH
}

/// About how many bytes it takes to keep an answer, decoded.
pub(super) fn cost(answer: &Response) -> usize {
    const OF_A_VALUE: usize = 128;
    head(answer) + 2 * answer.body.len() + OF_A_VALUE * Shape::of(&answer.body).values
}

fn head(answer: &Response) -> usize {
    answer.headers.iter().map(|(name, value)| name.len() + value.len()).sum()
}

/// What JSON is made of, at most.
struct Shape {
    values: usize,
    depth: usize,
}

impl Shape {
    /// Counts without reading: what cannot be read may be far too large as well.
    fn of(json: &[u8]) -> Shape {
        // Most answers are small whatever stands in texts. A byte is looked at in no time where its neighbours do not matter.
        let most = 1 + json.iter().filter(|byte| matches!(byte, b'{' | b'[' | b',')).count();
        if most <= MAX_DEPTH {
            return Shape { values: most, depth: most };
        }
        let (mut values, mut depth, mut deepest) = (1, 0_usize, 0);
        let (mut in_string, mut escaped) = (false, false);
        for byte in json {
            match byte {
                _ if in_string => {
                    in_string = escaped || *byte != b'"';
                    escaped = *byte == b'\\' && !escaped;
                }
                b'"' => in_string = true,
                b'{' | b'[' => {
                    values += 1;
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                b',' => values += 1,
                _ => {}
            }
        }
        Shape { values, depth: deepest }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn is_large(headers: &[(&str, String)], body: String, sent: usize) -> bool {
        let headers = headers.iter().map(|(name, value)| (String::from(*name), value.clone())).collect();
        is_too_large(&Response { status: 200, headers, body: Bytes::from(body), flaw: None }, sent)
    }

    #[test]
    fn an_answer_has_a_bound_in_bytes_values_and_depth() {
        let string = |len: usize| format!("{{\"a\":\"{}\"}}", "[,".repeat(len / 2));
        let array = |values: usize| format!("{{\"a\":[{}1]}}", "1,".repeat(values - 1));
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(!is_large(&[], string(MAX_ANSWER - 100), 2));
        assert!(is_large(&[], string(MAX_ANSWER), 2));
        assert!(!is_large(&[], string(MAX_ANSWER), 1000), "it may quote the request");
        assert!(is_large(&[], string(MOST_ANSWER), usize::MAX));
        assert!(!is_large(&[], array(MAX_VALUES - 3), 2));
        assert!(is_large(&[], array(MAX_VALUES + 1), 2));
        assert!(is_large(&[], format!("\u{feff}{}", array(MAX_VALUES + 1)), 2));
        assert!(!is_large(&[], nested(MAX_DEPTH), 2));
        assert!(is_large(&[], nested(MAX_DEPTH + 1), 2));
        assert!(!is_large(&[], format!("a page, {}", ",".repeat(MAX_VALUES)), 2), "it is no JSON");
        assert!(!is_large(&[("x-more", "x".repeat(MAX_HEAD - 6))], String::new(), 2));
        assert!(is_large(&[("x-more", "x".repeat(MAX_HEAD - 5))], String::new(), 2));
    }

    #[test]
    fn what_has_more_values_costs_more() {
        let cost = |body: &str| {
            let body = Bytes::copy_from_slice(body.as_bytes());
            cost(&Response { status: 200, headers: vec![(String::from("x"), "y".repeat(99))], body, flaw: None })
        };
        assert!(cost("{}") < LIGHT);
        assert!(cost(&"1,".repeat(1000)) > 100_000);
        assert!((2000..3000).contains(&cost(&format!("\"{}\"", ",".repeat(1000)))));
    }
}
