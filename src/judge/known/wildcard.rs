//! Wildcards: `*/repositoryName/{pattern,type}` stands for rules that share words. An entry with one is the same as an
//! entry for each of its rules, and each of them is watched on its own: a wildcard is shorter, and accepts no more.

use std::collections::{BTreeMap, BTreeSet};

use crate::contract::{Area, Rule, RuleId, Rules, Service};
use crate::judge::{Got, Head};

/// What stands for any word. In the first place, for any operation.
const ANY: &str = "*";

/// Whether a text of a file is a wildcard: `*` is any word, `{a,b}` is one of several.
pub(super) fn is_wildcard(text: &str) -> bool {
    text.split('/').any(|word| word == ANY || alternatives(word).is_some())
}

/// Whether a wildcard names something beside where it applies: what stands for every rule accepts what nobody has seen.
pub(super) fn is_narrow(text: &str) -> bool {
    text.split('/').skip(1).any(|word| word != ANY)
}

/// The words of `{a,b}`.
fn alternatives(word: &str) -> Option<impl Iterator<Item = &str> + Clone> {
    Some(word.strip_prefix('{')?.strip_suffix('}')?.split(','))
}

/// The rules that a wildcard stands for in an entry with this answer, in one service or in all: those that can be broken so.
pub(super) fn expand(text: &str, service: Option<Service>, got: &Got) -> BTreeSet<RuleId> {
    let services = Service::ALL.into_iter().filter(|one| service.is_none_or(|own| own == *one));
    let rules = services.flat_map(|service| Rules::of(service).iter());
    rules.filter(|rule| stands_for(text, rule.id) && may_be_found(rule, got)).map(|rule| rule.id).collect()
}

/// A word that a wildcard names and that none of its rules has.
pub(super) fn unused<'a>(text: &'a str, rules: &BTreeSet<RuleId>) -> Option<&'a str> {
    let is_used = |place: usize, word: &str| rules.iter().any(|rule| words(*rule).nth(place) == Some(word));
    let named = text
        .split('/')
        .enumerate()
        .flat_map(|(place, word)| alternatives(word).into_iter().flatten().map(move |word| (place, word)));
    named.into_iter().find(|(place, word)| !is_used(*place, word)).map(|(_, word)| word)
}

fn stands_for(text: &str, rule: RuleId) -> bool {
    let is = |(place, (wanted, word)): (usize, (&str, &str))| match alternatives(wanted) {
        Some(mut words) => words.any(|one| one == word),
        None if wanted == ANY => place > 0 || rule.operation().is_some(),
        None => wanted == word,
    };
    text.split('/').count() == words(rule).count() && text.split('/').zip(words(rule)).enumerate().all(is)
}

/// The words of an id.
fn words(rule: RuleId) -> impl Iterator<Item = &'static str> + Clone {
    [rule.area().name(), rule.subject(), rule.what()].into_iter().filter(|word| !word.is_empty())
}

/// Whether such an answer can be a finding about a rule: elsewhere it is what the rule asks for, or what the documents
/// leave to the target.
pub fn may_be_found(rule: &Rule, got: &Got) -> bool {
    if rule.id.area() == Area::Always {
        return false;
    }
    if !rule.tier.gates() {
        // Of two faults it is open which is reported, and not that the request is rejected.
        let accepted = matches!(got, Got::Response(Head::Status(200) | Head::Success));
        return got.is_server_fault() || rule.id.subject() == "layers" || (accepted && rule.id.subject() == "faults");
    }
    match got {
        // What must be accepted is accepted by it.
        Got::Response(Head::Status(200) | Head::Success) => !rule.errors.is_empty() || rule.id.is_everywhere(),
        Got::Error { head: Head::Status(400) | Head::Error, name } => !rule.errors.contains(&name.as_str()),
        _ => true,
    }
}

/// Few texts that stand for these rules and for no other, in an entry with this answer for one service or for all.
pub fn fold(rules: &BTreeSet<RuleId>, service: Option<Service>, got: &Got) -> Vec<String> {
    let mut by_subject: BTreeMap<(&str, &str), BTreeSet<RuleId>> = BTreeMap::new();
    for rule in rules {
        let area = if rule.operation().is_some() { ANY } else { rule.area().name() };
        by_subject.entry((area, rule.subject())).or_default().insert(*rule);
    }
    let mut texts = Vec::new();
    for of_subject in by_subject.values() {
        for rectangle in rectangles(of_subject) {
            let short = short(&rectangle).into_iter().find(|text| expand(text, service, got) == rectangle);
            texts.extend(short.map_or_else(|| rectangle.iter().map(RuleId::to_string).collect(), |text| vec![text]));
        }
    }
    texts
}

/// Rules about one thing in sets in which each first word goes with each last one.
fn rectangles(rules: &BTreeSet<RuleId>) -> Vec<BTreeSet<RuleId>> {
    let divided = |row: fn(RuleId) -> &'static str, column: fn(RuleId) -> &'static str| {
        let mut rows: BTreeMap<&str, BTreeSet<RuleId>> = BTreeMap::new();
        for rule in rules {
            rows.entry(row(*rule)).or_default().insert(*rule);
        }
        let mut alike: BTreeMap<Vec<&str>, BTreeSet<RuleId>> = BTreeMap::new();
        for row in rows.into_values() {
            alike.entry(row.iter().map(|rule| column(*rule)).collect()).or_default().extend(row);
        }
        alike.into_values().collect::<Vec<_>>()
    };
    let (by_first, by_last) = (divided(first, RuleId::what), divided(RuleId::what, first));
    if by_first.len() <= by_last.len() { by_first } else { by_last }
}

