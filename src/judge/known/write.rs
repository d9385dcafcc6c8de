//! Changes of a file of known deviations. What is not changed stays as it is written, byte for byte: reasons and comments
//! are the user's.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use super::NO_REASON_YET;
use super::file::{KnownFile, Place};
use super::wildcard::fold;
use crate::contract::{RuleId, Service};
use crate::judge::Got;
use crate::wire::envelope::visible;

/// An entry that is not written yet: findings of one cause.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// What was found, as a sentence.
    pub sentence: String,
    /// The rules that are broken.
    pub rules: BTreeSet<RuleId>,
    /// What came.
    pub got: Got,
    /// The service; `None` for all.
    pub service: Option<Service>,
    /// Whether it is found in some runs only.
    pub sometimes: bool,
}

/// Columns of a line before the list in it is broken.
const WIDTH: usize = 110;

impl NewEntry {
    /// Its keys, but for the service where the file says it for all.
    fn keys(&self, of_file: Option<Service>) -> Vec<String> {
        let texts = fold(&self.rules, self.service, &self.got);
        let mut keys = vec![
            format!("rule = {}", list(&texts, false)),
            format!("got = {}", quoted(&self.got.code())),
            format!("reason = {}", quoted(NO_REASON_YET)),
        ];
        if let Some(service) = self.service.filter(|_| of_file != self.service) {
            keys.push(format!("service = {}", quoted(service.name())));
        }
        if self.sometimes {
            keys.push(String::from("sometimes = true"));
        }
        let in_line = keys.iter().map(|key| key.len() + 2).sum::<usize>();
        if texts.len() > 1 && in_line > WIDTH {
            keys[0] = format!("rule = {}", list(&texts, true));
        }
        keys
    }

    fn comment(&self) -> String {
        // It has words of the target.
        format!("# {}\n", self.sentence.chars().map(visible).collect::<String>())
    }

    fn in_line(&self, of_file: Option<Service>) -> String {
        format!("  {}  {{ {} }},\n", self.comment(), self.keys(of_file).join(", "))
    }

    fn with_head(&self, of_file: Option<Service>) -> String {
        format!("\n{}[[known]]\n{}\n", self.comment(), self.keys(of_file).join("\n"))
    }
}

/// A text as TOML.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// One text as it is, several as a list: in one line, or a line each.
fn list(texts: &[String], broken: bool) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    match quoted.as_slice() {
        [one] => one.clone(),
        all if broken => format!("[\n    {},\n  ]", all.join(",\n    ")),
        all => format!("[{}]", all.join(", ")),
    }
}

