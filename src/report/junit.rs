//! The report as JUnit XML, for the test view of a CI system: a test suite a service, a test case a case.
//!
//! A case with a finding that gates fails, with the sentence of the finding as its message and its rule as its type; one
//! that is inconclusive has an error. One whose findings are all known or of a grade that does not gate is skipped, with
//! that reason: it must not be shown as passed. It is valid by the schema of Jenkins and, but for what is skipped, by that
//! of Ant: `.ci/junit` asks both. What a target or a file says is escaped by the writer, control characters are left out.

use std::fmt::Write as _;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::input::Input;
use super::reference::RuleUrl;
use super::summary::{Group, Summary};
use super::terminal::{self, plain};
use crate::contract::{Service, Source};
use crate::events::Judged;
use crate::judge::{Finding, Verdict, words};
use crate::template::shown;

/// The report.
pub(super) fn junit(input: &Input) -> String {
    let summary = input.summary;
    let mut report = Report::new("ecrspec");
    for (place, service) in summary.started.services.iter().enumerate() {
        let mut suite = suite(summary, service.name(), place);
        suite.add_test_cases(summary.surveys.iter().filter(|survey| survey.service == *service).map(|survey| {
            let findings: Vec<&Finding> = survey.findings.iter().collect();
            of_findings(input, *service, None, &findings, TestCaseStatus::success())
        }));
        let cases = summary.cases.iter().filter(|judged| judged.service == *service);
        suite.add_test_cases(cases.map(|judged| case(input, judged)));
        add(&mut report, suite);
    }
    add(&mut report, run(input, summary.started.services.len()));
    // It writes to memory, and what is no character of XML has been left out.
    let text = report.to_string().unwrap_or_else(|error| format!("<!-- {error} -->"));
    without_totals(text)
}

/// A test suite with what the schema of Ant demands of one.
fn suite(summary: &Summary, name: &str, place: usize) -> TestSuite {
    let mut suite = TestSuite::new(name);
    let demanded = [
        ("package", String::from("ecrspec")),
        ("id", place.to_string()),
        // Where the tests ran. By that schema it is this where nobody looks.
        ("hostname", String::from("localhost")),
        // Without a zone, which that schema does not let through.
        ("timestamp", summary.started.at.strftime("%Y-%m-%dT%H:%M:%S").to_string()),
    ];
    suite.extra.extend(demanded.map(|(name, value)| (name.into(), value.into())));
    suite.add_property(Property::new("target", summary.started.target.as_str()));
    suite.add_property(Property::new("ecrspec", summary.started.ecrspec.as_str()));
    suite
}

/// Adds a suite that has all its tests.
fn add(report: &mut Report, mut suite: TestSuite) {
    for test in &mut suite.test_cases {
        test.time.get_or_insert(Duration::ZERO);
    }
    let time = suite.test_cases.iter().filter_map(|test| test.time).sum();
    suite.set_time(time).set_system_err("");
    suite.system_out.get_or_insert_with(|| "".into());
    report.add_test_suite(suite);
}

/// The writer sums up in the outermost element too, for which the schema of Ant has no attribute.
fn without_totals(text: String) -> String {
    let Some((before, rest)) = text.split_once("<testsuites ") else { return text };
    let Some((_, after)) = rest.split_once('>') else { return text };
    format!("{before}<testsuites>{after}")
}

/// The run itself, as a test: it fails wherever the verdict is not green for another reason than findings.
fn run(input: &Input, place: usize) -> TestSuite {
    let mut suite = suite(input.summary, "ecrspec", place);
    let verdict = plain(&terminal::verdict(input.summary, input.reasons, input.detail.reader));
    let mut status = TestCaseStatus::success();
    if !input.reasons.is_empty() {
        status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(verdict.trim()).set_type("verdict");
    }
    let mut test = TestCase::new("verdict", status);
    test.set_classname("ecrspec");
    suite.set_system_out(verdict.trim());
    suite.add_test_case(test);
    suite
}

fn case(input: &Input, judged: &Judged) -> TestCase {
    let with = |mut status: TestCaseStatus, message: String| {
        status.set_message(message);
        status
    };
    let mut test = match &judged.verdict {
        Verdict::Pass => TestCase::new(judged.case.as_str(), TestCaseStatus::success()),
        Verdict::Skipped { reason } => {
            TestCase::new(judged.case.as_str(), with(TestCaseStatus::skipped(), reason.to_string()))
        }
        Verdict::Inconclusive { reason } => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("inconclusive");
            TestCase::new(judged.case.as_str(), with(status, format!("inconclusive: {reason}")))
        }
        Verdict::Fail { findings } => {
            let findings: Vec<&Finding> = findings.iter().collect();
            let message = String::from("its findings are known, or of grades that do not gate");
            let accepted = with(TestCaseStatus::skipped(), message);
            of_findings(input, judged.service, Some(judged), &findings, accepted)
        }
    };
    test.set_classname(format!("{}.{}", judged.service, judged.area().replace('.', "-")));
    test.set_time(Duration::from_millis(judged.millis));
    test
}

/// A test with these findings: failed where one of them gates, `otherwise` where none does.
fn of_findings(
    input: &Input,
    service: Service,
    judged: Option<&Judged>,
    findings: &[&Finding],
    otherwise: TestCaseStatus,
) -> TestCase {
    let id = judged.map_or("survey", |judged| judged.case.as_str());
    let summary = input.summary;
    let gates = |finding: &&Finding| summary.groups.iter().any(|group| has(group, service, id, finding));
    let gating: Vec<&Finding> = findings.iter().copied().filter(gates).collect();
    let Some(first) = gating.first() else {
        let mut test = TestCase::new(id, otherwise);
        test.set_classname(format!("{service}.survey"));
        return test;
    };
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(first.sentence()).set_type(first.rule.to_string());
    let mut text = judged.map_or_else(String::new, |judged| format!("{}\n", shown(&judged.title)));
    gating.iter().for_each(|finding| describe(&mut text, summary, service, finding));
    let _ = writeln!(text, "replay    {}", terminal::again(summary, service, id, input.detail.reader));
    status.set_description(text);
    let mut test = TestCase::new(id, status);
    test.set_classname(format!("{service}.survey"));
    test
}

/// Whether a finding of a case, or of the survey, is one of a group.
fn has(group: &Group, service: Service, id: &str, finding: &Finding) -> bool {
    let of_case = group.cases.iter().any(|(of, case)| *of == service && case == id);
    let of_survey = id == "survey" && group.services.contains(&service);
    (of_case || of_survey) && group.finding.cause() == finding.cause()
}

fn describe(text: &mut String, summary: &Summary, service: Service, finding: &Finding) {
    let _ = writeln!(text, "\n{}", finding.sentence());
    let _ = writeln!(text, "grade     {}: {}", finding.grade, words::grade(finding));
    let _ = writeln!(text, "rule      {}, {}", finding.rule, finding.strength());
    if let Some(url) = RuleUrl::of(summary.started.guide.as_ref(), service, finding.rule) {
        let _ = writeln!(text, "guide     {url}");
    }
    if finding.accept_as != finding.rule {
        let _ = writeln!(text, "accept as {}", finding.accept_as);
    }
    for source in finding.sources.iter().filter_map(|id| Source::find(id)).take(3) {
        let _ = writeln!(text, "source    {} ({}), {}", source.what, source.edition, source.url);
    }
    let _ = writeln!(text, "expected  {}", words::expected(&finding.expected));
    let _ = writeln!(text, "got       {}", finding.got.code());
}
