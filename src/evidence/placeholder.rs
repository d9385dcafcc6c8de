//! What belongs to an account, an endpoint or a run, and the placeholders that stand for it.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::events::Logged;
use crate::survey::Survey;

/// Longer texts end here.
const LONGEST: usize = 1000;

/// What stands for something in every run, whatever it is worth there. The first that fits counts.
type Rows = LazyLock<Vec<(Regex, &'static str)>>;

/// Of that, what may have something in it that belongs to the run: it is replaced as a whole.
static WHOLE: Rows = LazyLock::new(|| {
    compiled(&[
        // What was hidden already.
        (r"\*{8,}", "<secret>"),
        // Keys, and the ids of users and roles.
        (r"\b(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA|AGPA|ANPA|ANVA|APKA|ASCA|AIPA)[A-Z0-9]{12,}\b", "<accessKeyId>"),
        (r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s\x22'<>]*[^\s\x22'<>,.;:)]", "<url>"),
        (r"\barn:[a-z-]+:[^\s\x22'<>]*[^\s\x22'<>,.;:)]", "<arn>"),
        (
            r"(?i)\b(?:[a-z0-9-]+\.)+(?:amazonaws\.com(?:\.cn)?|api\.aws|on\.aws|ecr\.aws|cloudfront\.net)\b(?::\d+)?(?:/(?:[^\s\x22'<>]*[^\s\x22'<>,.;:)])?)?",
            "<host>",
        ),
    ])
});

