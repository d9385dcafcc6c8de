//! The form of an answer that is allowed: status, headers, envelope and members.

use serde_json::{Map, Value};

use super::{Expected, Finding, Got, Grade, Slip, Subject, head, matching, plain_head};
use crate::contract::check::{conforms, long};
use crate::contract::{ErrorType, Kind, Member, Role, RuleId, Tier};
use crate::expect::Outcome;
use crate::template::Reference;
use crate::wire::envelope::{ErrorInfo, printable};
use crate::wire::{CONTENT_TYPE, Exchange, Flaw, Observation, Shows};

/// How much a client must show for the rules to be judged that not every one shows to be kept.
const NEEDS: [(RuleId, Shows); 8] = [
    (RuleId::new("UploadLayerPart/answer/InvalidLayerPartException"), Shows::Members),
    (RuleId::new("UploadLayerPart/answer/lastValidByteReceived"), Shows::Members),
    (RuleId::new("answer/content-coding"), Shows::Http),
    (RuleId::new("answer/content-type"), Shows::Http),
    (RuleId::new("answer/framing"), Shows::Http),
    (RuleId::new("answer/status"), Shows::Status),
    (RuleId::new("answer/type-visible"), Shows::Http),
    (RuleId::new("answer/unique-members"), Shows::Http),
];

/// The rules that are judged in no response where the client shows so much of it.
pub fn unseen(shows: Shows) -> Vec<RuleId> {
    NEEDS.iter().filter(|(_, needs)| *needs > shows).map(|(rule, _)| *rule).collect()
}

const PART_SIZE_RANGE: RuleId = RuleId::new("InitiateLayerUpload/answer/partSize-range");
const LAST_VALID: Option<RuleId> = Some(RuleId::new("UploadLayerPart/answer/lastValidByteReceived"));

/// The most bytes that a part may have.
const LARGEST_PART: i64 = 20_971_520;

fn is_size_of_part(value: &Value) -> bool {
    long(value).is_some_and(|size| (1..=LARGEST_PART).contains(&size))
}

