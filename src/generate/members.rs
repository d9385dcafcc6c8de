//! Each member of each operation: absent, null, of every wrong type, beyond every bound, off its pattern by one thing.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::values::{self, NamedValue, Violation};
use crate::case::draft::{Draft, HERE, RIGHT};
use crate::case::{Bindings, Case};
use crate::contract::check::first_broken;
use crate::contract::{Constraint, Effect, Kind, Member, Operation, OperationSpec, RuleId, Rules, Service};
use crate::model::operation::Facts;
use crate::model::operation::body::{self, Body};
use crate::template::{Reference, Template};

/// The member cases of an operation.
pub fn cases(service: Service, operation: &'static OperationSpec) -> Vec<Case> {
    let base = Base { service, operation };
    let mut cases = base.plain();
    for member in operation.input {
        cases.extend(base.optional(member));
        cases.extend(base.presence_and_type(member).iter().filter_map(|violation| base.case(violation)));
        if member.name == "repositoryName" {
            let wrong = base.wrong_texts(member);
            cases.extend(wrong.iter().filter_map(|wrong| base.in_existing_repository(member, wrong)));
        }
        cases.extend(base.values(member).iter().filter_map(|violation| base.case(violation)));
    }
    cases.extend(base.names());
    cases.extend(base.registries());
    cases
}

/// What can be wrong with each member of a request of this operation, but for lists.
pub fn violations(service: Service, operation: &'static OperationSpec) -> Vec<Violation> {
    let base = Base { service, operation };
    let of = |member| [base.presence_and_type(member), base.values(member)].concat();
    operation.input.iter().flat_map(of).collect()
}

/// An account that is not the caller's: the one that AWS uses in examples.
const OTHER_ACCOUNT: &str = "111122223333";

/// A text that a member must not have.
struct Wrong {
    value: NamedValue,
    /// The first constraint that it breaks.
    broken: Constraint,
}

