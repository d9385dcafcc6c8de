//! The formats of reports: each is a function from what happened to text, and a row in [`FORMATS`].

use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;

use super::github::github;
use super::har::har;
use super::html::html;
pub use super::input::{Input, MetState};
use super::junit::junit;
use super::markdown::markdown;
use super::result::result;
use super::sarif::sarif;
use super::terminal::{self, plain};
use crate::events::{self, Event};

/// A format.
#[derive(Debug)]
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    render: Render,
}

#[derive(Debug)]
enum Render {
    /// A line an event, as it happens.
    Event(fn(&Event) -> String),
    /// The whole, when all has happened.
    Whole(fn(&Input) -> String),
    /// The whole, with [`Input::states`].
    Measured(fn(&Input) -> String),
}

/// All formats.
pub const FORMATS: &[Format] = &[
    Format { name: "ndjson", about: "the event log, written as things happen", render: Render::Event(events::line) },
    Format { name: "text", about: "what the terminal shows, without colours", render: Render::Whole(text) },
    Format {
        name: "markdown",
        about: "verdict and findings for a CI step summary or an issue, at most 60 kB",
        render: Render::Whole(markdown),
    },
    Format { name: "html", about: "one page to read, without network and scripts", render: Render::Measured(html) },
    Format { name: "junit", about: "JUnit XML for the test view of a CI system", render: Render::Whole(junit) },
    Format { name: "sarif", about: "SARIF 2.1.0 for code scanning, a result per cause", render: Render::Whole(sarif) },
    Format {
        name: "github",
        about: "annotations for a job of GitHub Actions, as workflow commands",
        render: Render::Whole(github),
    },
    Format { name: "har", about: "the recorded exchanges as HAR 1.2", render: Render::Whole(har) },
    Format { name: "json", about: "the whole result for programs, with a JSON Schema", render: Render::Whole(result) },
];

impl Format {
    /// The format with this name.
    pub fn find(name: &str) -> Option<&'static Format> {
        FORMATS.iter().find(|format| format.name == name)
    }

    /// Whether it shows [`Input::states`]. To measure them takes a moment, and the cases of the suite.
    pub fn shows_states(&self) -> bool {
        matches!(self.render, Render::Measured(_))
    }

    /// All names, as a list to read.
    pub fn names() -> String {
        let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
        names.join(", ")
    }

    /// What is written when an event happens; `None` for a format that needs all of them.
    pub fn line(&self, event: &Event) -> Option<String> {
        match self.render {
            Render::Event(line) => Some(line(event)),
            Render::Whole(_) | Render::Measured(_) => None,
        }
    }

    /// What is written at the end; `None` for a format that is written by then.
    pub fn whole(&self, input: &Input) -> Option<String> {
        match self.render {
            Render::Event(_) => None,
            Render::Whole(render) | Render::Measured(render) => Some(render(input)),
        }
    }

    /// The report.
    pub fn render(&self, input: &Input) -> String {
        self.whole(input).unwrap_or_else(|| input.events.iter().filter_map(|event| self.line(event)).collect())
    }
}

fn text(input: &Input) -> String {
    let mut text = terminal::header(&input.summary.started);
    text.extend(input.summary.surveys.iter().map(terminal::survey));
    text += &terminal::report(input.summary, input.detail, input.reasons);
    plain(&text)
}

/// A report that is asked for: `FORMAT=PATH`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct ReportSpec {
    /// How it is rendered.
    pub format: &'static Format,
    /// The file that it goes to.
    pub path: PathBuf,
}

/// A mistake in `FORMAT=PATH`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SpecError {
    /// No format has this name.
    #[error("expected one of the formats {}, found {found:?}", Format::names())]
    Format {
        /// What stands where its name should.
        found: String,
    },
    /// No path.
    #[error("expected FORMAT=PATH (formats: {}), found {found:?}", Format::names())]
    Path {
        /// The whole.
        found: String,
    },
}

impl FromStr for ReportSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<ReportSpec, SpecError> {
        let no_path = || SpecError::Path { found: String::from(text) };
        let (name, path) = text.split_once('=').ok_or_else(no_path)?;
        let format = Format::find(name).ok_or_else(|| SpecError::Format { found: String::from(name) })?;
        if path.is_empty() {
            return Err(no_path());
        }
        Ok(ReportSpec { format, path: PathBuf::from(path) })
    }
}

impl TryFrom<String> for ReportSpec {
    type Error = SpecError;

    fn try_from(text: String) -> Result<ReportSpec, SpecError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_asked_for_by_format_and_path() {
        let spec: ReportSpec = "markdown=a/b=c.md".parse().unwrap();
        assert_eq!((spec.format.name, spec.path), ("markdown", PathBuf::from("a/b=c.md")));
        let names = Format::names();
        for (text, expected) in [
            ("pdf=x", format!("expected one of the formats {names}, found \"pdf\"")),
            ("text=", format!("expected FORMAT=PATH (formats: {names}), found \"text=\"")),
            ("text", format!("expected FORMAT=PATH (formats: {names}), found \"text\"")),
        ] {
            assert_eq!(text.parse::<ReportSpec>().unwrap_err().to_string(), expected);
        }
    }
}
