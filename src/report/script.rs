//! A case as a shell script of `curl` calls: the whole chain, for people who do not have ecrspec.
//!
//! References become shell: captures are cut out of answers with `sed`, digests come from `sha256sum`, bytes from
//! `/dev/urandom`.

use std::fmt::Write as _;

use crate::case::{Case, Length, Place, Step, StepRole};
use crate::contract::Operation;
use crate::expect::shown;
use crate::wire::Framing;

/// The script of a case against an endpoint. `headers` are sent with every request beside the case's own.
///
/// # Errors
///
/// Why a shell cannot send the case: bytes that are no text, or a reference without a meaning in a script.
pub fn script(case: &Case, endpoint: &str, headers: &[(String, String)]) -> Result<String, String> {
    let mut text = format!("#!/bin/sh\n# {} ({}): {}\n", case.id, case.service, shown(&case.title));
    for step in case.steps.iter().filter(|step| step.role == StepRole::Focus) {
        let _ = writeln!(text, "echo '{}: expected {}'", step.name, step.expect.short());
    }
    if case.is_race() {
        text += "# Some calls go out at once. What they come to differs from time to time: run it again and again.\n";
    }
    text += "set -eu\n";
    let _ = writeln!(text, "endpoint=${{1:-{endpoint}}}");
    text += "repository=ecrspec-script-$$\ncd \"$(mktemp -d)\"\n";
    text += "member() { sed -n 's/.*\"'\"$1\"'\" *: *\"\\{0,1\\}\\([^\",}]*\\).*/\\1/p' \"$2.json\"; }\n";
    let _ = writeln!(text, "call() {{\n  step=$1; shift");
    let _ =
        writeln!(text, "  curl -sS -o \"$step.json\" -w \"$step %{{http_code}} \" {} \"$@\" \\", header_flags(headers));
    text += "    --data-binary \"@${body:-body.json}\" \"$endpoint\" || true\n  cat \"$step.json\"; echo\n}\n";
    for chunk in &case.chunks {
        let made = match &chunk.len {
            Length::Bytes(len) => format!("head -c {len} /dev/urandom"),
            Length::PartSize => String::from("head -c 10485760 /dev/urandom"),
            Length::Text(text) => format!("printf '%s' {}", shlex::try_quote(text).map_err(|error| error.to_string())?),
        };
        let _ = writeln!(text, "{made} > {}", chunk.name);
    }
    let mut made = vec![String::from("$repository")];
    if let Place::Own(names) = &case.place {
        made.extend(names.iter().map(|name| format!("$repository-{name}")));
    }
    for name in &made {
        text += &plain_call(case, Operation::CreateRepository, name);
    }
    for group in case.groups() {
        let steps = &case.steps[group];
        match steps {
            [step] => text += &call(step, "body.json")?.concat(),
            _ => {
                let calls: Vec<[String; 2]> =
                    steps.iter().map(|step| call(step, &format!("{}.body", step.name))).collect::<Result<_, _>>()?;
                calls.iter().for_each(|[ready, _]| text += ready);
                text += "\n# at once\n";
                for (step, [_, sent]) in steps.iter().zip(&calls) {
                    let _ = writeln!(text, "(body={}.body; {}) > {}.out &", step.name, sent.trim_end(), step.name);
                }
                let outs: Vec<String> = steps.iter().map(|step| format!("{}.out", step.name)).collect();
                let _ = writeln!(text, "wait\ncat {}", outs.join(" "));
            }
        }
    }
    text += "\n# clean up\n";
    for step in case.steps.iter().filter(|step| step.operation == Some(Operation::CreateRepository)) {
        let (body, _) = body(std::str::from_utf8(&step.request.body).unwrap_or_default())?;
        text += &format!("printf '%s' \"{body}\" > body.json\ncall DeleteRepository {} > DeleteRepository.txt\n", {
            header_flags(
                &crate::wire::envelope::request(case.service, Operation::DeleteRepository, bytes::Bytes::new()).headers,
            )
        });
    }
    for name in &made {
        text += &plain_call(case, Operation::DeleteRepository, name);
    }
    Ok(text)
}

fn plain_call(case: &Case, operation: Operation, repository: &str) -> String {
    let request = crate::wire::envelope::request(case.service, operation, bytes::Bytes::new());
    let force = if operation == Operation::DeleteRepository { ",\\\"force\\\":true" } else { "" };
    format!(
        "printf '%s' \"{{\\\"repositoryName\\\":\\\"{repository}\\\"{force}}}\" > body.json\ncall {operation} {} > {operation}.txt\n",
        header_flags(&request.headers)
    )
}