/// The text with these entries added, in the form of those that it has.
pub fn add(text: &str, file: &KnownFile, entries: &[NewEntry]) -> String {
    let mut text = String::from(text);
    let of_all = of_all(file, entries);
    if let Some(list) = &file.list {
        let lines: String = entries.iter().map(|entry| entry.in_line(file.service.or(of_all))).collect();
        let closing = list.end - 1;
        let own_line = text[..closing].trim_end_matches([' ', '\t']).len();
        let newline = if text[..own_line].ends_with('\n') { "" } else { "\n" };
        text.insert_str(own_line, &format!("{newline}{lines}"));
        let last = file.places.last().map(|place| place.keys.end);
        if let Some(end) = last.filter(|end| !has_comma(&text[*end..own_line])) {
            text.insert(end, ',');
        }
        if let Some(service) = of_all {
            let start = text[..list.start].rfind('\n').map_or(0, |newline| newline + 1);
            text.insert_str(start, &format!("service = {}\n", quoted(service.name())));
        }
        return text;
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    if file.places.is_empty() {
        if let Some(service) = of_all {
            let _ = writeln!(text, "service = {}", quoted(service.name()));
        }
        let lines: String = entries.iter().map(|entry| entry.in_line(file.service.or(of_all))).collect();
        let _ = writeln!(text, "known = [\n{lines}]");
    } else {
        text.extend(entries.iter().map(|entry| entry.with_head(file.service)));
    }
    text
}

/// The service of all entries, to be said once: where the file has no others yet.
fn of_all(file: &KnownFile, entries: &[NewEntry]) -> Option<Service> {
    let first = entries.first()?.service?;
    let is_new = file.places.is_empty() && file.service.is_none();
    (is_new && entries.iter().all(|entry| entry.service == Some(first))).then_some(first)
}

/// Whether there is a comma before the list ends, comments aside.
fn has_comma(gap: &str) -> bool {
    gap.lines().any(|line| line.split('#').next().unwrap_or_default().contains(','))
}

/// The text without some of what it accepts, by the numbers of [`KnownFile::known`]. Of an entry for several rules the
/// others stay.
pub fn remove(text: &str, file: &KnownFile, gone: &BTreeSet<usize>) -> String {
    let mut text = String::from(text);
    for place in file.places.iter().rev() {
        let (out, left): (Vec<usize>, Vec<usize>) = place.known.clone().partition(|number| gone.contains(number));
        match (out.is_empty(), left.first()) {
            (true, _) => {}
            (false, None) => text.replace_range(block(&text, file, place), ""),
            (false, Some(first)) => {
                let known = &file.known[*first];
                let rules = left.iter().map(|number| file.known[*number].rule).collect();
                let texts = fold(&rules, known.service, &known.got);
                let broken = list(&texts, false).len() > WIDTH;
                text.replace_range(place.rule.clone(), &list(&texts, broken));
            }
        }
    }
    text
}

/// All of an entry: its lines and the comment right above them. A comment that the next entry shares stays.
fn block(text: &str, file: &KnownFile, place: &Place) -> Range<usize> {
    let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1);
    let mut start = line_start(place.keys.start);
    let mut end = line_end(place.keys.end);
    if file.list.is_some() {
        let after = text[place.keys.end..end].trim_start().trim_start_matches(',').trim();
        let is_alone = text[start..place.keys.start].trim().is_empty() && (after.is_empty() || after.starts_with('#'));
        if !is_alone {
            let rest = &text[place.keys.end..];
            let comma = rest.trim_start().starts_with(',').then(|| rest.find(',')).flatten();
            return place.keys.start..comma.map_or(place.keys.end, |comma| place.keys.end + comma + 1);
        }
    } else {
        while start > 0 && !text[start..].trim_start().starts_with("[[") {
            start = line_start(start - 1);
        }
    }
    let next = text[end..].trim_start_matches([' ', '\t']);
    let shared = next.starts_with('{') || next.starts_with('[');
    while start > 0 && !shared && text[line_start(start - 1)..start].trim_start().starts_with('#') {
        start = line_start(start - 1);
    }
    // Of two empty lines one is enough.
    let is_after_gap = start == 0 || text[..start].ends_with("\n\n");
    if is_after_gap && text[end..].starts_with('\n') {
        end += 1;
    }
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(rules: &[&'static str], got: &str) -> NewEntry {
        NewEntry {
            sentence: String::from("CompleteLayerUpload accepts what it must not\u{1b}[2J"),
            rules: rules.iter().map(|rule| RuleId::new(rule)).collect(),
            got: got.parse().unwrap(),
            service: Some(Service::Ecr),
            sometimes: false,
        }
    }

    const MATCH: &str = "CompleteLayerUpload/layerDigests/match";
    const NAMES: [&str; 4] = [
        "UploadLayerPart/repositoryName/max-length",
        "UploadLayerPart/repositoryName/min-length",
        "UploadLayerPart/repositoryName/pattern",
        "UploadLayerPart/repositoryName/type",
    ];

    fn parsed(text: &str) -> KnownFile {
        KnownFile::parse(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
    }

    #[test]
    fn entries_are_added_in_the_form_that_is_there() {
        let two = [entry(&[MATCH], "200"), entry(&NAMES, "400 RepositoryNotFoundException")];
        for (before, form) in [
            ("", "known = ["),
            ("# ours\n", "known = ["),
            ("known = []", "known = ["),
            ("known = [\n  # none yet\n]\n", "known = ["),
            (
                "known = [ { rule = \"UploadLayerPart/uploadId/exists\", got = \"200\", reason = \"issue 7\" } ] # all\n",
                "known = [",
            ),
            (
                "known = [\n  { rule = \"UploadLayerPart/uploadId/exists\", got = \"200\", reason = \"a, b\" } # no, comma\n]\n",
                "known = [",
            ),
            (
                "[[known]]\nrule = \"UploadLayerPart/uploadId/exists\"\ngot = \"200\"\nreason = \"issue 7\"",
                "[[known]]\nrule = \"CompleteLayerUpload",
            ),
        ] {
            let file = parsed(before);
            let after = add(before, &file, &two);
            assert!(after.contains(form), "{after}");
            let again = parsed(&after);
            assert_eq!(again.known.len(), file.known.len() + 5, "{after}");
            assert!(again.known.iter().skip(file.known.len()).all(|known| !known.has_reason()), "{after}");
            let new = |known: &&super::super::Known| !known.has_reason();
            assert!(again.known.iter().filter(new).all(|known| known.service == Some(Service::Ecr)), "{after}");
            assert_eq!(after.matches("service = ").count() == 1, file.places.is_empty(), "{after}");
            for line in before.lines().filter(|line| line.contains('#')) {
                assert!(after.contains(line.split('#').nth(1).unwrap()), "{after}");
            }
            assert!(!after.contains('\u{1b}'), "{after:?}");
        }
    }

    /// Each entry is removed in turn; what the others have stays, byte for byte.
    #[test]
    fn what_is_removed_takes_nothing_else_along() {
        let in_line = "# ours\nknown = [\n\n  # section\n\n  # of one\n  { rule = \"UploadLayerPart/uploadId/exists\", got = \"200\", \
                       reason = \"1\" }, # one\n  # of two\n  { rule = \"CompleteLayerUpload/layerDigests/match\", got = \
                       \"200\", reason = \"2\" },\n  { rule = \"CompleteLayerUpload/parts/not-empty\", got = \"200\", \
                       reason = \"3\" }\n]\n";
        let with_heads = "# ours\n\n# of one\n[[known]]\nreason = \"1\" # one\nrule = \"UploadLayerPart/uploadId/exists\"\n\
                          got = \"200\"\n\n# of two\n[[known]]\nrule = \"CompleteLayerUpload/layerDigests/match\"\ngot = \
                          \"200\"\nreason = \"2\"\n[[known]]\n# within\nrule = \"CompleteLayerUpload/parts/not-empty\"\n\
                          got = \"200\"\nreason = \"3\"\n";
        let one_line = "known = [{ rule = \"UploadLayerPart/uploadId/exists\", got = \"200\", reason = \"1\" }, { rule = \
                        \"CompleteLayerUpload/layerDigests/match\", got = \"200\", reason = \"2\" }, { rule = \
                        \"CompleteLayerUpload/parts/not-empty\", got = \"200\", reason = \"3\" }]";
        for text in [in_line, with_heads, one_line] {
            let file = parsed(text);
            for number in 0..3 {
                let after = remove(text, &file, &BTreeSet::from([number]));
                let reasons: Vec<String> = parsed(&after).known.into_iter().map(|known| known.reason).collect();
                let others = (0..3).filter(|other| *other != number).map(|other| (other + 1).to_string());
                assert_eq!(reasons, others.collect::<Vec<_>>(), "{after}");
                assert_eq!(after.contains("# ours"), text.contains("# ours"), "{after}");
                let own = ["# of one", "# of two", "# within"][number];
                // Nothing stands between the second and the third: the comment may be about both.
                let shared = number == 1 && text.contains("# of two");
                assert_eq!(after.contains(own), shared, "{after}");
                assert_eq!(after.contains("# one"), number != 0 && text.contains("# one"), "{after}");
            }
            let none = remove(text, &file, &(0..3).collect());
            assert!(parsed(&none).known.is_empty(), "{none}");
        }
    }

    #[test]
    fn of_a_wildcard_what_is_still_found_stays() {
        let text = "known = [\n  # names\n  { rule = \"UploadLayerPart/repositoryName/*\", got = \"500 without-type\", \
                    reason = \"issue 7\" }, # all\n]\n";
        let file = parsed(text);
        let gone = file.known.iter().position(|known| known.rule == RuleId::new(NAMES[2])).unwrap();
        let after = remove(text, &file, &BTreeSet::from([gone]));
        let again = parsed(&after);
        assert_eq!(again.known.len(), file.known.len() - 1, "{after}");
        assert!(again.known.iter().all(|known| known.rule != RuleId::new(NAMES[2])), "{after}");
        assert!(after.contains("# names") && after.contains("# all") && after.contains("issue 7"), "{after}");
    }
}
