//! Other spellings of a JSON object: the same to every parser.

use std::sync::LazyLock;

use crate::case::body::{Body, quote};
use crate::contract::RuleId;
use crate::template::{Escape, Part, Reference, Template};

/// A spelling of a body.
pub(super) struct Spelling {
    /// That the body is the same.
    pub rule: RuleId,
    /// Short name, a part of case ids.
    pub variant: &'static str,
    /// What it is, for a reader.
    pub title: &'static str,
    /// Whether requests that are rejected are sent so, too.
    pub rejected: bool,
    /// Whether it is for InitiateLayerUpload alone, since it is long.
    pub once: bool,
    /// The body; `None` where it would be spelled as it is.
    pub spell: fn(&Body) -> Option<String>,
}

const ESCAPES: RuleId = RuleId::new("wire/body/escapes");
const WHITE_SPACE: RuleId = RuleId::new("wire/body/white-space");
const ORDER: RuleId = RuleId::new("wire/body/order");
/// That unknown members are ignored.
pub(super) const UNKNOWN: RuleId = RuleId::new("wire/body/unknown-members");

const fn row(
    rule: RuleId,
    variant: &'static str,
    title: &'static str,
    rejected: bool,
    spell: fn(&Body) -> Option<String>,
) -> Spelling {
    Spelling { rule, variant, title, rejected, once: false, spell }
}

/// Each spelling, by rule.
pub(super) static SPELLINGS: &[Spelling] = &[
    row(ESCAPES, "names", "names of members in escapes", true, |body| Some(escaped(body, Some(Escape::All), None))),
    row(ESCAPES, "names-upper", "names of members in escapes with capitals", false, |body| {
        Some(escaped(body, Some(Escape::Upper), None))
    }),
    row(ESCAPES, "names-first", "the first letter of names as an escape", false, |body| {
        Some(escaped(body, Some(Escape::First), None))
    }),
    row(ESCAPES, "values", "texts in escapes", true, |body| Some(escaped(body, None, Some(Escape::All)))),
    row(ESCAPES, "values-upper", "texts in escapes with capitals", false, |body| {
        Some(escaped(body, None, Some(Escape::Upper)))
    }),
    row(ESCAPES, "values-mixed", "every second letter of texts as an escape", false, |body| {
        Some(escaped(body, None, Some(Escape::Mixed)))
    }),
    row(ESCAPES, "values-first", "the first letter of texts as an escape", false, |body| {
        Some(escaped(body, None, Some(Escape::First)))
    }),
    row(ESCAPES, "values-last", "the last letter of texts as an escape", true, |body| {
        Some(escaped(body, None, Some(Escape::Last)))
    }),
    row(ESCAPES, "slashes", "slashes as escapes", false, |body| Some(escaped(body, None, Some(Escape::Slash)))),
    row(ESCAPES, "everything", "names and texts in escapes", false, |body| {
        Some(escaped(body, Some(Escape::Mixed), Some(Escape::Upper)))
    }),
    row(WHITE_SPACE, "spaces", "a space between all tokens", true, |body| Some(spaced(body, " "))),
    row(WHITE_SPACE, "tabs", "a tab between all tokens", false, |body| Some(spaced(body, "\t"))),
    row(WHITE_SPACE, "line-feeds", "a line feed between all tokens", false, |body| Some(spaced(body, "\n"))),
    row(WHITE_SPACE, "line-ends", "CR and LF between all tokens", true, |body| Some(spaced(body, "\r\n"))),
    row(WHITE_SPACE, "mixed", "white space of all kinds between all tokens", false, |body| {
        Some(spaced(body, " \r\n\t \n\r"))
    }),
    row(WHITE_SPACE, "500-spaces", "500 spaces between all tokens", false, |body| {
        Some(spaced(body, "${repeat:500: }"))
    }),
    row(WHITE_SPACE, "before", "a line end before the object", false, |body| Some(format!("\r\n\t {body}"))),
    row(WHITE_SPACE, "after", "a line end after the object", false, |body| Some(format!("{body} \t\r\n"))),
    row(ORDER, "reversed", "members in the reverse order", true, |body| ordered(body, |members| members.reverse())),
    row(ORDER, "rotated", "the first member last", false, |body| ordered(body, |members| members.rotate_left(1))),
    row(UNKNOWN, "before", "members of every type before those that are known", true, |body| {
        Some(object(EVERY_TYPE.map(own).into_iter().chain(written(body))))
    }),
    row(UNKNOWN, "between", "members of every type between those that are known", false, |body| {
        let mut members = written(body);
        (members.len() > 1).then(|| {
            members.splice(1..1, EVERY_TYPE.map(own));
            object(members)
        })
    }),
    row(UNKNOWN, "after", "members of every type after those that are known", false, |body| {
        Some(object(written(body).into_iter().chain(EVERY_TYPE.map(own))))
    }),
    row(UNKNOWN, "50", "50 members before and after those that are known", true, |body| Some(among(body, &FEW))),
    Spelling {
        once: true,
        ..row(UNKNOWN, "1000", "1000 members before and after those that are known", false, |body| {
            Some(among(body, &MANY))
        })
    },
    row(UNKNOWN, "nested", "20 objects and lists in each other", false, |body| {
        let nested = format!("{}null{}", "{\"a\":[".repeat(10), "]}".repeat(10));
        Some(object(std::iter::once((quote("unknown"), nested)).chain(written(body))))
    }),
    row(
        UNKNOWN,
        "known-within",
        "an object that has the known members with other values, before and after",
        true,
        |body| {
            let others = object(written(body).into_iter().map(|(name, _)| (name, quote("other"))));
            Some(around(body, ("unknown", others.clone()), ("more", format!("[{others}]"))))
        },
    ),
    row(UNKNOWN, "json-in-a-text", "texts that look like the known members", true, |body| {
        let others = object(written(body).into_iter().map(|(name, _)| (name, quote("other"))));
        Some(around(body, ("}", quote(&format!("{others}\\"))), ("\",\"x\":{", quote(&format!(",{}", &others[1..])))))
    }),
    row(UNKNOWN, "look-alikes-before", "the names of known members in other letters, before them", true, |body| {
        Some(object(look_alikes(body).into_iter().chain(written(body))))
    }),
    row(UNKNOWN, "look-alikes-after", "the names of known members in other letters, after them", true, |body| {
        Some(object(written(body).into_iter().chain(look_alikes(body))))
    }),
    row(UNKNOWN, "long-name", "a name of 1000 characters", false, |body| {
        Some(around(body, ("${repeat:1000:n}", String::from("1")), ("", String::from("1"))))
    }),
    row(UNKNOWN, "long-text", "a text of 10,000 characters", false, |body| {
        Some(around(
            body,
            ("unknown", String::from("\"${repeat:10000:t}\"")),
            ("more", String::from("\"${repeat:10000:u}\"")),
        ))
    }),
    row(UNKNOWN, "unicode", "names and texts of other scripts, and with every escape", false, |body| {
        let text = r#""äé٣字😀\ud83d\ude00\"\\\/\b\f\n\r\t\u0000""#;
        Some(around(body, ("größe😀", String::from(text)), ("\u{2028}", String::from(text))))
    }),
    row(UNKNOWN, "numbers", "numbers in every notation", false, |body| {
        let numbers = "[0,-0,-0.0,1e5,1E+5,1e-5,0.1,-1.5e-3,9007199254740993,-9223372036854775808]";
        Some(around(body, ("unknown", String::from(numbers)), ("more", String::from("-1.25E-2"))))
    }),
];

