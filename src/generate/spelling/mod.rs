//! The same request in other spellings: of its JSON, of its headers, of how it is framed. It must get the same response:
//! that it gets the right one in its plain spelling is the matter of other cases.

mod json;

use crate::case::body::{Body, quote};
use crate::case::draft::{ABSENT, Draft, HERE, NO_UPLOAD, RIGHT};
use crate::case::{Case, allowed};
use crate::contract::{Operation, OperationSpec, RuleId, Rules, Service};
use crate::expect::Outcome;
use crate::model::operation::{Facts, body};
use crate::template::Template;
use crate::wire::{CONTENT_TYPE, Framing, Request};

/// The cases of other spellings.
pub fn cases(service: Service) -> Vec<Case> {
    let mut cases = Vec::new();
    for operation in service.contract().layer_operations() {
        let subject = Subject { service, operation };
        let here = |spelling: &&json::Spelling| !spelling.once || operation.name == Operation::InitiateLayerUpload;
        for spelling in json::SPELLINGS.iter().filter(here) {
            let name = Name { rule: spelling.rule, variant: spelling.variant, title: spelling.title };
            let spell = |body: &Body| (spelling.spell)(body).map(Template::lenient);
            cases.extend(subject.accepted(&name, |_| {}, spell));
            cases.extend(spelling.rejected.then(|| subject.rejected(&name, |_| {}, spell)).flatten());
        }
        for head in HEADS {
            let name = Name { rule: head.rule, variant: head.variant, title: head.title };
            // The plain protocol has these cases of InitiateLayerUpload.
            let known = operation.name == Operation::InitiateLayerUpload && head.known;
            cases.extend((!known).then(|| subject.accepted(&name, head.spell, plain)).flatten());
            cases.extend(head.rejected.then(|| subject.rejected(&name, head.spell, plain)).flatten());
        }
        cases.extend(subject.chunks());
    }
    cases
}

fn plain(body: &Body) -> Option<Template> {
    Some(body.template())
}

/// A spelling, for the id of a case.
struct Name {
    rule: RuleId,
    variant: &'static str,
    title: &'static str,
}

/// A spelling of what is around the body.
struct Head {
    rule: RuleId,
    variant: &'static str,
    title: &'static str,
    /// Whether requests that are rejected are sent so, too.
    rejected: bool,
    /// Whether there is another case of it for InitiateLayerUpload.
    known: bool,
    spell: fn(&mut Request<Template>),
}

const fn head(
    rule: RuleId,
    variant: &'static str,
    title: &'static str,
    rejected: bool,
    spell: fn(&mut Request<Template>),
) -> Head {
    Head { rule, variant, title, rejected, known: false, spell }
}

const CASE: RuleId = RuleId::new("wire/header/case");
const UNKNOWN: RuleId = RuleId::new("wire/header/unknown");
const WHITE_SPACE: RuleId = RuleId::new("wire/header/white-space");
const PARAMETERS: RuleId = RuleId::new("wire/content-type/parameters");

