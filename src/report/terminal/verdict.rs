//! The last line: alone it is enough.

use std::fmt::Write as _;

use super::{GREEN, RED, Reader, YELLOW, number_of};
use crate::events::{EMBEDDED_MOCK, Started};
use crate::judge::Grade;
use crate::report::summary::{Counts, Reason, Summary};
use crate::wire::Trust;

/// The verdict in a word or two.
pub(in crate::report) fn word(reasons: &[Reason]) -> &'static str {
    match reasons.first() {
        None => "PASS",
        Some(Reason::Findings | Reason::Warnings) => "FAIL",
        Some(Reason::Interrupted) => "INTERRUPTED",
        Some(Reason::NothingRun | Reason::SetUp) => "NOT JUDGED",
        Some(_) => "NOT CLEAN",
    }
}

/// The last line.
pub(in crate::report) fn verdict(summary: &Summary, reasons: &[Reason], reader: Reader) -> String {
    let counts = summary.counts(|_| true);
    let words: Vec<String> = reasons.iter().map(|reason| because(*reason, summary, &counts, reader)).collect();
    let code = reasons.first().map_or(0, |reason| reason.code());
    let word = word(reasons);
    let style = match reasons.first() {
        None => GREEN,
        Some(Reason::Findings | Reason::Warnings | Reason::NothingRun | Reason::SetUp) => RED,
        Some(_) => YELLOW,
    };
    let (judged, passed) = summary.judged();
    let tested = tested(&summary.started);
    let mut text = format!("{style}{word}{style:#}  {tested}: {} judged, {passed} ok", number_of(judged, "case"));
    for (number, word) in [
        (summary.searched.map_or(0, |searched| searched.repeated), "for causes that were reported earlier"),
        (counts.tolerated, "known or tolerated"),
        (counts.inconclusive, "inconclusive"),
        (counts.skipped, "skipped"),
    ] {
        if number > 0 {
            let _ = write!(text, ", {number} {word}");
        }
    }
    if !words.is_empty() {
        let _ = write!(text, "; {}", words.join("; "));
    }
    let seconds = summary.finished.as_ref().map(|finished| format!("{:.1} s", finished.seconds));
    let exit = (reader == Reader::CommandLine).then(|| format!("exit {code}"));
    let ends: Vec<String> = seconds.into_iter().chain(exit).collect();
    text += &if ends.is_empty() { String::from("\n") } else { format!(" ({})\n", ends.join(", ")) };
    text
}

/// What the verdict is about: a run that forgot its endpoint must not read like one of a server.
fn tested(started: &Started) -> String {
    let services: Vec<&str> = started.services.iter().map(|service| service.name()).collect();
    let nothing = if started.target == EMBEDDED_MOCK { ", no server was tested" } else { "" };
    let insecure = if started.trust == Trust::Anyone { ", insecure" } else { "" };
    format!("{} ({}){nothing}{insecure}", started.target, services.join(", "))
}

pub(in crate::report) fn because(reason: Reason, summary: &Summary, counts: &Counts, reader: Reader) -> String {
    match reason {
        Reason::Interrupted => String::from("interrupted"),
        Reason::Harness => String::from("a fault of ecrspec"),
        Reason::Usage => String::from("a report could not be written"),
        Reason::SetUp => String::from("set-up failed before anything could be judged"),
        Reason::Findings if counts.failed == 0 => {
            format!("{} by the survey", number_of(summary.groups.len(), "finding"))
        }
        Reason::Findings => {
            let grades: Vec<String> = Grade::ALL
                .into_iter()
                .map(|grade| (grade, summary.groups.iter().filter(|group| group.finding.grade == grade).count()))
                .filter(|(_, count)| *count > 0)
                .map(|(grade, count)| format!("{count} {grade}"))
                .collect();
            let (cases, causes) = (number_of(counts.failed, "case"), number_of(summary.groups.len(), "cause"));
            format!("{cases} failed, {causes} ({})", grades.join(", "))
        }
        Reason::Warnings => match reader {
            Reader::CommandLine => String::from("warnings, and --deny-warnings"),
            Reader::Test => String::from("warnings"),
        },
        Reason::KnownTrouble => {
            let how = match reader {
                Reader::CommandLine => ": see `ecrspec known prune`",
                Reader::Test => "",
            };
            let stale = summary.stale_entries().len();
            let verb = if stale == 1 { "matches" } else { "match" };
            format!("{} no longer {verb} what was found{how}", number_of(stale, "known deviation"))
        }
        Reason::Unfinished => format!("unfinished: {}", summary.unfinished().unwrap_or_default()),
        Reason::Inconclusive if counts.inconclusive == 0 => String::from("a service could not be surveyed"),
        Reason::Inconclusive => format!("{} inconclusive", number_of(counts.inconclusive, "case")),
        Reason::NothingRun if summary.started.cases == 0 => {
            let ids = match reader {
                Reader::CommandLine => "`ecrspec list` shows them; ",
                Reader::Test => "",
            };
            format!("nothing was run: no case has such an id ({ids}upper and lower case differ)")
        }
        Reason::NothingRun => String::from("nothing was run"),
    }
}
