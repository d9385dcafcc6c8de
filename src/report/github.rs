//! The report as workflow commands of GitHub Actions, which the log of a step makes annotations of: one a cause, then
//! warnings, and the verdict where nothing else says it.
//!
//! A step shows ten annotations of a kind, and the first ones win: what does not fit is counted in the last.

use super::input::Input;
use super::reference::RuleUrl;
use super::summary::Group;
use super::terminal::{self, number_of, plain};
use crate::judge::{Grade, words};

/// How many there are at most.
const MOST: usize = 10;

/// How much of one text is shown, in characters.
const LONGEST: usize = 1000;

/// The commands, a line each.
pub(super) fn github(input: &Input) -> String {
    let summary = input.summary;
    let verdict = plain(&terminal::verdict(summary, input.reasons, input.detail.reader));
    let mut commands: Vec<String> = summary.groups.iter().map(|group| cause(input, group)).collect();
    if commands.is_empty() {
        let kind = if input.reasons.is_empty() { "notice" } else { "error" };
        commands.push(command(kind, "ecrspec", verdict.trim()));
    }
    commands.extend(summary.warnings().iter().map(|warning| command("warning", "ecrspec", warning)));
    if commands.len() > MOST {
        let left_out = commands.len() - (MOST - 1);
        commands.truncate(MOST - 1);
        let text = format!("{} not shown here. {}", number_of(left_out, "more annotation"), verdict.trim());
        let kind = if summary.groups.is_empty() { "warning" } else { "error" };
        commands.push(command(kind, "ecrspec", &text));
    }
    commands.concat()
}

fn cause(input: &Input, group: &Group) -> String {
    let found = &group.finding;
    let kind = if found.grade > Grade::Error { "warning" } else { "error" };
    let (service, case) = match &group.smallest {
        Some(smallest) => (Some(smallest.service), smallest.case.as_str()),
        None => (group.services.first().copied(), "survey"),
    };
    let replay = service.map(|service| terminal::again(input.summary, service, case, input.detail.reader));
    let guide = RuleUrl::of_group(input.summary, group);
    let lines = [
        Some(format!("expected {}, got {}", words::expected(&found.expected), found.got.code())),
        Some(format!("rule {}, {}; {}", found.rule, found.strength(), number_of(group.cases.len().max(1), "case"))),
        guide.map(|url| url.to_string()),
        replay,
    ];
    let text: Vec<String> = lines.into_iter().flatten().collect();
    command(kind, &format!("{}: {}", found.grade, group.sentence()), &text.join("\n"))
}

/// A workflow command: no text in it can end it, or begin another one.
fn command(kind: &str, title: &str, text: &str) -> String {
    let title = escaped(&shortened(title)).replace(':', "%3A").replace(',', "%2C");
    format!("::{kind} title={title}::{}\n", escaped(&shortened(text)))
}

fn shortened(text: &str) -> String {
    let mut kept: String = text.chars().take(LONGEST).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    kept
}

fn escaped(text: &str) -> String {
    let letters = text.chars().map(|letter| match letter {
        '\n' | '\r' => letter,
        other => crate::wire::envelope::visible(other),
    });
    letters.collect::<String>().replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_a_command() {
        assert_eq!(
            command("error", "a: b, 50%\n::stop", "c: d, %0A\r\n::error::e"),
            "::error title=a%3A b%2C 50%25%0A%3A%3Astop::c: d, %250A%0D%0A::error::e\n"
        );
        assert_eq!(
            command("error", "\u{1b}[2J", &"x".repeat(2000)).chars().filter(|letter| *letter == 'x').count(),
            LONGEST
        );
    }
}