static HEADS: &[Head] = &[
    Head {
        known: true,
        ..head(CASE, "lower", "header names in lower case", true, |request| {
            request.framing = Framing::Verbatim;
            request.headers.iter_mut().for_each(|(name, _)| *name = name.to_lowercase());
        })
    },
    Head {
        known: true,
        ..head(CASE, "upper", "header names in upper case", false, |request| {
            request.framing = Framing::Verbatim;
            request.headers.iter_mut().for_each(|(name, _)| *name = name.to_uppercase());
        })
    },
    head(CASE, "mixed", "header names in letters of both cases", false, |request| {
        request.framing = Framing::Verbatim;
        for (name, _) in &mut request.headers {
            let other = |(place, letter): (usize, char)| {
                if place % 2 == 0 { letter.to_ascii_lowercase() } else { letter.to_ascii_uppercase() }
            };
            *name = name.chars().enumerate().map(other).collect();
        }
    }),
    head(RuleId::new("wire/header/order"), "reversed", "headers in the reverse order", false, |request| {
        request.framing = Framing::Verbatim;
        request.headers.reverse();
    }),
    head(WHITE_SPACE, "none", "no white space before values of headers", true, |request| {
        request.framing = Framing::Tight;
    }),
    head(WHITE_SPACE, "spaces-and-tabs", "spaces and tabs around values of headers", true, |request| {
        request.framing = Framing::Spaced;
    }),
    head(UNKNOWN, "50-after", "50 unknown headers after the known ones", true, |request| {
        request.headers.extend(unknown_headers(50));
    }),
    head(UNKNOWN, "50-before", "50 unknown headers before the known ones", false, |request| {
        request.headers.splice(0..0, unknown_headers(50));
    }),
    head(UNKNOWN, "look-alikes", "headers with names that are nearly those of known ones", true, |request| {
        let names = [
            "X-Amz-Target-Prefix",
            "X-Amz-Targe",
            "XX-Amz-Target",
            "Amz-Target",
            "Content-Type-Options",
            "X-Content-Type",
        ];
        request.headers.splice(0..0, names.map(|name| (String::from(name), String::from("other.Other"))));
    }),
    head(
        UNKNOWN,
        "empty-and-long",
        "an unknown header without a value, and one of 4000 characters",
        false,
        |request| {
            request.headers.push((String::from("X-Empty"), String::new()));
            request.headers.push((String::from("X-Long"), "v".repeat(4000)));
        },
    ),
    head(UNKNOWN, "of-a-client", "the headers of a browser", false, |request| {
        for (name, value) in [
            ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
            ("Accept", "*/*"),
            ("Accept-Language", "de,en;q=0.5"),
            ("Cache-Control", "no-cache"),
            ("Pragma", "no-cache"),
        ] {
            request.headers.push((String::from(name), String::from(value)));
        }
    }),
    head(RuleId::new("wire/header/accept-encoding"), "identity", "Accept-Encoding: identity", true, |request| {
        request.headers.push((String::from("Accept-Encoding"), String::from("identity")))
    }),
    head(PARAMETERS, "tight", "a charset without a space before it", true, |request| {
        content_type(request, &format!("{CONTENT_TYPE};charset=utf-8"));
    }),
    head(PARAMETERS, "quoted", "a charset in quotes", false, |request| {
        content_type(request, &format!("{CONTENT_TYPE}; charset=\"utf-8\""));
    }),
    head(PARAMETERS, "several", "several parameters", false, |request| {
        content_type(request, &format!("{CONTENT_TYPE} ; a=\"x;y\"; CHARSET=UTF-8"));
    }),
    head(RuleId::new("wire/content-type/case"), "mixed", "a content type with capitals", true, |request| {
        content_type(request, "Application/X-AMZ-JSON-1.1");
    }),
    head(RuleId::new("wire/framing/absolute-form"), "url", "the whole URL in the request line", false, |request| {
        request.framing = Framing::AbsoluteForm;
    }),
    Head {
        known: true,
        ..head(RuleId::new("wire/framing/expect"), "100-continue", "Expect: 100-continue", false, |request| {
            request.framing = Framing::ExpectContinue;
        })
    },
    head(RuleId::new("wire/framing/pieces"), "pieces", "in pieces with pauses between them", true, |request| {
        request.framing = Framing::Pieces;
    }),
    head(RuleId::new("wire/framing/connection"), "second", "the second request of a connection", true, |request| {
        request.framing = Framing::SecondRequest;
    }),
];

fn unknown_headers(count: usize) -> Vec<(String, String)> {
    (0..count).map(|number| (format!("X-Unknown-{number}"), format!("value {number}"))).collect()
}

fn content_type(request: &mut Request<Template>, value: &str) {
    request.headers.retain(|(name, _)| name != "Content-Type");
    request.headers.insert(0, (String::from("Content-Type"), String::from(value)));
}

