//! The report as one HTML file, which needs nothing else: no network, and no scripts. A script only filters, sorts and folds.
//!
//! What a target or a file says is escaped by `markup::Html`, and nothing but this page's own script may run or load
//! anything (`policy`). Of [`MAX`] bytes, rows of cases come first, then exchanges: those of the smallest case of each
//! cause, then those of the others as far as they go.

mod cases;
mod exchanges;
mod findings;
mod grids;
mod index;
mod markup;
mod overview;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::input::Input;
use super::terminal;
use index::Entry;
use markup::{Href, Html};

/// How many bytes a page has at most: more is no page that anybody scrolls. Only what must be said goes beyond it.
pub const MAX: usize = 1_950_000;

/// About what a row of a case takes.
const ROW: usize = 260;

/// What stands around rows and exchanges.
const FRAME: usize = 150_000;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// What is known of the page while it is written.
struct Page<'a> {
    input: &'a Input<'a>,
    entries: &'a [Entry<'a>],
    /// How long the page may be before an exchange that need not be there.
    room: usize,
}

/// The page.
pub(super) fn html(input: &Input) -> String {
    let entries = index::entries(input.summary);
    let room = MAX.saturating_sub(FRAME + ROW * entries.len().min(5000));
    let page = Page { input, entries: &entries, room };
    let mut html = Html::default();
    html.markup("<!DOCTYPE html>\n<html lang=\"en\">\n");
    html.tag("head", &[], |html| head(html, input));
    html.markup("\n<body>\n<a class=\"skip\" href=\"#findings\">Skip to the findings</a>\n");
    overview::header(&mut html, input);
    sections(&mut html);
    html.markup("<main>\n");
    overview::warnings(&mut html, input);
    overview::scores(&mut html, input);
    findings::section(&mut html, &page);
    findings::accepted(&mut html, &page);
    overview::unjudged(&mut html, input);
    grids::constraints(&mut html, &page);
    grids::states(&mut html, &page);
    overview::open(&mut html, input);
    cases::section(&mut html, &page);
    html.markup("</main>\n<footer><p>");
    html.text(format!("Made by ecrspec {} from the event log of the run.", input.summary.started.ecrspec));
    html.markup("</p></footer>\n<script>");
    html.markup(SCRIPT);
    html.markup("</script>\n</body>\n</html>\n");
    html.into_string()
}

fn head(html: &mut Html, input: &Input) {
    let title = format!("{}: ecrspec on {}", terminal::word(input.reasons), input.summary.started.target);
    html.void("meta", &[("charset", "utf-8")]);
    html.void("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy())]);
    html.void("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    html.void("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    html.void("meta", &[("name", "referrer"), ("content", "no-referrer")]);
    html.leaf("title", &[], title);
    html.markup("<style>");
    html.markup(STYLE);
    html.markup("</style>");
}

/// What the page may do: show itself, and run its own script.
fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(SCRIPT));
    format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    )
}

/// The sections, to go to.
fn sections(html: &mut Html) {
    const SECTIONS: [(&str, &str); 6] = [
        ("findings", "Findings"),
        ("accepted", "Known and tolerated"),
        ("constraints", "Constraints"),
        ("states", "States"),
        ("open", "Open questions"),
        ("cases", "Cases"),
    ];
    html.tag("nav", &[("aria-label", "Sections")], |html| {
        html.tag("ul", &[], |html| {
            for (id, name) in SECTIONS {
                html.tag("li", &[], |html| html.link(Href::Here(id), name));
            }
        });
    });
    html.markup("\n");
}

/// A section with its heading.
fn section(html: &mut Html, id: &'static str, heading: &str, inner: impl FnOnce(&mut Html)) {
    let label = format!("{id}-heading");
    html.tag("section", &[("id", id), ("aria-labelledby", &label)], |html| {
        html.leaf("h2", &[("id", &label)], heading);
        html.markup("\n");
        inner(html);
    });
    html.markup("\n");
}

/// A row of a list of names and values.
fn term(html: &mut Html, name: &str, value: impl FnOnce(&mut Html)) {
    html.leaf("dt", &[], name);
    html.tag("dd", &[], value);
    html.markup("\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As part of a page that is well-formed as XML, too, and as what the policy has the hash of.
    #[test]
    fn style_and_script_have_no_markup() {
        for text in [STYLE, SCRIPT] {
            assert!(!text.contains(['<', '&']), "{:?}", text.find(['<', '&']).map(|at| &text[at..]));
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"), "the page loads nothing");
    }
}