/// By service and name of the member.
type WrongTexts = HashMap<(Service, &'static str), Arc<[Wrong]>>;

/// An operation, called validly on a state in which it works.
struct Base {
    service: Service,
    operation: &'static OperationSpec,
}

impl Base {
    /// A case with the state that the operation needs in place, and the body of a valid request.
    fn valid_case(&self, id: String, title: String, repository: &str) -> (Draft, Body) {
        let draft = Draft::new(self.service, id, title);
        self.valid_in(draft, repository)
    }

    fn valid_in(&self, draft: Draft, repository: &str) -> (Draft, Body) {
        (Facts::of(self.operation.name).valid)(draft, repository)
    }

    /// The rule that a valid request of this operation answers to.
    fn accepting(&self, rule: RuleId) -> RuleId {
        Facts::of(self.operation.name).answers_to.unwrap_or(rule)
    }

    /// A member of the valid request, as JSON.
    fn valid(&self, member: &Member) -> String {
        let (_, body) = self.valid_case(String::new(), String::new(), HERE);
        match body.get(member.name) {
            Some(json) => String::from(json),
            // The only member that is left out: no request needs it.
            None => body::quote("${registry}"),
        }
    }

    fn rule(&self, rest: &'static str) -> RuleId {
        RuleId::of(self.operation.name, rest)
    }

    /// A case with this violation. A rejected completion must have stored nothing.
    fn case(&self, violation: &Violation) -> Option<Case> {
        let (draft, body) = self.valid_case(violation.id(), violation.title.clone(), HERE);
        Some(self.rejected(draft, violation.rule?, violation.apply(body)))
    }

    fn violation(&self, member: &Member, constraint: Constraint, value: &NamedValue) -> Violation {
        let rule = RuleId::of_member(self.operation.name, member.name, constraint);
        Violation::of(rule, member.name, value)
    }

    fn rejected(&self, draft: Draft, rule: RuleId, body: Body) -> Case {
        let gates = Rules::of(self.service).get(rule).is_some_and(|rule| rule.tier.gates());
        let draft = draft.focus(rule, self.operation.name, body);
        match self.operation.name.effect() {
            Effect::CompletesUpload if gates => draft.probe_absent(RIGHT).done(),
            _ => draft.done(),
        }
    }

    /// A required member left out or null, and a member of another JSON type.
    fn presence_and_type(&self, member: &Member) -> Vec<Violation> {
        let mut violations = Vec::new();
        if member.required {
            let null =
                NamedValue { variant: String::from("null"), title: String::from("null"), json: String::from("null") };
            let absent = self.violation(member, Constraint::Required, &null);
            violations.push(Violation {
                variant: String::from("absent"),
                title: format!("{}: absent", member.name),
                changes: vec![(member.name, None)],
                ..absent.clone()
            });
            violations.push(absent);
        }
        let types = values::wrong_types(member, &self.valid(member));
        violations.extend(types.iter().map(|value| self.violation(member, Constraint::Type, value)));
        violations
    }

    /// Values of the right type that break a constraint.
    fn values(&self, member: &Member) -> Vec<Violation> {
        match (&member.shape.kind, member.name) {
            (Kind::Text(_), _) => self.texts(member),
            (Kind::Long { .. }, _) => self.numbers(member),
            (Kind::Blob { .. }, _) => self.blobs(member),
            _ => Vec::new(), // Lists have files of their own.
        }
    }

    /// The texts that a member must not have. Operations have the same members: they are made, and held against the
    /// contract, once a service.
    fn wrong_texts(&self, member: &Member) -> Arc<[Wrong]> {
        static KNOWN: LazyLock<Mutex<WrongTexts>> = LazyLock::new(Mutex::default);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || {
            let valid: String = serde_json::from_str(&self.valid(member)).unwrap_or_default();
            let values = match member.name {
                "layerDigest" => values::digests(&"0f".repeat(32)),
                _ => values::wrong_texts(member, &valid),
            };
            let wrong = |value: NamedValue| Some(Wrong { broken: broken(member, &value)?, value });
            values.into_iter().filter_map(wrong).collect()
        };
        Arc::clone(known.entry((self.service, member.name)).or_insert_with(made))
    }

    fn texts(&self, member: &Member) -> Vec<Violation> {
        let wrong = self.wrong_texts(member);
        // A contested name of no repository tells nothing: either answer is an error.
        let contested = |wrong: &&Wrong| wrong.broken == Constraint::Editions && member.name == "repositoryName";
        let told = wrong.iter().filter(|wrong| !contested(wrong));
        told.map(|wrong| self.violation(member, wrong.broken, &wrong.value)).collect()
    }

    fn plain(&self) -> Vec<Case> {
        let rule = self.rule("accepted");
        let title = String::from(Facts::of(self.operation.name).plain);
        let (draft, body) = self.valid_case(format!("{rule}/plain"), title, HERE);
        vec![draft.focus(self.accepting(rule), self.operation.name, body).done()]
    }

    fn optional(&self, member: &Member) -> Option<Case> {
        if member.required {
            return None;
        }
        let rule = RuleId::of_member(self.operation.name, member.name, Constraint::Optional);
        let (draft, body) = self.valid_case(format!("{rule}/null"), format!("{}: null", member.name), HERE);
        Some(draft.focus(self.accepting(rule), self.operation.name, body.set(member.name, "null")).done())
    }

    /// The same wrong name, in a repository of that name if the target lets itself be made one: CreateRepository may be
    /// laxer than the layer operations.
    fn in_existing_repository(&self, member: &Member, Wrong { value, broken }: &Wrong) -> Option<Case> {
        let name: String = serde_json::from_str(&value.json).ok()?;
        let of_case = |reference: &Reference| matches!(reference, Reference::Repository(None) | Reference::Pad { .. });
        if !Template::lenient(&name).references().any(of_case) {
            return None; // A name without the run's prefix in it is never created.
        }
        if *broken == Constraint::Editions && self.operation.name != Operation::InitiateLayerUpload {
            return None; // Only there does the name alone decide.
        }
        let rule = RuleId::of_member(self.operation.name, member.name, *broken);
        let id = format!("{rule}/{}-existing", value.variant);
        let draft =
            Draft::new(self.service, id, format!("{}: {}, of an existing repository", member.name, value.title))
                .own(&[])
                .attempt("create", Operation::CreateRepository, body::repository(&name));
        let (draft, body) = self.valid_in(draft, HERE);
        Some(draft.focus(rule, self.operation.name, body.set(member.name, value.json.clone())).done())
    }

    /// Names that every edition allows, each of a repository that is made.
    fn names(&self) -> Vec<Case> {
        let rows = [
            ("dot", "${repository}/a.b"),
            ("underscore", "${repository}/a_b"),
            ("dash", "${repository}/a-b"),
            ("all-separators", "${repository}/a.b_c-d"),
            ("slashes", "${repository}/a/b/c"),
            ("single-characters", "${repository}/a/1"),
            ("digits", "${repository}/123"),
            ("leading-digit", "0${repository}"),
        ];
        let longest = match self.operation.input("repositoryName").map(|member| &member.shape.kind) {
            Some(Kind::Text(text)) => {
                text.max.map(|max| (format!("{max}-characters"), format!("${{pad:{max}:repository}}")))
            }
            _ => None,
        };
        let in_made = |variant: &str, rule: RuleId, name: &str, open: bool| {
            let id = format!("{rule}/{variant}");
            let draft = Draft::new(self.service, id, format!("repositoryName: {name}")).own(&[]);
            let (draft, body) = match open {
                true => {
                    let draft = draft.attempt("create", Operation::CreateRepository, body::repository(name));
                    self.valid_in(draft, HERE)
                }
                false => {
                    self.valid_in(draft.set_up("create", Operation::CreateRepository, body::repository(name)), name)
                }
            };
            let rule = if open { rule } else { self.accepting(rule) };
            draft.focus(rule, self.operation.name, body.text("repositoryName", name)).done()
        };
        let accepted = self.rule("repositoryName/accepted");
        let digit = self.rule("repositoryName/leading-digit");
        let mut cases: Vec<Case> = rows
            .iter()
            .filter(|(variant, _)| *variant != "leading-digit" || self.operation.name == Operation::InitiateLayerUpload)
            .map(|(variant, name)| match *variant {
                "leading-digit" => in_made(variant, digit, name, true),
                _ => in_made(variant, accepted, name, false),
            })
            .collect();
        cases.extend(longest.map(|(variant, name)| in_made(&variant, accepted, &name, false)));
        // Names at the bounds are too long to lie under a run's prefix: no repository has them, and that is the answer.
        if let Some(member) = self.operation.input("repositoryName")
            && let Kind::Text(text) = &member.shape.kind
        {
            for value in values::inner_lengths(text) {
                let rule = self.rule("repositoryName/exists");
                let (draft, body) = self.valid_case(
                    format!("{}/repositoryName/{}/{}", self.operation.name, bound(text, &value), value.variant),
                    format!("repositoryName: {}, of no repository", value.title),
                    HERE,
                );
                cases.push(draft.focus(rule, self.operation.name, body.set("repositoryName", value.json)).done());
            }
        }
        cases
    }

    fn registries(&self) -> Vec<Case> {
        let rule = self.rule("registryId/own");
        let (draft, body) =
            self.valid_case(format!("{rule}/named"), String::from("registryId: the caller's own"), HERE);
        let body = body.text("registryId", "${registry}");
        let mut cases = vec![draft.focus(self.accepting(rule), self.operation.name, body).done()];
        if self.service == Service::Ecr {
            let rule = self.rule("registryId/foreign");
            let title = String::from("registryId: that of another account");
            let (draft, body) = self.valid_case(format!("{rule}/other-account"), title, HERE);
            cases.push(self.rejected(draft, rule, body.text("registryId", OTHER_ACCOUNT)));
        }
        if self.service == Service::EcrPublic {
            for (variant, alias) in [("2-characters", "zq"), ("50-characters", "${repeat:50:z}")] {
                let rule = self.rule("registryId/unknown");
                let title = String::from("registryId: an alias that nobody has");
                let (draft, body) = self.valid_case(format!("{rule}/{variant}"), title, HERE);
                cases.push(draft.focus(rule, self.operation.name, body.text("registryId", alias)).done());
            }
        }
        cases
    }

    /// Numbers below the minimum, with a fraction, in other notations and beyond 64 bits.
    fn numbers(&self, member: &Member) -> Vec<Violation> {
        let valid = self.valid(member);
        let rows: [(Constraint, &str, &str, String); 9] = [
            (Constraint::Min, "minus-1", "-1", String::from("-1")),
            (Constraint::Min, "minus-2-63", "-2^63", String::from("-9223372036854775808")),
            (Constraint::Integer, "fraction", "with a fraction", format!("{valid}.5")),
            (Constraint::Notation, "exponent", "in exponent notation", format!("{valid}e0")),
            (Constraint::Notation, "point-zero", "with .0", format!("{valid}.0")),
            (Constraint::Bits, "2-63", "2^63", String::from("9223372036854775808")),
            (Constraint::Bits, "2-64", "2^64", String::from("18446744073709551616")),
            (Constraint::Bits, "1e400", "1e400", String::from("1e400")),
            (Constraint::Bits, "5000-digits", "5,000 digits", String::from("${repeat:5000:9}")),
        ];
        rows.into_iter()
            .map(|(what, variant, title, json)| {
                let value = NamedValue { variant: String::from(variant), title: String::from(title), json };
                self.violation(member, what, &value)
            })
            .collect()
    }

    /// Text that is no base64, and text without its padding. The range fits what a lenient decoder makes of it.
    fn blobs(&self, member: &Member) -> Vec<Violation> {
        let rows = [
            (Constraint::Base64, "bad-alphabet", "characters outside of the alphabet", "QUJD*EVG", 6),
            (Constraint::Base64, "url-safe-alphabet", "the URL-safe alphabet", "-_-_-_-_", 6),
            (Constraint::Base64, "stars-and-text", "stars before base64", "****QUJD", 3),
            (Constraint::Base64, "bad-length", "one character over", "QUJDR", 3),
            (Constraint::Base64, "bad-padding", "padding in the middle", "QQ==QUJD", 4),
            (Constraint::Base64Padding, "no-padding", "no padding", "QUI", 2),
        ];
        rows.into_iter()
            .map(|(what, variant, title, text, len)| {
                let value = NamedValue::text(variant, title, text);
                let mut violation = self.violation(member, what, &value);
                violation.changes.push(("partLastByte", Some((len - 1).to_string())));
                violation
            })
            .collect()
    }
}

/// The first constraint that a text breaks: asks the contract, so that what a service or edition allows is seen.
fn broken(member: &Member, value: &NamedValue) -> Option<Constraint> {
    let Kind::Text(bounds) = &member.shape.kind else { return None };
    let mut bindings = Bindings::new(&[], "", 0);
    bindings.bind(Reference::repository(None), "ecrspec/case");
    bindings.bind(Reference::Registry, crate::model::registry::ACCOUNT);
    bindings.bind(Reference::member("upload", "uploadId"), "6cb64b8a-9378-0e33-2ab1-b780fab8a9e9");
    let text: String = serde_json::from_str(&value.json).ok()?;
    let template = Template::lenient(text);
    // What is too long by far is not written out.
    let repeated: usize = template.references().map(Reference::repeats).sum();
    if bounds.max.is_some_and(|max| repeated > max) {
        return Some(Constraint::MaxLength);
    }
    let filled = bindings.fill(&template).ok()?;
    first_broken(bounds, std::str::from_utf8(&filled).ok()?)
}

fn bound(text: &crate::contract::Text, value: &NamedValue) -> &'static str {
    if value.variant.starts_with(&format!("{}-", text.min)) { "min-length" } else { "max-length" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_one_name_are_the_same_in_all_operations_of_a_service() {
        for service in Service::ALL {
            let mut known: HashMap<&str, (&str, String)> = HashMap::new();
            for operation in service.contract().layer_operations() {
                let base = Base { service, operation };
                for member in operation.input.iter().filter(|member| matches!(member.shape.kind, Kind::Text(_))) {
                    let here = (member.shape.name, base.valid(member));
                    let first = known.entry(member.name).or_insert_with(|| here.clone());
                    assert_eq!(*first, here, "{service} {}: {}", operation.name, member.name);
                }
            }
            assert!(known.len() > 2, "{known:?}");
        }
    }
}
