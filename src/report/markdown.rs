//! The report as Markdown, for the step summary of a CI job or an issue.
//!
//! What a target or a file says is escaped: it stands there as text and cannot become a heading, a link, HTML or a
//! mention. A page has at most [`MAX`] bytes; what does not fit is counted.

use std::fmt::Write as _;

use super::input::Input;
use super::reference::RuleUrl;
use super::summary::{Group, StaleEntry, Summary};
use super::terminal::{self, Reader, number_of, plain};
use crate::contract::{Rules, Service, Source};
use crate::judge::words;
use crate::template::shown;
use crate::wire::Shows;
use crate::wire::envelope::visible;

/// How many bytes a page has at most: a comment on GitHub holds 65,536 characters, a step summary 1 MiB.
pub const MAX: usize = 60_000;

/// How much of one text of a target or a file is shown, in characters.
const LONGEST: usize = 300;

/// What is kept free for the lines that say what is left out.
const RESERVE: usize = 500;

/// The page.
pub(super) fn markdown(input: &Input) -> String {
    let summary = input.summary;
    let verdict = plain(&terminal::verdict(summary, input.reasons, input.detail.reader));
    let (word, counts) = verdict.trim().split_once("  ").unwrap_or((verdict.trim(), ""));
    let mut page = Page { text: format!("## ecrspec: {word}\n\n{}\n\n", text(counts)), left_out: 0 };
    page.add(&identity(summary));
    page.list("Warnings", summary.warnings().iter().map(|warning| text(warning)));
    if !summary.groups.is_empty() {
        page.add(&format!("\n### Findings: {}\n", number_of(summary.groups.len(), "cause")));
    }
    for (index, group) in summary.groups.iter().enumerate() {
        page.add(&finding(summary, index + 1, group, input.detail.reader));
    }
    let known = summary.known.iter().map(|group| ("known", group));
    let tolerated = summary.tolerated.iter().map(|group| ("does not gate", group));
    page.list("Known and tolerated", known.chain(tolerated).map(|(word, group)| accepted(summary, word, group)));
    page.list(
        "Newer than the suite that gates",
        summary
            .newer()
            .map(|newer| text(&newer))
            .into_iter()
            .chain(summary.waiting.iter().map(|group| accepted(summary, "waits", group))),
    );
    let stale = |entry: StaleEntry| {
        let only = entry.only().map_or_else(String::new, |rules| format!(" for {}", code(&rules)));
        let StaleEntry { stale, text: rule, got, reason, .. } = entry;
        format!("{}: {}{only}, got {} ({})", text(&stale.to_string()), code(&rule), code(&got.code()), text(&reason))
    };
    page.list("Known deviations that are none any more", summary.stale_entries().into_iter().map(stale));
    let unjudged = terminal::unjudged(summary)
        .into_iter()
        .map(|one| format!("{}: {}, {}", number_of(one.cases.len(), "case"), one.word, text(&one.reason)));
    page.list("Not judged", unjudged.chain(terminal::unseen(summary).map(|unseen| text(&unseen))));
    page.done(input.detail.reader)
}

/// A text that does not grow beyond [`MAX`].
struct Page {
    text: String,
    left_out: usize,
}

impl Page {
    /// Adds a block; after one that does not fit, none.
    fn add(&mut self, block: &str) {
        if self.left_out > 0 || self.text.len() + block.len() + RESERVE > MAX {
            self.left_out += 1;
        } else {
            self.text += block;
        }
    }

    fn list(&mut self, title: &str, items: impl Iterator<Item = String>) {
        for (index, item) in items.enumerate() {
            let title = if index == 0 { format!("\n### {title}\n\n") } else { String::new() };
            self.add(&format!("{title}- {item}\n"));
        }
    }

    fn done(mut self, reader: Reader) -> String {
        if self.left_out > 0 {
            let left_out = number_of(self.left_out, "more block");
            let all = match reader {
                Reader::CommandLine => "; `ecrspec report LOG` shows all",
                Reader::Test => "",
            };
            let _ = writeln!(self.text, "\n{left_out} did not fit in here{all}.");
        }
        self.text
    }
}

/// What was tested, how, and what it scores.
fn identity(summary: &Summary) -> String {
    let started = &summary.started;
    let services: Vec<String> = started.services.iter().map(Service::to_string).collect();
    let mut page = format!("- **target** {}\n", code(&started.target));
    if started.driver.shows != Shows::Http {
        let _ = writeln!(page, "- **driver** {}", text(&started.driver.name));
    }
    let cases = if started.cases > 0 { number_of(started.cases, "case") } else { String::from("random sequences") };
    let seed = started.seed.map_or_else(String::new, |seed| format!(", seed {seed}"));
    let run = format!("ecrspec {}, {cases}, {}{seed}", started.ecrspec, services.join(" and "));
    let _ = writeln!(page, "- **run** {}, {}", text(&run), started.at.strftime("%Y-%m-%d %H:%M UTC"));
    if !started.options.is_empty() {
        let _ = writeln!(page, "- **options** {}", code(&started.options.join(", ")));
    }
    for survey in &summary.surveys {
        let line = plain(&terminal::survey(survey));
        let (service, facts) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let _ = writeln!(page, "- **{service}** {}", text(facts.trim()));
    }
    if let Some(scores) = summary.scores() {
        let _ = writeln!(page, "- **scores** {scores}");
    }
    page
}

