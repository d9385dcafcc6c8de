//! A case as a file of HTTP requests (`.http`), as editors send them: each request has a name, and what follows refers to
//! the responses of those before it, `{{upload.response.body.$.uploadId}}`. Such a file computes nothing: the bytes and their
//! digests stand in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::template::json;
use super::{Destination, Unscriptable, is_token, shell, validly_signed};
use crate::case::bindings::hex;
use crate::case::{Case, Chunk, Length, Place, Step, StepRole};
use crate::contract::Operation;
use crate::template::{Chunks, Member, Part, Reference, shown};
use crate::wire::{Framing, envelope};

/// The most bytes of a chunk that stand in a file.
const LONGEST: usize = 64 << 10;

/// The file of a case.
///
/// # Errors
///
/// Why such a file cannot have the case.
pub fn requests(case: &Case, to: &Destination) -> Result<String, Unscriptable> {
    if to.repository.is_some() && case.manages_repositories() {
        return Err(Unscriptable::Repositories);
    }
    let file = File::of(case, to)?;
    let mut text = shell::comment(&format!("{} ({}): {}", case.id, case.service, shown(&case.title)));
    for step in case.steps.iter().filter(|step| step.role == StepRole::Focus) {
        text += &shell::comment(&format!("{}: expected {}", file.name(&step.name), step.expect.short()));
    }
    let _ = writeln!(text, "@endpoint = {}\n", to.endpoint);
    let setting = |name: &str, operation: Operation, body: &str| {
        let headers = envelope::request(case.service, operation, ()).headers;
        file.block(name, "POST", &headers, body)
    };
    let mut made = Vec::new();
    if to.repository.is_none() {
        let further = if let Place::Own(further) = &case.place { further.as_slice() } else { &[] };
        let others =
            further.iter().map(|name| (format!("repository_create_{name}"), format!("{}-{name}", file.repository)));
        made = std::iter::once((String::from("repository_create"), file.repository.clone())).chain(others).collect();
    }
    for (step, name) in &made {
        let body = serde_json::json!({ "repositoryName": name }).to_string();
        text += &setting(&word(step), Operation::CreateRepository, &body)?;
    }
    for step in &case.steps {
        text += &file.step(step)?;
    }
    for (step, name) in &made {
        let body = serde_json::json!({ "force": true, "repositoryName": name }).to_string();
        text += &setting(&word(&step.replace("create", "delete")), Operation::DeleteRepository, &body)?;
    }
    Ok(text)
}

struct File<'a> {
    case: &'a Case,
    repository: String,
    /// Whether it is an existing one: then nothing tells the account.
    is_given: bool,
    /// The bytes that can stand in the file.
    chunks: BTreeMap<&'a str, Vec<u8>>,
    /// Headers of every request.
    headers: Vec<(String, String)>,
}