/// The rest of it.
static REST: Rows = LazyLock::new(|| {
    compiled(&[
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<host>"),
        (r"\[[0-9a-fA-F:]*:[0-9a-fA-F:]*\](?::\d+)?", "<host>"),
        (r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b", "<address>"),
        (r"\b\d{8}T\d{6}Z\b", "<time>"),
        (r"\b\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)?", "<time>"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uuid>"),
        (r"\b[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}\b", "<UUID>"),
        (r"\bsha256:[0-9a-f]{64}\b", "<digest>"),
        (r"\b[0-9a-f]{32,}\b", "<hex>"),
        (r"\b[0-9A-F]{32,}\b", "<HEX>"),
        (r"[A-Za-z0-9+/=_%-]{100,}", "<text>"),
        // An account id, whoever's.
        (r"\b\d{12}\b", "<registryId>"),
    ])
});

fn compiled(rows: &[(&str, &'static str)]) -> Vec<(Regex, &'static str)> {
    rows.iter().map(|(pattern, placeholder)| (Regex::new(pattern).expect("it is a pattern"), *placeholder)).collect()
}

/// The placeholders of members, whatever text they have.
const MEMBERS: [(&str, &str); 7] = [
    ("uploadId", "<uploadId>"),
    ("registryId", "<registryId>"),
    ("repositoryName", "<repositoryName>"),
    ("repositoryUri", "<repositoryUri>"),
    ("repositoryArn", "<arn>"),
    ("downloadUrl", "<url>"),
    ("createdAt", "<time>"),
];

/// What is known to belong to a run.
#[derive(Clone, Debug, Default)]
pub struct Placeholders {
    /// Texts, longest first, and what stands for them.
    known: Vec<(String, &'static str)>,
    /// The names of repositories.
    names: Option<Regex>,
}

impl Placeholders {
    /// Of a run at an endpoint whose repositories have this in their names.
    pub fn new(endpoint: &str, name: &str) -> Placeholders {
        let mut placeholders = Placeholders { known: Vec::new(), names: pattern_of(name) };
        // With its port, and alone where it is more than a word.
        let authority = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
        let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        placeholders.add(authority, "<host>");
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        if host.contains('.') || host.contains(':') {
            placeholders.add(host, "<host>");
        }
        placeholders
    }

    /// The same, with what the survey of a service found.
    pub fn of_survey(&self, survey: &Survey) -> Placeholders {
        let mut placeholders = self.clone();
        placeholders.add(survey.account.as_deref().unwrap_or_default(), "<registryId>");
        placeholders.add(survey.alias.as_deref().unwrap_or_default(), "<registryAlias>");
        placeholders
    }

    /// The same, with the ids that the exchanges of a case have.
    pub fn of_case(&self, exchanges: &[Logged]) -> Placeholders {
        let mut placeholders = self.clone();
        for logged in exchanges {
            let bodies = [Some(&logged.body), logged.answer.as_ref()];
            let values = bodies.into_iter().flatten().filter_map(|body| serde_json::from_str::<Value>(&body.text).ok());
            for value in values {
                if let Some(id) = value.get("uploadId").and_then(Value::as_str) {
                    placeholders.add(id, "<uploadId>");
                }
            }
        }
        placeholders
    }

    /// Shorter texts stand everywhere.
    fn add(&mut self, text: &str, placeholder: &'static str) {
        const SHORTEST: usize = 5;
        if text.len() >= SHORTEST && self.known.iter().all(|(known, _)| known != text) {
            self.known.push((String::from(text), placeholder));
            self.known.sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
        }
    }

    /// A text with placeholders, as long as a reader wants it.
    pub fn text(&self, text: &str) -> String {
        let mut text = String::from(text);
        // Before what is known, which would cut them apart.
        replace(&mut text, &WHOLE);
        for (known, placeholder) in &self.known {
            text = text.replace(known.as_str(), placeholder);
        }
        if let Some(names) = &self.names {
            text = names.replace_all(&text, "<repositoryName>").into_owned();
        }
        replace(&mut text, &REST);
        bounded(&text, LONGEST)
    }

    /// JSON with placeholders in all its texts.
    pub fn json(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.json(item)).collect()),
            Value::Object(members) => Value::Object(self.members(members)),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// The same for the members of an object.
    pub fn members(&self, members: &Map<String, Value>) -> Map<String, Value> {
        let replaced = |(name, value): (&String, &Value)| (self.text(name), self.member(name, value));
        members.iter().map(replaced).collect()
    }

    fn member(&self, name: &str, value: &Value) -> Value {
        let placeholder = MEMBERS.iter().find(|(member, _)| *member == name).map(|(_, placeholder)| *placeholder);
        match (placeholder, value) {
            (Some("<registryId>"), Value::String(text)) if self.text(text) == "<registryAlias>" => self.json(value),
            (Some(placeholder), Value::String(text)) if !text.is_empty() => Value::from(placeholder),
            (Some("<time>"), Value::Number(_)) => Value::from("<time>"),
            _ => self.json(value),
        }
    }
}

/// Names with a text in them. A short one stands in many words that are none.
fn pattern_of(name: &str) -> Option<Regex> {
    const SHORT: usize = 5;
    let quoted = regex::escape(name);
    let pattern = match name.len() {
        0 => return None,
        1..=SHORT => format!(r"\b{quoted}\b"),
        _ => format!("(?i)[a-z0-9._/-]*{quoted}[a-z0-9._/-]*"),
    };
    Regex::new(&pattern).ok()
}

fn replace(text: &mut String, rows: &[(Regex, &'static str)]) {
    for (pattern, placeholder) in rows {
        if pattern.is_match(text) {
            *text = pattern.replace_all(text, *placeholder).into_owned();
        }
    }
}

/// A text of at most so many letters.
pub(super) fn bounded(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => String::from(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn placeholders() -> Placeholders {
        let mut placeholders = Placeholders::new("https://registry.corp.example:8443/", "ecrspec-1a2b3c4d");
        placeholders.add("ab12cd34-upload", "<uploadId>");
        placeholders.add("z9y8x7w6", "<registryAlias>");
        placeholders
    }

    #[test]
    fn what_belongs_to_a_run_is_replaced() {
        let rows = [
            (
                "The repository with name 'ecrspec-1a2b3c4d/0/x.y' does not exist in the registry with id '123456789012'",
                "The repository with name '<repositoryName>' does not exist in the registry with id '<registryId>'",
            ),
            ("public/ECRSPEC-1A2B3C4D-7, that is", "<repositoryName>, that is"),
            (
                "User: arn:aws:sts::123456789012:assumed-role/Admin/jane@corp.example is not authorized to perform: \
                 ecr:InitiateLayerUpload on resource: arn:aws:ecr:us-east-1:123456789012:repository/a because no policy",
                "User: <arn> is not authorized to perform: ecr:InitiateLayerUpload on resource: <arn> because no policy",
            ),
            (
                "push to 123456789012.dkr.ecr.eu-central-1.amazonaws.com/ecrspec-1a2b3c4d/0 first",
                "push to <host> first",
            ),
            ("at registry.corp.example:8443 or registry.corp.example, 10.1.2.3:5000", "at <host> or <host>, <host>"),
            ("https://bucket.s3.amazonaws.com/x?X-Amz-Signature=00ff", "<url>"),
            ("key AKIAIOSFODNN7EXAMPLE of AROACKCEVSQ6C2EXAMPLE", "key <accessKeyId> of <accessKeyId>"),
            ("upload ab12cd34-upload, not 6f1e4d9c-9f5a-4f0e-8d3f-0f1e2d3c4b5a", "upload <uploadId>, not <uuid>"),
            (
                "alias z9y8x7w6 at 20261122T104601Z or 2026-11-22T10:46:01.5Z",
                "alias <registryAlias> at <time> or <time>",
            ),
            ("signature ********", "signature <secret>"),
            (
                "should have been 'POST\n/\n\nhost:api.ecr.eu-west-1.amazonaws.com\nx-amz-date:20261122T104601Z\n\nhost;x-amz-date\n\
                 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
                "should have been 'POST\n/\n\nhost:<host>\nx-amz-date:<time>\n\nhost;x-amz-date\n<hex>'",
            ),
            (
                "'Credential=AKIAIOSFODNN7EXAMPLE/20261122/eu-west-1/ecr/aws4_request' is not a valid key=value pair",
                "'Credential=<accessKeyId>/20261122/eu-west-1/ecr/aws4_request' is not a valid key=value pair",
            ),
        ];
        for (text, expected) in rows {
            assert_eq!(placeholders().text(text), expected);
        }
    }

    #[test]
    fn the_repository_that_a_run_was_given_is_replaced() {
        let given = |name: &str, text: &str| Placeholders::new("http://127.0.0.1:5000", name).text(text);
        assert_eq!(
            given("team/canary", "repository 'Team/Canary/x' at 127.0.0.1:5000"),
            "repository '<repositoryName>' at <host>"
        );
        assert_eq!(
            given("app", "repository 'app', and what applies"),
            "repository '<repositoryName>', and what applies"
        );
    }

    #[test]
    fn what_the_service_says_is_kept() {
        for text in [
            "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String",
            "Invalid parameter at 'layerDigests' failed to satisfy constraint: 'Member must satisfy constraint: [Member \
             must satisfy regular expression pattern: [a-zA-Z0-9-_+.]+:[a-fA-F0-9]+]'",
            "First byte of the layer part is 32 instead of 10485760",
            "must satisfy regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*'",
            "{\"Output\":{\"__type\":\"com.amazon.coral.service#UnknownOperationException\"},\"Version\":\"1.0\"}",
        ] {
            assert_eq!(placeholders().text(text), text);
        }
    }

    #[test]
    fn digests_keep_their_case_and_long_texts_their_beginning() {
        let (lower, upper) = ("0123456789abcdef".repeat(4), "0123456789ABCDEF".repeat(4));
        assert_eq!(placeholders().text(&format!("sha256:{lower} sha256:{upper}")), "<digest> sha256:<HEX>");
        assert_eq!(placeholders().text(&"a, ".repeat(1000)).chars().count(), LONGEST + 1);
        assert_eq!(placeholders().text(&"/+".repeat(300)), "<text>");
    }

    #[test]
    fn members_are_replaced_by_their_names() {
        let answer = json!({
            "uploadId": "7", "registryId": "z9y8x7w6", "partSize": 10485760, "createdAt": 1.705e9,
            "layers": [{"registryId": "somebody", "layerDigest": "latest"}], "downloadUrl": "",
        });
        let expected = json!({
            "uploadId": "<uploadId>", "registryId": "<registryAlias>", "partSize": 10485760, "createdAt": "<time>",
            "layers": [{"registryId": "<registryId>", "layerDigest": "latest"}], "downloadUrl": "",
        });
        assert_eq!(placeholders().json(&answer), expected);
    }
}
