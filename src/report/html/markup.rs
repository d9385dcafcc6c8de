//! HTML as it is written: what is no literal of this program is text, and is escaped. It is well-formed as XML too.

use std::fmt::Display;

use crate::report::reference::RuleUrl;
use crate::wire::envelope::visible;

/// HTML that grows.
#[derive(Debug, Default)]
pub(super) struct Html(String);

/// Where a link goes: nothing that a target says can become an address.
#[derive(Clone, Copy, Debug)]
pub(super) enum Href<'a> {
    /// An element of the same page, by its id.
    Here(&'a str),
    /// The address of a source of the contract.
    Source(&'static str),
    /// A rule in the published guide.
    Rule(&'a RuleUrl),
}

/// Attributes of an element. Where a link goes is for [`Html::link`] alone.
type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Html {
    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Markup of this program.
    pub fn markup(&mut self, markup: &'static str) {
        self.0 += markup;
    }

    /// A text: nothing in it is markup, or acts on anything.
    pub fn text(&mut self, text: impl Display) {
        let text = text.to_string();
        self.0.reserve(text.len());
        text.chars().for_each(|letter| self.letter(letter));
    }

    fn letter(&mut self, letter: char) {
        match letter {
            '&' => self.0 += "&amp;",
            '<' => self.0 += "&lt;",
            '>' => self.0 += "&gt;",
            '"' => self.0 += "&quot;",
            '\'' => self.0 += "&#39;",
            '\n' => self.0.push(letter),
            '\t' => self.0 += "&#9;",
            other => self.0.push(printed(other)),
        }
    }

    /// An element with what `inner` writes in it.
    pub fn tag(&mut self, name: &'static str, attributes: Attributes, inner: impl FnOnce(&mut Html)) {
        self.open(name, attributes);
        inner(self);
        self.0 += "</";
        self.0 += name;
        self.0.push('>');
    }

    /// An element with a text.
    pub fn leaf(&mut self, name: &'static str, attributes: Attributes, text: impl Display) {
        self.tag(name, attributes, |html| html.text(text));
    }

    /// An element that has no end.
    pub fn void(&mut self, name: &'static str, attributes: Attributes) {
        self.open(name, attributes);
        self.0.pop();
        self.0 += "/>";
    }

    fn open(&mut self, name: &'static str, attributes: Attributes) {
        self.0.push('<');
        self.0 += name;
        for (attribute, value) in attributes {
            debug_assert!(!["href", "src", "action"].contains(attribute) && !attribute.starts_with("on"));
            self.attribute(attribute, value);
        }
        self.0.push('>');
    }

    fn attribute(&mut self, name: &'static str, value: &str) {
        self.0.push(' ');
        self.0 += name;
        self.0 += "=\"";
        self.text(value);
        self.0.push('"');
    }

    /// A link.
    pub fn link(&mut self, to: Href, text: impl Display) {
        self.0 += "<a";
        match to {
            Href::Here(id) => self.attribute("href", &fragment(id)),
            Href::Source(url) => self.attribute("href", url),
            Href::Rule(url) => self.attribute("href", url.as_str()),
        }
        self.0.push('>');
        self.text(text);
        self.0 += "</a>";
    }

    /// The whole.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// A letter that both HTML and XML have, and that stands there as itself.
fn printed(letter: char) -> char {
    if matches!(letter, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { visible(letter) }
}

/// A text as the id of an element: an id has no white space.
pub(super) fn id(text: &str) -> String {
    text.chars().map(|letter| if letter.is_whitespace() { '_' } else { printed(letter) }).collect()
}

/// The address of the element with an id.
fn fragment(id: &str) -> String {
    let mut out = String::from("#");
    for byte in id.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' => {
                out.push(char::from(byte));
            }
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        let mut html = Html::default();
        html.leaf("p", &[("title", "\"><script>'")], "<b>&amp;\u{1b}\u{202e}\u{ffff}\0\n");
        assert_eq!(
            html.into_string(),
            "<p title=\"&quot;&gt;&lt;script&gt;&#39;\">&lt;b&gt;&amp;amp;\u{fffd}\u{fffd}\u{fffd}\u{fffd}\n</p>"
        );
    }

    #[test]
    fn a_link_stays_on_the_page() {
        let mut html = Html::default();
        html.link(Href::Here(&id("javascript:a b\"é\u{ffff}")), "<x>");
        assert_eq!(html.into_string(), "<a href=\"#javascript:a_b%22%C3%A9%EF%BF%BD\">&lt;x&gt;</a>");
    }
}