/// A member of each JSON type.
const EVERY_TYPE: [(&str, &str); 9] = [
    ("unknownNull", "null"),
    ("unknownTrue", "true"),
    ("unknownFalse", "false"),
    ("unknownNumber", "-1.5e3"),
    ("unknownText", "\"x\""),
    ("unknownEmptyText", "\"\""),
    ("unknownList", "[1,[],{}]"),
    ("unknownObject", "{\"a\":{},\"b\":[null]}"),
    ("unknownEmpty", "{}"),
];

static FEW: LazyLock<[String; 2]> = LazyLock::new(|| [numbered("before", 25), numbered("after", 25)]);
static MANY: LazyLock<[String; 2]> = LazyLock::new(|| [numbered("before", 500), numbered("after", 500)]);

fn numbered(name: &str, count: usize) -> String {
    let members: Vec<String> = (0..count).map(|number| format!("\"{name}{number}\":{number}")).collect();
    members.join(",")
}

/// The members of a body, and others before and after them.
fn among(body: &Body, [before, after]: &[String; 2]) -> String {
    let body = body.to_string();
    format!("{{{before},{},{after}}}", &body[1..body.len() - 1])
}

/// A member, its name as JSON.
fn own((name, json): (&str, &str)) -> (String, String) {
    (quote(name), String::from(json))
}

fn written(body: &Body) -> Vec<(String, String)> {
    body.members().iter().map(|(name, json)| (quote(name), json.clone())).collect()
}