impl<'a> File<'a> {
    fn of(case: &'a Case, to: &Destination) -> Result<File<'a>, Unscriptable> {
        if case.is_race() {
            return Err(Unscriptable::AtOnce);
        }
        validly_signed(case)?;
        // A name of the case's own: the file is the same each time.
        let hash = Sha256::digest(&case.id);
        let own = || format!("ecrspec-http-{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3]);
        let mut headers = to.headers.to_vec();
        if let Some(region) = to.sigv4 {
            let keys = "{{$processEnv AWS_ACCESS_KEY_ID}} {{$processEnv AWS_SECRET_ACCESS_KEY}}";
            let scope = format!("region:{region} service:{}", case.service.contract().signing_name);
            headers.push((String::from("Authorization"), format!("AWS {keys} {scope}")));
        }
        let chunks = case.chunks.iter().filter_map(|chunk| Some((chunk.name.as_str(), content(case, chunk)?)));
        let repository = to.repository.map_or_else(own, json);
        Ok(File { case, repository, is_given: to.repository.is_some(), chunks: chunks.collect(), headers })
    }

    /// The name of a step, as a variable has it.
    fn name(&self, step: &str) -> String {
        word(step)
    }

    fn step(&self, step: &Step) -> Result<String, Unscriptable> {
        let request = &step.request;
        if request.framing != Framing::Length {
            return Err(Unscriptable::Framing);
        }
        let mut body = String::new();
        for part in request.body.parts() {
            match part {
                Part::Text(bytes) => {
                    let text = std::str::from_utf8(bytes).map_err(|_| Unscriptable::Body(step.name.clone()))?;
                    body += text;
                }
                Part::Reference(reference) => body += &self.reference(reference)?,
            }
        }
        let plain = request.body.parts().iter().all(|part| match part {
            Part::Text(bytes) => !String::from_utf8_lossy(bytes).contains("{{") && !bytes.contains(&b'\n'),
            Part::Reference(_) => true,
        });
        // Elsewhere it would be a variable, or the end of the request; and editors cut white space off.
        if !plain || body.trim() != body || body.chars().any(char::is_control) {
            return Err(Unscriptable::Body(step.name.clone()));
        }
        self.block(&self.name(&step.name), &request.method, &request.headers, &body)
    }

    fn block(
        &self,
        name: &str,
        method: &str,
        headers: &[(String, String)],
        body: &str,
    ) -> Result<String, Unscriptable> {
        if !is_token(method) {
            return Err(Unscriptable::Method(String::from(method)));
        }
        let mut text = format!("###\n# @name {name}\n{method} {{{{endpoint}}}}\n");
        for (name, value) in headers.iter().chain(&self.headers) {
            let is_plain = is_token(name) && !value.chars().any(char::is_control) && value.trim() == value;
            if !is_plain || value.is_empty() {
                return Err(Unscriptable::Header(format!("{name}: {value}")));
            }
            let _ = writeln!(text, "{name}: {value}");
        }
        let _ = writeln!(text, "\n{body}\n");
        Ok(text)
    }

    fn reference(&self, reference: &Reference) -> Result<String, Unscriptable> {
        let none = || Unscriptable::Reference(reference.to_string());
        let digest = |chunks: &Chunks| {
            let digest = Sha256::digest(self.bytes(chunks)?);
            Ok::<String, Unscriptable>(hex(&digest))
        };
        Ok(match reference {
            Reference::Repository(None) => self.repository.clone(),
            Reference::Repository(Some(further)) => format!("{}-{further}", self.repository),
            Reference::Absent => format!("{}-absent", self.repository),
            Reference::Registry if self.is_given => return Err(none()),
            Reference::Registry => String::from("{{repository_create.response.body.$.repository.registryId}}"),
            Reference::Member(Member { step, member }) => {
                let is_plain = member.bytes().all(|byte| byte.is_ascii_alphanumeric());
                let known = self.case.steps.iter().any(|own| own.name == *step);
                (is_plain && known)
                    .then(|| format!("{{{{{}.response.body.$.{member}}}}}", self.name(step)))
                    .ok_or_else(none)?
            }
            Reference::Base64(chunk) => {
                let bytes = self.chunks.get(chunk.as_str()).ok_or_else(|| Unscriptable::Large(chunk.clone()))?;
                STANDARD.encode(bytes)
            }
            Reference::Sha256(chunks) => format!("sha256:{}", digest(chunks)?),
            Reference::Hex { chunks, upper } => {
                let hex = digest(chunks)?;
                if *upper { hex.to_uppercase() } else { hex }
            }
            Reference::Sha256Prefix12(chunks) => digest(chunks)?[..12].to_string(),
            Reference::Sha256LastDigitOff(chunks) => {
                let hex = digest(chunks)?;
                let last = hex.chars().last().and_then(|digit| digit.to_digit(16)).unwrap_or_default();
                format!("{}{:x}", &hex[..63], (last + 1) % 16)
            }
            Reference::Size(chunks) => self.bytes(chunks)?.len().to_string(),
            Reference::Last(chunks) => self.bytes(chunks)?.len().checked_sub(1).ok_or_else(none)?.to_string(),
            Reference::Repeat { count, text } if count.saturating_mul(text.len()) <= LONGEST => text.repeat(*count),
            Reference::Pad { length, of } if matches!(**of, Reference::Repository(_) | Reference::Absent) => {
                let start = format!("{}/", self.reference(of)?);
                let missing = length.checked_sub(start.len()).ok_or_else(none)?;
                start + &"a".repeat(missing)
            }
            Reference::Cut { from, to, of } if !matches!(**of, Reference::Member(_) | Reference::Registry) => {
                self.reference(of)?.get(*from..*to).map(String::from).ok_or_else(none)?
            }
            _ => return Err(none()),
        })
    }

    fn bytes(&self, chunks: &Chunks) -> Result<Vec<u8>, Unscriptable> {
        let of = |name: &String| self.chunks.get(name.as_str()).ok_or_else(|| Unscriptable::Large(name.clone()));
        Ok(chunks.names().iter().map(of).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().copied().collect())
    }
}

/// The bytes of a chunk, the same each time, if they can stand in a file.
fn content(case: &Case, chunk: &Chunk) -> Option<Vec<u8>> {
    if chunk.len == Length::PartSize || chunk.bytes() > LONGEST {
        return None;
    }
    Some(match &chunk.len {
        Length::Text(text) => Vec::from(text.as_bytes()),
        Length::Literal { unit, times } => unit.repeat(*times),
        Length::Bytes(_) | Length::PartSize => {
            let block = |number: usize| Sha256::digest(format!("{}/{}/{number}", case.id, chunk.name)).to_vec();
            let mut bytes: Vec<u8> = (0..=chunk.bytes() / 32).flat_map(block).collect();
            bytes.truncate(chunk.bytes());
            bytes
        }
    })
}

/// A text as the name of a variable.
fn word(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}