/// An operation whose requests are spelled otherwise.
struct Subject {
    service: Service,
    operation: &'static OperationSpec,
}

impl Subject {
    /// A request that is accepted, and what shows that it was read rightly.
    fn accepted(
        &self,
        name: &Name,
        head: impl Fn(&mut Request<Template>),
        spell: impl Fn(&Body) -> Option<Template>,
    ) -> Option<Case> {
        let operation = self.operation.name;
        let facts = Facts::of(operation);
        // What no plain request is accepted for is not accepted in another spelling.
        if facts.answers_to.is_some() {
            return None;
        }
        let id = format!("{}/{operation}-{}", name.rule, name.variant);
        let draft = Draft::new(self.service, id, format!("{operation}: {}", name.title));
        Some(self.accepted_in(draft, name.rule, head, spell)?.done())
    }

    fn accepted_in(
        &self,
        draft: Draft,
        rule: RuleId,
        head: impl Fn(&mut Request<Template>),
        spell: impl Fn(&Body) -> Option<Template>,
    ) -> Option<Draft> {
        let operation = self.operation.name;
        if operation == Operation::BatchCheckLayerAvailability {
            return self.checked(draft, rule, head, spell);
        }
        let (draft, body) = (Facts::of(operation).valid)(draft, HERE);
        let spelled = spell(&body)?;
        let draft = draft.focus_as("spelled", rule, operation, body).request(|request| {
            request.body = spelled;
            head(request);
        });
        // Where it is open whether it is read, what follows rests on that.
        let is_open = Rules::of(self.service).get(rule).is_some_and(|rule| !rule.tier.gates());
        let draft = if is_open { draft.only_if_accepted() } else { draft };
        Some(match operation {
            // That the upload is one of this repository, and that the bytes were understood, shows what comes next.
            Operation::InitiateLayerUpload => {
                draft.chunk("layer", crate::case::draft::SMALL).part("part", "spelled", "layer", 0)
            }
            Operation::UploadLayerPart => draft.complete("complete", "upload", "layer"),
            _ => draft,
        })
    }

    /// BatchCheckLayerAvailability of a layer that is there, where the target tells so in the plain spelling.
    fn checked(
        &self,
        draft: Draft,
        rule: RuleId,
        head: impl Fn(&mut Request<Template>),
        spell: impl Fn(&Body) -> Option<Template>,
    ) -> Option<Draft> {
        let operation = self.operation.name;
        let body = body::check(HERE, &[RIGHT]);
        let spelled = spell(&body)?;
        let available = serde_json::json!({
            "layers": [{ "layerDigest": RIGHT, "layerAvailability": "AVAILABLE" }],
            "failures": [],
        });
        let outcome = Outcome::Success { members: available.as_object().cloned().unwrap_or_default() };
        let mut draft = draft.stored().attempt("plain", operation, body.clone()).only_if(vec![outcome.clone()]);
        let mut outcomes = vec![outcome.clone()];
        if rule == json::UNKNOWN {
            // Whether unknown members are ignored is open: of a target that ignores two, that it ignores others.
            let two = body.clone().set("unknown", "1").set("more", "{\"a\":[{}]}");
            draft = draft.attempt("two-unknown", operation, two).only_if(vec![outcome]);
        } else {
            // Where it is open whether this spelling is read, it may be rejected.
            let allowed = allowed(self.service, rule).outcomes;
            outcomes.extend(allowed.into_iter().filter(|outcome| !outcome.is_success()));
        }
        let draft = draft.focus(rule, operation, body).expecting(outcomes).request(|request| {
            request.body = spelled;
            head(request);
        });
        Some(draft)
    }