fn object(members: impl IntoIterator<Item = (String, String)>) -> String {
    let members: Vec<String> = members.into_iter().map(|(name, json)| format!("{name}:{json}")).collect();
    format!("{{{}}}", members.join(","))
}

fn around(body: &Body, before: (&str, String), after: (&str, String)) -> String {
    let member = |(name, json): (&str, String)| (quote(name), json);
    object(std::iter::once(member(before)).chain(written(body)).chain(std::iter::once(member(after))))
}

fn ordered(body: &Body, order: impl FnOnce(&mut Vec<(String, String)>)) -> Option<String> {
    let mut members = written(body);
    order(&mut members);
    (members.len() > 1).then(|| object(members))
}

/// Members whose names differ from those of known ones in the case of letters, or by a character, with values that would
/// be wrong.
fn look_alikes(body: &Body) -> Vec<(String, String)> {
    let names = body.members().iter().flat_map(|(name, _)| {
        let capital = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        [capital, name.to_lowercase(), name.to_uppercase(), format!("{name} "), format!(" {name}"), format!("{name}\0")]
    });
    names.map(|name| (quote(&name), quote("other"))).collect()
}

/// The body with its names, or its texts, in escapes.
fn escaped(body: &Body, names: Option<Escape>, texts: Option<Escape>) -> String {
    object(body.members().iter().map(|(name, json)| {
        let name = names.map_or_else(|| quote(name), |how| format!("\"{}\"", how.written(name)));
        (name, texts.map_or_else(|| json.clone(), |how| escaped_texts(json, how)))
    }))
}

/// JSON with what stands in its texts in escapes.
fn escaped_texts(json: &str, how: Escape) -> String {
    let template = Template::lenient(json);
    let mut in_text = false;
    let mut spelled = String::new();
    for part in template.parts() {
        match part {
            Part::Reference(reference) if in_text => {
                spelled += &Reference::Escaped { how, of: Box::new(reference.clone()) }.written();
            }
            Part::Reference(reference) => spelled += &reference.written(),
            Part::Text(bytes) => {
                for (place, run) in String::from_utf8_lossy(bytes).split('"').enumerate() {
                    if place > 0 {
                        in_text = !in_text;
                        spelled.push('"');
                    }
                    spelled += &if in_text { how.written(run) } else { String::from(run) };
                }
            }
        }
    }
    spelled
}

/// The body with white space before, between and after all its tokens.
fn spaced(body: &Body, space: &str) -> String {
    let template = body.template();
    let mut in_text = false;
    let mut spelled = String::from(space);
    for part in template.parts() {
        match part {
            Part::Reference(reference) => spelled += &reference.written(),
            Part::Text(bytes) => {
                for letter in String::from_utf8_lossy(bytes).chars() {
                    in_text ^= letter == '"';
                    match letter {
                        '{' | '}' | '[' | ']' | ':' | ',' if !in_text => {
                            spelled += &format!("{space}{letter}{space}");
                        }
                        _ => spelled.push(letter),
                    }
                }
            }
        }
    }
    spelled + space
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::case::{Bindings, Chunk};

    #[test]
    fn every_spelling_says_the_same() {
        let body = Body::default()
            .text("repositoryName", "${repository}")
            .text("uploadId", "6cb64b8a-9378-0e33-2ab1-b780fab8a9e9")
            .set("partFirstByte", "0")
            .text("layerPartBlob", "${base64:layer}")
            .texts("layerDigests", &["${sha256:layer}", "a/b:1"]);
        let mut bindings = Bindings::new(&[Chunk::new("layer", 32)], "salt", 0);
        bindings.bind(Reference::repository(None), "team/app");
        let mut read = |text: &str| -> Value {
            let bytes = bindings.fill(&Template::parse(text).unwrap()).unwrap();
            serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {text}"))
        };
        let plain = read(&body.to_string());
        for spelling in SPELLINGS {
            let text = (spelling.spell)(&body).unwrap();
            assert_ne!(text, body.to_string(), "{} {}", spelling.rule, spelling.variant);
            let spelled = read(&text);
            for (name, value) in plain.as_object().unwrap() {
                assert_eq!(spelled[name], *value, "{} {}: {text}", spelling.rule, spelling.variant);
            }
            let more = spelled.as_object().unwrap().len() > plain.as_object().unwrap().len();
            assert_eq!(more, spelling.rule == UNKNOWN, "{} {}", spelling.rule, spelling.variant);
        }
    }
}