/// What makes the body of a step ready in a file, and what sends it.
fn call(step: &Step, file: &str) -> Result<[String; 2], String> {
    let template = std::str::from_utf8(&step.request.body).map_err(|_| String::from("its body is no text"))?;
    let (body, captures) = body(template)?;
    let mut text = format!("\n# {}: {}\n", step.name, step.operation_name());
    for (variable, step, member) in captures {
        let _ = writeln!(text, "{variable}=$(member {member} {step})");
    }
    let _ = writeln!(text, "printf '%s' \"{body}\" > {file}");
    Ok([text, format!("call {}{}\n", step.name, flags(step))])
}

/// What curl must be told of a request beside its body.
fn flags(step: &Step) -> String {
    let request = &step.request;
    let mut flags = String::new();
    if request.method != "POST" {
        flags += &format!(" -X {}", request.method);
    }
    flags += &format!(" {}", header_flags(&request.headers));
    if request.header("content-type").is_none() {
        flags += " -H 'Content-Type:'"; // Without it, curl sends one of its own.
    }
    flags
        + match request.framing {
            Framing::Chunked => " -H 'Transfer-Encoding: chunked'",
            Framing::ExpectContinue => " -H 'Expect: 100-continue'",
            Framing::Length | Framing::Verbatim => "",
        }
}

fn header_flags(headers: &[(String, String)]) -> String {
    headers.iter().map(|(name, value)| format!("-H '{name}: {value}'")).collect::<Vec<_>>().join(" ")
}

/// A variable that a step needs, with the step and the member that it is cut out of.
type Capture = (String, String, String);

/// A template inside double quotes of a shell, and what it captures.
fn body(template: &str) -> Result<(String, Vec<Capture>), String> {
    let mut out = String::new();
    let mut captures = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, tail) = after.split_once('}').ok_or("a reference without an end")?;
        out += &quoted(before);
        out += &reference(name, &mut captures)?;
        rest = tail;
    }
    Ok((out + &quoted(rest), captures))
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace('`', "\\`")
}

fn reference(name: &str, captures: &mut Vec<Capture>) -> Result<String, String> {
    let digest = |chunks: &str| format!("$(cat {} | sha256sum | cut -d' ' -f1)", chunks.replace('+', " "));
    let mut capture = |name: &str| {
        let (step, member) = name.split_once('.').ok_or_else(|| format!("no meaning for {name}"))?;
        let variable = name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        captures.push((variable.clone(), String::from(step), String::from(member)));
        Ok::<String, String>(variable)
    };
    Ok(match name.split_once(':') {
        None if name == "repository" => String::from("$repository"),
        None if name == "absent" => String::from("$repository-absent"),
        None if name == "registry" => String::from("$(member registryId CreateRepository)"),
        None => format!("${{{}}}", capture(name)?),
        Some(("repository", other)) => format!("$repository-{other}"),
        Some(("base64", chunk)) => format!("$(base64 < {chunk} | tr -d '\\n')"),
        Some(("sha256", chunks)) => format!("sha256:{}", digest(chunks)),
        Some(("hex", chunks)) => digest(chunks),
        Some(("short", chunks)) => format!("$(cat {} | sha256sum | cut -c1-12)", chunks.replace('+', " ")),
        Some(("nearly", chunks)) => {
            let digits = format!("cat {} | sha256sum", chunks.replace('+', " "));
            format!("$({digits} | cut -c1-63)$({digits} | cut -c64 | tr 0-9a-f 1-9a-f0)")
        }
        Some(("HEX", chunks)) => format!("$(printf %s {} | tr a-f A-F)", digest(chunks)),
        Some(("upper", name)) => format!("$(printf %s \"${{{}}}\" | tr a-z A-Z)", capture(name)?),
        Some(("size", chunks)) => format!("$(cat {} | wc -c | tr -d ' ')", chunks.replace('+', " ")),
        Some(("last", chunks)) => format!("$(($(cat {} | wc -c) - 1))", chunks.replace('+', " ")),
        Some(("pad", rest)) => match rest.split_once(':') {
            Some((length, "repository")) => {
                format!("$repository/$(printf '%*s' $(({length} - ${{#repository}} - 1)) '' | tr ' ' a)")
            }
            _ => return Err(format!("no meaning for {name}")),
        },
        Some(("repeat", rest)) => match rest.split_once(':') {
            Some((count, text)) if text.len() == 1 => format!("$(printf '%*s' {count} '' | tr ' ' '{text}')"),
            _ => return Err(format!("no meaning for {name}")),
        },
        Some(_) => return Err(format!("no meaning for {name}")),
    })
}