    /// A request that is rejected in its plain spelling, and then in this one. Where it is open whether this spelling is
    /// read at all, it is still not accepted.
    fn rejected(
        &self,
        name: &Name,
        head: impl Fn(&mut Request<Template>),
        spell: impl Fn(&Body) -> Option<Template>,
    ) -> Option<Case> {
        let operation = self.operation.name;
        let rules = Rules::of(self.service);
        let of_spelling = rules.get(name.rule)?;
        let id = format!("{}/{operation}-rejected-{}", name.rule, name.variant);
        let draft = Draft::new(self.service, id, format!("{operation}, rejected: {}", name.title));
        let (draft, body, why) = self.refused(draft);
        let spelled = spell(&body)?;
        let mut outcomes = allowed(self.service, why).outcomes;
        let draft = draft.attempt("plain", operation, body.clone()).only_if(outcomes.clone());
        if !of_spelling.tier.gates() {
            let errors = allowed(self.service, name.rule).outcomes.into_iter().filter(|outcome| !outcome.is_success());
            outcomes.extend(errors);
        }
        let rule = if of_spelling.tier.gates() { name.rule } else { why };
        let draft = draft.focus(rule, operation, body).expecting(outcomes).request(|request| {
            request.body = spelled;
            head(request);
        });
        Some(draft.done())
    }

    /// A request that is rejected, with what it needs in place, and the rule that it breaks.
    fn refused(&self, draft: Draft) -> (Draft, Body, RuleId) {
        let operation = self.operation.name;
        let (draft, valid) = (Facts::of(operation).valid)(draft, HERE);
        let (body, why) = match operation {
            Operation::UploadLayerPart => (valid.text("uploadId", NO_UPLOAD), "uploadId/exists"),
            // Rejected for its form: whether an upload survives another rejection is not documented.
            Operation::CompleteLayerUpload => {
                (valid.texts("layerDigests", &[ABSENT.replace(':', "-")]), "layerDigests/item-pattern")
            }
            Operation::GetDownloadUrlForLayer => (valid, "layerDigest/exists"),
            _ => (valid.set("repositoryName", quote("${absent}")), "repositoryName/exists"),
        };
        (draft, body, RuleId::of(operation, why))
    }

    /// Other chunks, where a chunked request is read.
    fn chunks(&self) -> Vec<Case> {
        let operation = self.operation.name;
        let rule = RuleId::new("wire/framing/chunks");
        let rows = [
            (Framing::OneChunk, "one", "in one chunk"),
            (Framing::ByteChunks, "bytes", "in chunks of one byte"),
            (Framing::OddChunks, "extensions", "in chunks with extensions and a trailer"),
        ];
        let case = |(framing, variant, title): (Framing, &str, &str)| {
            let id = format!("{rule}/{operation}-{variant}");
            let draft = Draft::new(self.service, id, format!("{operation}: {title}"));
            let (draft, body, why) = self.refused(draft);
            let outcomes = allowed(self.service, why).outcomes;
            let draft = draft
                .attempt("chunked", operation, body.clone())
                .only_if(outcomes.clone())
                .request(|request| request.framing = Framing::Chunked);
            let draft = draft.focus(rule, operation, body).expecting(outcomes);
            draft.request(|request| request.framing = framing).done()
        };
        let accepted = |(framing, variant, title): (Framing, &str, &str)| {
            let facts = Facts::of(operation);
            if facts.answers_to.is_some() || operation == Operation::BatchCheckLayerAvailability {
                return None;
            }
            let id = format!("{rule}/{operation}-accepted-{variant}");
            let draft = Draft::new(self.service, id, format!("{operation}, accepted: {title}"));
            let draft = draft
                .attempt("chunked", Operation::InitiateLayerUpload, body::repository("${absent}"))
                .only_if(
                    allowed(self.service, RuleId::of(Operation::InitiateLayerUpload, "repositoryName/exists")).outcomes,
                )
                .request(|request| request.framing = Framing::Chunked);
            Some(self.accepted_in(draft, rule, |request| request.framing = framing, plain)?.done())
        };
        rows.into_iter().map(case).chain(rows.into_iter().filter_map(accepted)).collect()
    }
}
