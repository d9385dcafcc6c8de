//! A case as a Python script of boto3 calls. What the case or the target says is data in it: literals, never code.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Destination, Unscriptable, plainly_written, shell, validly_signed};
use crate::case::{Case, Chunk, Length, Place, Step};
use crate::contract::name::separated;
use crate::contract::{Kind, Operation, blob};
use crate::template::{Chunks, Member, Part, Reference, Template, shown};
use crate::wire::Trust;

/// What the script begins with, after its settings.
const HELPERS: &str = r#"
made, answers = [], {}


def call(step, operation, **members):
    """Makes a call, keeps the answer, and shows it."""
    try:
        answer = getattr(client, operation)(**members)
        told = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
        if operation == "create_repository":
            made.append(members["repositoryName"])
    except ClientError as error:
        answer = error.response
        told = answer["Error"]
    answers[step] = answer
    # A name must not act on the terminal.
    print(ascii(step)[1:-1], answer["ResponseMetadata"]["HTTPStatusCode"], json.dumps(told, default=str))
    return answer


def at_once(*calls):
    """Makes calls at once."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        for done in [pool.submit(one) for one in calls]:
            done.result()


def digest(*chunks):
    return hashlib.sha256(b"".join(chunks)).hexdigest()

"#;

/// The script of a case. What boto3 does not send is for the caller to know.
///
/// # Errors
///
/// Why boto3 cannot send the case.
pub fn boto3(case: &Case, to: &Destination) -> Result<String, Unscriptable> {
    if to.repository.is_some() && case.manages_repositories() {
        return Err(Unscriptable::Repositories);
    }
    validly_signed(case)?;
    let script = Script { case };
    let mut text = String::from("#!/usr/bin/env python3\n");
    text += &shell::comment(&format!("{} ({}): {}", case.id, case.service, shown(&case.title)));
    text += "import base64\nimport concurrent.futures\nimport hashlib\nimport json\nimport os\nimport sys\n\n";
    text += "import boto3\nfrom botocore.config import Config\nfrom botocore.exceptions import ClientError\n\n";
    text += &client(case, to);
    text += HELPERS;
    text += "\ntry:\n";
    let mut lines = script.repositories(to);
    lines.extend(script.chunks());
    for group in case.groups() {
        let calls: Vec<String> = case.steps[group].iter().map(|step| script.call(step)).collect::<Result<_, _>>()?;
        match calls.as_slice() {
            [one] => lines.push(one.clone()),
            all => {
                lines.push(format!("at_once(\n    lambda: {},\n)", all.join(",\n    lambda: ").replace('\n', "\n    ")))
            }
        }
    }
    for line in lines {
        let _ = writeln!(text, "    {}", line.replace('\n', "\n    "));
    }
    text += "finally:\n    for name in made:\n        try:\n            client.delete_repository(repositoryName=name, force=True)\n";
    text += "        except client.exceptions.RepositoryNotFoundException:\n            pass\n";
    Ok(text)
}

fn client(case: &Case, to: &Destination) -> String {
    let verify = match to.trust {
        Trust::System => String::new(),
        Trust::Bundle(path) => format!(", verify={}", literal(&path.display().to_string())),
        Trust::Anyone => String::from(", verify=False"),
    };
    let identity = match to.sigv4 {
        Some(region) => format!("region_name={}", literal(region)),
        None => String::from(
            "region_name=\"us-east-1\",\n    aws_access_key_id=\"AKIDEXAMPLE\", aws_secret_access_key=\"example\"",
        ),
    };
    format!(
        "endpoint = sys.argv[1] if len(sys.argv) > 1 else {}\nclient = boto3.client(\n    {}, endpoint_url=endpoint, \
         {identity}{verify},\n    config=Config(retries={{\"total_max_attempts\": 1}}),\n)\n",
        literal(to.endpoint),
        literal(case.service.name()),
    )
}

struct Script<'a> {
    case: &'a Case,
}

impl Script<'_> {
    fn repositories(&self, to: &Destination) -> Vec<String> {
        let mut lines = match to.repository {
            Some(name) => vec![format!("repository = {}", literal(name))],
            None => vec![
                String::from("repository = f\"ecrspec-script-{os.getpid()}\""),
                String::from("call(\"repository-create\", \"create_repository\", repositoryName=repository)"),
            ],
        };
        lines.push(String::from("absent = f\"ecrspec-script-{os.getpid()}-absent\""));
        if let (Place::Own(further), None) = (&self.case.place, to.repository) {
            lines.extend(further.iter().map(|name| {
                let step = literal(&format!("repository-create-{name}"));
                let name = literal(&format!("-{name}"));
                format!("call({step}, \"create_repository\", repositoryName=repository + {name})")
            }));
        }
        let references: Vec<&Reference> = self.references().collect();
        let asks = |wanted: &Reference| references.contains(&wanted);
        if asks(&Reference::Registry) || asks(&Reference::Alias) {
            lines.push(String::from(
                "own = client.describe_repositories(repositoryNames=[repository])[\"repositories\"][0]\n\
                 registry, uri = own[\"registryId\"], own.get(\"repositoryUri\", \"\")",
            ));
        }
        if asks(&Reference::Alias) {
            lines.push(String::from("alias = uri.removesuffix(\"/\" + repository).split(\"/\", 1)[1]"));
        }
        let used: Vec<&String> = references.iter().flat_map(|reference| chunks_of(reference)).collect();
        let of_part_size = |chunk: &&Chunk| chunk.len == Length::PartSize && used.contains(&&chunk.name);
        if self.case.chunks.iter().any(|chunk| of_part_size(&chunk)) {
            lines.push(String::from(
                "part_size = client.initiate_layer_upload(repositoryName=repository)[\"partSize\"]\n\
                 if not 5242880 <= part_size <= 20971520:\n    part_size = 5242880",
            ));
        }
        lines
    }

    fn references(&self) -> impl Iterator<Item = &Reference> {
        self.case.steps.iter().flat_map(|step| step.request.body.references())
    }

    /// The bytes that the case uploads.
    fn chunks(&self) -> Vec<String> {
        let bytes = |chunk: &Chunk| match &chunk.len {
            Length::Bytes(len) => format!("os.urandom({})", (*len).min(Chunk::MAX)),
            Length::PartSize => String::from("os.urandom(part_size)"),
            Length::Text(text) => bytes(text.as_bytes()),
            Length::Literal { unit, times } => format!("{} * {times}", self::bytes(unit)),
        };
        let used: Vec<&String> = self.references().flat_map(chunks_of).collect();
        let chunks = self.case.chunks.iter().filter(|chunk| used.contains(&&chunk.name));
        let named: Vec<String> =
            chunks.map(|chunk| format!("    {}: {},", literal(&chunk.name), bytes(chunk))).collect();
        if named.is_empty() { Vec::new() } else { vec![format!("chunks = {{\n{}\n}}", named.join("\n"))] }
    }

    fn call(&self, step: &Step) -> Result<String, Unscriptable> {
        plainly_written(step)?;
        let body = || Unscriptable::Body(step.name.clone());
        let operation = step.operation.ok_or_else(body)?;
        let json = step.request.body.to_json().ok_or_else(body)?;
        let Ok(Value::Object(members)) = serde_json::from_str(&json) else { return Err(body()) };
        let mut words = vec![literal(&step.name), literal(&separated(operation.name(), '_'))];
        for (name, value) in &members {
            let value = self.member(operation, name, value)?;
            let spec = self.case.service.contract().operation(operation);
            let is_known = spec.is_some_and(|spec| spec.input(name).is_some());
            // A name that is nobody's but the case's is data as well.
            words.push(if is_known { format!("{name}={value}") } else { format!("**{{{}: {value}}}", literal(name)) });
        }
        Ok(format!("call({})", words.join(", ")))
    }

    fn member(&self, operation: Operation, name: &str, value: &Value) -> Result<String, Unscriptable> {
        let spec = self.case.service.contract().operation(operation).and_then(|spec| spec.input(name));
        let is_blob = spec.is_some_and(|member| matches!(member.shape.kind, Kind::Blob { .. }));
        match value {
            Value::String(text) if is_blob => {
                let template = Template::lenient(text);
                match template.parts() {
                    // boto3 takes bytes, and writes base64 itself.
                    [Part::Reference(Reference::Base64(chunk))] => Ok(chunk_of(chunk)),
                    parts if parts.iter().any(|part| matches!(part, Part::Reference(_))) => joined(name, parts),
                    _ => blob::bytes(text).map(|all| bytes(&all)).ok_or_else(|| Unscriptable::Body(String::from(name))),
                }
            }
            value => self.value(value),
        }
    }

    fn value(&self, value: &Value) -> Result<String, Unscriptable> {
        Ok(match value {
            Value::Null => String::from("None"),
            Value::Bool(true) => String::from("True"),
            Value::Bool(false) => String::from("False"),
            Value::Number(number) => number.to_string(),
            Value::String(text) => self.text(text)?,
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?;
                format!("[{}]", items.join(", "))
            }
            Value::Object(members) => {
                let pair = |(name, value): (&String, &Value)| Ok(format!("{}: {}", literal(name), self.value(value)?));
                let pairs: Vec<String> = members.iter().map(pair).collect::<Result<_, Unscriptable>>()?;
                format!("{{{}}}", pairs.join(", "))
            }
        })
    }

    /// A text with references: a sum of texts. A number alone is a number.
    fn text(&self, text: &str) -> Result<String, Unscriptable> {
        let template = Template::lenient(text);
        if let [Part::Reference(reference @ (Reference::Size(_) | Reference::Last(_)))] = template.parts() {
            return expression(reference);
        }
        let part = |part: &Part| match part {
            Part::Text(bytes) => Ok(literal(&String::from_utf8_lossy(bytes))),
            Part::Reference(reference @ (Reference::Size(_) | Reference::Last(_))) => {
                Ok(format!("str({})", expression(reference)?))
            }
            Part::Reference(reference) => expression(reference),
        };
        let parts: Vec<String> = template.parts().iter().map(part).collect::<Result<_, _>>()?;
        Ok(if parts.is_empty() { String::from("\"\"") } else { parts.join(" + ") })
    }
}

fn expression(reference: &Reference) -> Result<String, Unscriptable> {
    let member = |of: &Member| format!("answers[{}][{}]", literal(&of.step), literal(&of.member));
    let all = |chunks: &Chunks| chunks.names().iter().map(|name| chunk_of(name)).collect::<Vec<_>>();
    let digest = |chunks: &Chunks| format!("digest({})", all(chunks).join(", "));
    let size =
        |chunks: &Chunks| all(chunks).iter().map(|chunk| format!("len({chunk})")).collect::<Vec<_>>().join(" + ");
    Ok(match reference {
        Reference::Repository(None) => String::from("repository"),
        Reference::Repository(Some(further)) => format!("repository + {}", literal(&format!("-{further}"))),
        Reference::Absent => String::from("absent"),
        Reference::Registry => String::from("registry"),
        Reference::Alias => String::from("alias"),
        Reference::Member(of) => member(of),
        Reference::Upper(of) => format!("{}.upper()", member(of)),
        Reference::Sha256(chunks) => format!("\"sha256:\" + {}", digest(chunks)),
        Reference::Hex { chunks, upper: false } => digest(chunks),
        Reference::Hex { chunks, upper: true } => format!("{}.upper()", digest(chunks)),
        Reference::Sha256Prefix12(chunks) => format!("{}[:12]", digest(chunks)),
        Reference::Sha256LastDigitOff(chunks) => {
            let digest = digest(chunks);
            format!("{digest}[:-1] + \"123456789abcdef0\"[int({digest}[-1], 16)]")
        }
        Reference::Size(chunks) => size(chunks),
        Reference::Last(chunks) => format!("{} - 1", size(chunks)),
        Reference::Repeat { count, text } => format!("{} * {count}", literal(text)),
        Reference::Pad { length, of } => format!("({} + \"/\").ljust({length}, \"a\")", expression(of)?),
        Reference::Cut { from, to, of } => format!("({})[{from}:{to}]", expression(of)?),
        Reference::Base64(_) | Reference::Escaped { .. } => {
            return Err(Unscriptable::Reference(reference.to_string()));
        }
    })
}

/// The chunks that an expression needs.
fn chunks_of(reference: &Reference) -> &[String] {
    match reference {
        Reference::Size(chunks) | Reference::Last(chunks) => chunks.names(),
        other => other.bytes_of(),
    }
}

fn chunk_of(name: &str) -> String {
    format!("chunks[{}]", literal(name))
}

/// The bytes of base64 that is put together.
fn joined(name: &str, parts: &[Part]) -> Result<String, Unscriptable> {
    let part = |part: &Part| match part {
        Part::Text(text) => Ok(bytes(text)),
        Part::Reference(Reference::Base64(chunk)) => Ok(format!("base64.b64encode({})", chunk_of(chunk))),
        Part::Reference(Reference::Repeat { count, text }) => Ok(format!("{} * {count}", bytes(text.as_bytes()))),
        Part::Reference(_) => Err(Unscriptable::Body(String::from(name))),
    };
    let parts: Vec<String> = parts.iter().map(part).collect::<Result<_, _>>()?;
    Ok(format!("base64.b64decode({}, validate=True)", parts.join(" + ")))
}

/// A text as a literal of Python: that of JSON, but for what acts on a terminal.
fn literal(text: &str) -> String {
    let mut out = String::new();
    for letter in serde_json::Value::from(text).to_string().chars() {
        match letter {
            ' '..='~' => out.push(letter),
            letter => {
                let _ = write!(out, "\\U{:08x}", letter as u32);
            }
        }
    }
    out
}

fn bytes(all: &[u8]) -> String {
    let mut out = String::from("b\"");
    for byte in all {
        match byte {
            b'"' | b'\\' => {
                let _ = write!(out, "\\{}", char::from(*byte));
            }
            b' '..=b'~' => out.push(char::from(*byte)),
            byte => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out + "\""
}