fn first(rule: RuleId) -> &'static str {
    rule.area().name()
}

/// Texts that may stand for the rules of a rectangle, the shortest first.
fn short(rules: &BTreeSet<RuleId>) -> Vec<String> {
    let Some(subject) = rules.first().map(|rule| rule.subject()) else { return Vec::new() };
    let words = |word: fn(RuleId) -> &'static str| rules.iter().map(|rule| word(*rule)).collect::<BTreeSet<_>>();
    let named = |words: &BTreeSet<&str>| match words.iter().collect::<Vec<_>>().as_slice() {
        [one] => vec![String::from(**one)],
        _ => vec![String::from(ANY), format!("{{{}}}", words.iter().copied().collect::<Vec<_>>().join(","))],
    };
    let mut texts = Vec::new();
    for area in named(&words(first)) {
        for what in named(&words(RuleId::what)) {
            let all = [area.as_str(), subject, what.as_str()];
            texts.push(all.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join("/"));
        }
    }
    texts.retain(|text| is_narrow(text));
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Operation;

    fn got(code: &str) -> Got {
        code.parse().unwrap()
    }

    fn rules(texts: &[&str]) -> BTreeSet<RuleId> {
        let all = texts.iter().flat_map(|text| {
            let found =
                Rules::of(Service::Ecr).iter().filter(move |rule| stands_for(text, rule.id)).map(|rule| rule.id);
            found.collect::<Vec<_>>()
        });
        all.collect()
    }

    #[test]
    fn a_wildcard_stands_for_whole_words() {
        let names = |text: &str| rules(&[text]).len();
        assert_eq!(names("UploadLayerPart/uploadId/exists"), 1);
        assert!(names("*/uploadId/exists") > 1);
        assert!(names("*/uploadId/*") > names("*/uploadId/exists"));
        assert_eq!(names("*/upload/*"), 0, "no part of a word");
        assert_eq!(names("*/body/json"), 0, "in the first place it is an operation");
        assert!(rules(&["*/uploadId/*"]).iter().all(|rule| rule.subject() == "uploadId"));
        assert_eq!(names("{UploadLayerPart,CompleteLayerUpload}/uploadId/{exists,type}"), 4);
        assert_eq!(unused("*/uploadId/{exists,typ}", &rules(&["*/uploadId/exists"])), Some("typ"));
        for wide in ["*/*/*", "*/*", "*", "UploadLayerPart/*/*", "wire/*/*"] {
            assert!(is_wildcard(wide) && !is_narrow(wide), "{wide}");
        }
        for narrow in
            ["{UploadLayerPart,PutImage}/uploadId/exists", "*/uploadId/*", "*/*/pattern", "wire/body/*", "*/known"]
        {
            assert!(is_wildcard(narrow) && is_narrow(narrow), "{narrow}");
        }
    }

    #[test]
    fn a_wildcard_leaves_out_what_such_an_answer_is_right_for() {
        let not_found = got("400 RepositoryNotFoundException");
        let of = |got: &Got| expand("UploadLayerPart/repositoryName/*", Some(Service::Ecr), got);
        let all = of(&not_found);
        assert!(all.contains(&RuleId::of(Operation::UploadLayerPart, "repositoryName/pattern")), "{all:?}");
        assert!(!all.contains(&RuleId::of(Operation::UploadLayerPart, "repositoryName/exists")), "{all:?}");
        let crashes = of(&got("500 without-type"));
        assert!(crashes.contains(&RuleId::of(Operation::UploadLayerPart, "repositoryName/exists")), "{crashes:?}");
    }

    /// What is folded stands for the same rules again, whatever they are: no rule that is kept is hidden.
    #[test]
    fn what_is_folded_hides_nothing() {
        for service in [Some(Service::Ecr), Some(Service::EcrPublic), None] {
            let services = Service::ALL.into_iter().filter(|one| service.is_none_or(|own| own == *one));
            let rules: Vec<&Rule> = services.flat_map(|service| Rules::of(service).iter()).collect();
            for code in ["200", "500 without-type", "400 RepositoryNotFoundException", "no-response"] {
                let got = got(code);
                let all = rules.iter().filter(|rule| may_be_found(rule, &got)).map(|rule| rule.id);
                let all: BTreeSet<RuleId> = all.collect();
                for step in 1..=4 {
                    // Some rules of each member are kept.
                    let broken = all.iter().enumerate().filter(|(place, _)| step == 1 || place % step != 0);
                    let broken: BTreeSet<RuleId> = broken.map(|(_, rule)| *rule).collect();
                    let texts = fold(&broken, service, &got);
                    let again = texts.iter().flat_map(|text| match is_wildcard(text) {
                        true => expand(text, service, &got),
                        false => broken.iter().filter(|rule| rule.to_string() == *text).copied().collect(),
                    });
                    let again: Vec<RuleId> = again.collect();
                    assert_eq!(again.len(), broken.len(), "{service:?} {code} {step}: no rule twice");
                    assert_eq!(again.into_iter().collect::<BTreeSet<_>>(), broken, "{service:?} {code} {step}");
                    assert!(step > 1 || texts.len() < broken.len() / 2, "{service:?} {code}: {texts:?}");
                }
            }
        }
    }
}