/// One cause: what is wrong, why that is wrong, and how to see it again.
fn finding(summary: &Summary, number: usize, group: &Group, reader: Reader) -> String {
    let found = &group.finding;
    let mut page = format!("\n#### {number}. {}\n\n", text(&found.sentence_for(&group.about)));
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(page, "- **{key}** {value}");
    };
    line("grade", &format!("{}: {}", found.grade, words::grade(found)));
    let rule = group.services.first().and_then(|service| Rules::of(*service).get(found.rule));
    let says = rule.map_or_else(String::new, |rule| format!(": {}", text(&rule.statement)));
    line("rule", &format!("{}, {}{says}", rule_link(summary, group), found.strength()));
    for source in found.sources.iter().filter_map(|id| Source::find(id)).take(3) {
        line("source", &format!("[{} ({})]({})", text(source.what), text(source.edition), source.url));
    }
    line("expected", &code(&words::expected(&found.expected)));
    line("got", &code(&found.got.code()));
    if let Some(witness) = &found.witness {
        line("seen", &format!("in {} of {}", witness.seen, number_of(witness.rounds, "round")));
        witness.calls.iter().take(8).for_each(|call| line("call", &code(call)));
    }
    let mut commands = Vec::new();
    match &group.smallest {
        Some(smallest) => {
            line("smallest", &format!("{}: {}", code(&smallest.case), text(&shown(&smallest.title))));
            let count = |service: &Service| group.cases.iter().filter(|(of, _)| of == service).count();
            let counts: Vec<String> =
                group.services.iter().map(|service| format!("{} in {service}", count(service))).collect();
            line("cases", &counts.join(", "));
            commands.push(terminal::again(summary, smallest.service, &smallest.case, reader));
            let script = || terminal::script(&summary.started, smallest);
            commands.extend((reader == Reader::CommandLine).then(script).flatten());
        }
        None => {
            line("found by", "the survey, before the first case");
            commands.extend(group.services.first().map(|service| terminal::again(summary, *service, "survey", reader)));
        }
    }
    let language = if reader == Reader::CommandLine { "sh" } else { "rust" };
    page + &block(language, &commands)
}

fn accepted(summary: &Summary, word: &str, group: &Group) -> String {
    let sentence = text(&group.finding.sentence_for(&group.about));
    let cases = number_of(group.cases.len(), "case");
    format!("{word}: {sentence} ({}, {}, {cases})", group.finding.grade, rule_link(summary, group))
}

/// The rule that a cause breaks, and where the guide has it, if that is known.
pub(super) fn rule_link(summary: &Summary, group: &Group) -> String {
    let rule = code(&group.finding.rule.to_string());
    RuleUrl::of_group(summary, group).map_or_else(|| rule.clone(), |url| format!("[{rule}]({url})"))
}

/// Commands as a block of code. One that is cut would be none.
fn block(language: &str, commands: &[String]) -> String {
    const TOO_LONG: usize = 2000;
    let commands: Vec<&str> = commands.iter().map(String::as_str).filter(|command| command.len() <= TOO_LONG).collect();
    if commands.is_empty() {
        return String::new();
    }
    fenced(language, &commands.join("\n"))
}

/// A block of code, whatever is in it.
pub(super) fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("\n{fence}{language}\n{text}\n{fence}\n")
}

/// A text that stands there as it is: nothing in it is markup.
pub(super) fn text(from: &str) -> String {
    let mut out = String::new();
    let shortened = shortened(from);
    for (index, letter) in shortened.char_indices() {
        let (before, after) = (&shortened[..index], &shortened[index + letter.len_utf8()..]);
        let is_markup = "\\`*_{[]<>&|~$#!^".contains(letter);
        // Addresses become links by themselves.
        let is_address = (letter == ':' && after.starts_with('/')) || (letter == '.' && before.ends_with(['w', 'W']));
        if is_markup || is_address {
            out.push('\\');
        }
        out.push(letter);
        if letter == '@' {
            out.push('\u{200b}'); // Without which it could be a mention, or the address of a mail.
        }
    }
    out
}

/// A text as code. What is in it is neither markup nor a mention.
pub(super) fn code(from: &str) -> String {
    let text = shortened(from);
    if text.trim().is_empty() {
        return String::from("(nothing)");
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// A text on one line, not too long, with nothing in it that acts on a terminal.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut kept: String = line.chars().take(LONGEST).map(visible).collect();
    if kept.len() < line.len() && line.chars().count() > LONGEST {
        kept.push('…');
    }
    kept
}

/// The longest run of backticks in a text.
fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        for (from, expected) in [
            ("a digest that does not match", "a digest that does not match"),
            ("<img src=x> [a](b) *c*", r"\<img src=x\> \[a\](b) \*c\*"),
            ("https://a www.b @all\n# c", "https\\://a www\\.b @\u{200b}all \\# c"),
            ("\u{1b}[2J", "\u{fffd}\\[2J"),
        ] {
            assert_eq!(text(from), expected, "{from:?}");
        }
        assert_eq!(text(&"a".repeat(1000)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn code_ends_where_it_should() {
        for (from, expected) in
            [("200", "`200`"), ("a`b", "``a`b``"), ("``x", "``` ``x ```"), ("a\n\nb", "`a b`"), (" \n", "(nothing)")]
        {
            assert_eq!(code(from), expected, "{from:?}");
        }
        assert_eq!(block("sh", &[String::from("a ``` b")]), "\n````sh\na ``` b\n````\n");
        assert_eq!(block("sh", &["x".repeat(5000)]), "");
    }

    #[test]
    fn a_page_does_not_grow_beyond_its_size() {
        let mut page = Page { text: String::new(), left_out: 0 };
        page.list("Many", (0..1000).map(|_| "x".repeat(100)));
        let text = page.done(Reader::CommandLine);
        assert!(text.len() <= MAX && text.len() > MAX - 1000, "{}", text.len());
        assert!(text.ends_with(" more blocks did not fit in here; `ecrspec report LOG` shows all.\n"));
    }
}