impl Subject<'_> {
    /// What is wrong with the form of a success. Where it is open whether the request succeeds, a success has its members
    /// all the same; but what is echoed may have been put into another form.
    pub(super) fn success_form(
        &self,
        exchange: &Exchange,
        seen: &Observation,
        body: &Map<String, Value>,
    ) -> Vec<Finding> {
        let open = self.step.expect.tier == Tier::Open;
        let mut found = Vec::new();
        if let Some(status) = seen.status().filter(|status| *status != 200) {
            found.push(self.form(RuleId::new("answer/status"), Got::SuccessStatus(status)));
        }
        found.extend(self.content_type(seen));
        let sent: Option<Value> = serde_json::from_slice(&exchange.request.body.abridged()).ok();
        // Of repositories the harness only wants to know whether they are there.
        let operation = self.step.spec(self.case.service).filter(|known| known.name.role() == Role::Layer);
        // An answer to an open question may list what was asked as it was asked.
        let judged = |member: &Member| !open || !matches!(member.shape.kind, Kind::List { .. });
        let members = operation.into_iter().flat_map(|known| known.output.iter().map(move |member| (known, member)));
        for (operation, member) in members.filter(|(_, member)| judged(member)) {
            let rule = RuleId::of_response(operation.name, member.name);
            let slip =
                |slip: Slip| Got::Member { head: plain_head(seen), error: None, path: String::from(member.name), slip };
            let value = body.get(member.name).filter(|value| !value.is_null());
            let echoed = sent.as_ref().and_then(|sent| sent.get(member.name)).filter(|_| member.name != "registryId");
            match (value, echoed) {
                (None, _) if member.required => found.push(self.form(rule, slip(Slip::Missing))),
                (Some(value), _) if let Err(unfit) = conforms(member.shape, value) => {
                    let mut finding = self.form(rule, slip(Slip::Malformed));
                    finding.expected = Expected::Shape { member: String::from(member.name), shape: unfit.shape() };
                    found.push(finding);
                }
                (Some(value), _) if member.name == "partSize" && !is_size_of_part(value) => {
                    let mut finding = self.form(PART_SIZE_RANGE, slip(Slip::Malformed));
                    let shape = format!("a whole number from 1 to {LARGEST_PART}");
                    finding.expected = Expected::Shape { member: String::from(member.name), shape };
                    found.push(finding);
                }
                (Some(value), _) if !open && self.is_of_another_account(member.name, value, sent.as_ref()) => {
                    let mut finding = self.form(rule, slip(Slip::OtherValue));
                    let account = self.transcript.bindings.value(&Reference::Registry).unwrap_or_default();
                    finding.expected = Expected::member(&Outcome::success(), member.name, account.to_string());
                    found.push(finding);
                }
                (Some(value), Some(echoed))
                    if !open && matches!(member.name, "repositoryName" | "uploadId") && value != echoed =>
                {
                    let mut finding = self.form(rule, slip(Slip::NotEchoed));
                    finding.expected = Expected::Echo(String::from(member.name));
                    found.push(finding);
                }
                _ => {}
            }
        }
        found
    }

    /// Whether a response names the account of somebody else, though its request names none.
    fn is_of_another_account(&self, member: &str, value: &Value, sent: Option<&Value>) -> bool {
        let named = sent.is_some_and(|sent| sent.get("registryId").is_some());
        let account = self.transcript.bindings.value(&Reference::Registry);
        member == "registryId" && !named && account.is_some_and(|own| own != *value)
    }

    /// What is wrong with the form of an allowed error.
    pub(super) fn error_form(
        &self,
        seen: &Observation,
        error: &ErrorInfo,
        allowed: &'static ErrorType,
        members: &Map<String, Value>,
    ) -> Vec<Finding> {
        if self.step.expect.tier == Tier::Open {
            return Vec::new();
        }
        let mut found = Vec::new();
        if let Some(status) = seen.status().filter(|status| !allowed.statuses.contains(status)) {
            let mut finding = self.form(RuleId::new("answer/status"), Got::ErrorStatus(status));
            finding.expected = Expected::Status(allowed.statuses[0]);
            if seen.is_taken_for_success() {
                finding.grade = Grade::State;
            }
            found.push(finding);
        }
        found.extend(self.content_type(seen));
        if seen.http().is_some() && error.typed != error.name {
            let got = match error.typed {
                None => Got::TypeNotVisible,
                Some(_) => Got::TypeDiffers,
            };
            let mut finding = self.form(RuleId::new("answer/type-visible"), got);
            finding.expected = Expected::VisibleType;
            found.push(finding);
        }
        // The framework's own errors come without a message.
        if error.message.is_none() && allowed.source == "api" {
            let mut finding = self.form(RuleId::new("answer/message"), Got::NoMessage);
            finding.expected = Expected::Message;
            found.push(finding);
        }
        if let (true, Some(text), Some(documented)) = (self.options.messages, &error.message, &allowed.message)
            && documented.rule.is_none_or(|rule| rule == self.step.expect.rule)
            && !documented.matches(text)
        {
            let mut finding =
                self.form(RuleId::new("answer/message-text"), Got::MessageText(String::from(allowed.name)));
            finding.sources = vec![String::from(documented.source)];
            finding.expected = Expected::MessageText(String::from(documented.text));
            found.push(finding);
        }
        let none = Map::new();
        let body = seen.members().unwrap_or(&none);
        if seen.shows_error_members()
            && let Some(operation) = self.step.operation
            && let Some(miss) = matching::first_miss(members, body, &self.transcript.bindings)
        {
            let own = LAST_VALID.filter(|_| miss.member == "lastValidByteReceived" && !miss.absent);
            let rule = own.unwrap_or(RuleId::of_response(operation, allowed.name));
            let got = miss.got(head(seen), Some(allowed.name));
            let mut finding = self.form(rule, got);
            finding.expected = miss.expected(&Outcome::error(allowed));
            found.push(finding);
        }
        found
    }

    /// What is wrong with a response as HTTP or as JSON, whatever it says; and what was found in what it says.
    pub(super) fn with_flaws(
        &self,
        exchange: &Exchange,
        seen: &Observation,
        found: Result<Vec<Finding>, Box<Finding>>,
    ) -> Result<Vec<Finding>, Box<Finding>> {
        let accepts_none = || exchange.request.header("accept-encoding").is_some_and(|coding| coding == "identity");
        let all = seen.http().into_iter().flat_map(|http| &http.flaws);
        // Without Accept-Encoding, every coding is acceptable: RFC 9110, 12.5.3.
        let judged = |flaw: &Flaw| match flaw.rule() == RuleId::new("answer/framing") {
            true => true,
            // Where it is open whether the request is read at all, it may have answered something else altogether.
            false => !self.is_open_protocol() && (*flaw != Flaw::Coded || accepts_none()),
        };
        let flaws: Vec<Flaw> = all.copied().filter(judged).collect();
        if flaws.is_empty() {
            return found;
        }
        let lost = flaws.iter().any(|flaw| flaw.loses_members());
        // What was lost on the way is not missing for a second reason.
        let is_lost = |finding: &Finding| lost && matches!(finding.got, Got::Member { slip: Slip::Missing, .. });
        let found = match found {
            Err(finding) if !is_lost(&finding) && finding.got != Got::NotAnObject(head(seen)) => return Err(finding),
            Err(_) => Vec::new(),
            Ok(form) => form,
        };
        let flawed = flaws.into_iter().map(|flaw| {
            let mut finding = self.form(flaw.rule(), Got::Flaw(flaw));
            finding.expected = Expected::PlainResponse;
            finding
        });
        Ok(flawed.chain(found.into_iter().filter(|finding| !is_lost(finding))).collect())
    }

    fn content_type(&self, seen: &Observation) -> Option<Finding> {
        let found = seen.http()?.content_type.as_deref().map(printable);
        let bare = found.as_deref().map(|found| found.split(';').next().unwrap_or_default().trim());
        if bare.is_some_and(|bare| bare.eq_ignore_ascii_case(CONTENT_TYPE)) {
            return None;
        }
        let mut finding = self.form(RuleId::new("answer/content-type"), Got::ContentType(bare.map(String::from)));
        finding.expected = Expected::ContentType;
        Some(finding)
    }

    fn form(&self, rule: RuleId, got: Got) -> Finding {
        *self.finding(rule, Grade::Form, got)
    }
}
