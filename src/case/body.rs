//! Bodies of requests as templates, member by member, so that a violation changes one of them.

use std::fmt;

use crate::template::Template;

/// The members of a request, each as the JSON text that will be sent. Text and not values: a violation may be a
/// number that no type holds, or the same key twice.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Body {
    members: Vec<(String, String)>,
}

impl Body {
    /// Sets a member to a JSON text, in its place if it is there.
    pub fn set(mut self, name: &str, json: impl Into<String>) -> Body {
        match self.members.iter_mut().find(|(known, _)| known == name) {
            Some((_, value)) => *value = json.into(),
            None => self.members.push((String::from(name), json.into())),
        }
        self
    }

    /// Adds a member even if one of that name is there.
    pub fn add(mut self, name: &str, json: impl Into<String>) -> Body {
        self.members.push((String::from(name), json.into()));
        self
    }

    /// Sets a member to a string, which may hold references.
    pub fn text(self, name: &str, text: &str) -> Body {
        self.set(name, quote(text))
    }

    /// Sets a member to a list of strings.
    pub fn texts<T: AsRef<str>>(self, name: &str, texts: &[T]) -> Body {
        let items: Vec<String> = texts.iter().map(|text| quote(text.as_ref())).collect();
        self.set(name, format!("[{}]", items.join(",")))
    }

    /// The JSON text of a member.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, json)| json.as_str())
    }

    /// Its members in order, each with its JSON text.
    pub fn members(&self) -> &[(String, String)] {
        &self.members
    }

    /// The body as a template. A drawn value may have a `${…}` by chance, which stands for itself.
    pub fn template(&self) -> Template {
        Template::lenient(self.to_string())
    }

    /// Leaves a member out.
    pub fn without(mut self, name: &str) -> Body {
        self.members.retain(|(known, _)| known != name);
        self
    }
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (place, (name, json)) in self.members.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{}:{json}", quote(name))?;
        }
        f.write_str("}")
    }
}

/// A JSON string.
pub fn quote(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON")
}
