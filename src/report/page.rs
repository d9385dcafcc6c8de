//! A case, or a rule, with all that is known of it: what `list` and `explain` print.

use std::fmt::Write as _;

use super::reference::{RuleUrl, place};
use super::terminal::{BOLD, DIM};
use crate::case::{Case, Heading, StepRole};
use crate::contract::{Rule, Service, Tier};
use crate::events::Guide;
use crate::expect::short;
use crate::template::shown;

/// One case, for `list`.
pub fn case_line(case: &Heading) -> String {
    format!("{:<10} {:<11} {}: {}", case.service, case.tier, case.id, case.title)
}

/// One case with all that is known of it, for `explain`.
pub fn case_page(case: &Case, guide: Option<&Guide>) -> String {
    let mut text = format!("{BOLD}{}{BOLD:#} ({})\n{}\n", case.id, case.service, shown(&case.title));
    if !case.about.is_empty() {
        let _ = writeln!(text, "\n{}", case.about);
    }
    if case.is_race() {
        let _ = writeln!(
            text,
            "\nTried in {} rounds. What is allowed is what some order of the calls explains.",
            case.rounds
        );
    }
    for step in &case.steps {
        let body: String = step.request.body.shown().chars().take(600).collect();
        let word = match step.role {
            StepRole::SetUp => "set-up",
            StepRole::Attempt => "attempt, not judged",
            StepRole::Focus => "judged",
            StepRole::Probe => "looked at afterwards",
        };
        let word = if step.at_once { format!("{word}, at once with the step before it") } else { String::from(word) };
        let _ =
            writeln!(text, "\n  {BOLD}{}{BOLD:#} {DIM}{word}{DIM:#}\n    {} {body}", step.name, step.operation_name());
        if matches!(step.role, StepRole::Focus | StepRole::Probe) {
            let _ = writeln!(
                text,
                "    allowed   {}",
                step.expect
                    .outcomes
                    .iter()
                    .map(|outcome| outcome.to_string())
                    .collect::<Vec<_>>()
                    .join("\n           or ")
            );
            let _ = writeln!(text, "    rule      {}, {}", step.expect.rule, step.expect.tier);
            if let Some(url) = RuleUrl::of(guide, case.service, step.expect.rule) {
                let _ = writeln!(text, "    guide     {url}");
            }
            for source in &step.expect.sources {
                let _ =
                    writeln!(text, "    source    {} ({})\n              {}", source.what, source.edition, source.url);
            }
            if let Some(basis) = &step.expect.error_basis {
                let _ = writeln!(text, "    error     {}", basis.tier);
                for source in &basis.sources {
                    let _ = writeln!(
                        text,
                        "    source    {} ({})\n              {}",
                        source.what, source.edition, source.url
                    );
                }
            }
        }
        if !step.only_if.is_empty() {
            let _ = writeln!(text, "    goes on   only from {}", short(&step.only_if));
        }
    }
    text
}

/// One rule with all that is known of it, for `explain`.
pub fn rule_page(service: Service, rule: &Rule, cases: &[&Heading], guide: Option<&Guide>) -> String {
    let mut text = format!("{BOLD}{}{BOLD:#} ({service}), {}\n{}\n\n", rule.id, rule.tier, rule.statement);
    match (rule.errors.as_slice(), rule.tier) {
        ([], _) if rule.id.is_everywhere() => text += "  judged    on every answer, or by the survey\n",
        ([], _) => text += "  allowed   success\n",
        (errors, Tier::Open) => {
            let _ = writeln!(
                text,
                "  allowed   anything but a server fault; recorded; likely are success, {}",
                errors.join(", ")
            );
        }
        (errors, _) => {
            let _ = writeln!(text, "  allowed   {}", errors.join(" or "));
        }
    }
    for source in &rule.sources {
        let _ = writeln!(text, "  source    {} ({})\n            {}", source.what, source.edition, source.url);
    }
    if let Some(basis) = &rule.error_basis {
        let _ = writeln!(text, "  error     {}", basis.tier);
        for source in &basis.sources {
            let _ = writeln!(text, "  source    {} ({})\n            {}", source.what, source.edition, source.url);
        }
    }
    let page = RuleUrl::of(guide, service, rule.id).map_or_else(|| place(service, rule.id), |url| url.to_string());
    let _ = writeln!(text, "  guide     {page}");
    for case in cases {
        let _ = writeln!(text, "  case      {}: {}", case.id, case.title);
    }
    text
}
