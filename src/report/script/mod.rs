//! A case as a shell script of `curl` calls: the whole chain, for people who do not have ecrspec.
//!
//! References become shell: captures are cut out of answers with `awk`, digests come from `sha256sum`, bytes from
//! `/dev/urandom`. Whatever a case or a target says stays data: words are quoted by [`shell`], files and variables have
//! names that are made here, and what an answer gave is kept as JSON text in a variable that only `printf %s` prints.

mod aws;
mod helpers;
mod python;
mod requests;
mod rust;
mod template;

use std::fmt::Write as _;
use std::path::PathBuf;

use bytes::Bytes;

use super::shell;
use crate::case::{Case, Chunk, Length, Place, Step, StepRole};
use crate::contract::{Operation, Service};
use crate::template::{Reference, Template, shown};
use crate::wire::{ClientCertificate, Framing, Request, Signature, Trust, envelope};

pub use python::boto3;
pub use requests::requests;
pub use rust::rust;

use helpers::Helper;
use template::{Names, json};

/// Where a script sends its calls.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    /// The address, unless the script is given another one.
    pub endpoint: &'a str,
    /// Which certificates of it are accepted.
    pub trust: &'a Trust,
    /// The certificate that it is shown if it asks for one.
    pub certificate: Option<&'a ClientCertificate>,
    /// What is sent with every request besides the case's own headers.
    pub headers: &'a [(String, String)],
    /// The region for which calls are signed with the credentials of the environment; without one, they are not.
    pub sigv4: Option<&'a str>,
    /// An existing repository to work in, instead of one that the script makes.
    pub repository: Option<&'a str>,
}

/// Why a shell cannot send a case.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unscriptable {
    /// It makes repositories, and must work in an existing one.
    #[error("the case needs repositories of its own: leave out --repository")]
    Repositories,
    /// It names the registry by its alias, and must work in an existing repository: only CreateRepository tells the alias.
    #[error("the case needs the alias of the registry, which a new repository tells: leave out --repository")]
    Alias,
    /// A method that curl does not send, or whose answer it does not read.
    #[error("curl cannot send the method {0:?}")]
    Method(String),
    /// A header that curl does not send as it is.
    #[error("curl cannot send the header {0:?}")]
    Header(String),
    /// A signature that is wrong in some way.
    #[error("the client does not send {0}")]
    Signature(Signature),
    /// A body that the client does not write.
    #[error("the body of {0} is none that the client writes")]
    Body(String),
    /// A framing that the client does not choose.
    #[error("the client chooses the framing")]
    Framing,
    /// Calls that are sent at once.
    #[error("the requests of a file are sent one after the other, and the case sends some at once")]
    AtOnce,
    /// Bytes that cannot stand in a file.
    #[error("the bytes of {0} are too many to stand in the file")]
    Large(String),
    /// A reference without a meaning in a script.
    #[error("no command stands for ${{{0}}}")]
    Reference(String),
    /// Text that cannot be a word of a shell.
    #[error(transparent)]
    Nul(#[from] shell::Nul),
}

/// What sends the calls of a shell script.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Tool {
    Curl,
    AwsCli,
}

/// The script of a case, with curl.
///
/// # Errors
///
/// Why a shell cannot send the case.
pub fn script(case: &Case, to: &Destination) -> Result<String, Unscriptable> {
    with(Tool::Curl, case, to)
}

/// The script of a case, with the AWS CLI. What that does not send is for the caller to know.
///
/// # Errors
///
/// Why a shell cannot send the case.
pub fn aws_cli(case: &Case, to: &Destination) -> Result<String, Unscriptable> {
    with(Tool::AwsCli, case, to)
}

fn with(tool: Tool, case: &Case, to: &Destination) -> Result<String, Unscriptable> {
    if to.repository.is_some() && case.manages_repositories() {
        return Err(Unscriptable::Repositories);
    }
    validly_signed(case)?;
    let mut names = Names::of(case, to.repository);
    let calls = calls(tool, case, &mut names)?;
    let chunks = chunks(&mut names);
    if tool == Tool::AwsCli && to.repository.is_some() && names.helpers.contains(&Helper::Registry) {
        return Err(Unscriptable::Alias);
    }
    let survey = survey(tool, case, to, &mut names)?;
    let mut text = head(case, to, &names)?;
    text += &end(tool, case, to)?;
    text += &match tool {
        Tool::Curl => call_function(case.service, to)?,
        Tool::AwsCli => aws::call_function(case.service, to)?,
    };
    for helper in &names.helpers {
        text += &helper.text();
    }
    text += &repositories(tool, case, to)?;
    text += &survey;
    text += &chunks;
    Ok(text + &calls)
}

/// That no request of a case is to have a wrong signature: clients sign by themselves.
fn validly_signed(case: &Case) -> Result<(), Unscriptable> {
    let odd = case.steps.iter().map(|step| step.request.signature).find(|signature| !signature.is_valid());
    odd.map_or(Ok(()), |signature| Err(Unscriptable::Signature(signature)))
}

/// That the JSON of a step is written as any client writes it: one that reads a body and writes it again leaves no escapes.
fn plainly_written(step: &Step) -> Result<(), Unscriptable> {
    let odd = |reference: &Reference| matches!(reference, Reference::Escaped { .. });
    match step.request.body.references().any(odd) {
        true => Err(Unscriptable::Body(step.name.clone())),
        false => Ok(()),
    }
}

/// What the script is, and where it works.
fn head(case: &Case, to: &Destination, names: &Names) -> Result<String, Unscriptable> {
    let mut text = String::from("#!/bin/sh\n");
    text += &shell::comment(&format!("{} ({}): {}", case.id, case.service, shown(&case.title)));
    if case.is_race() {
        text += "# Some calls go out at once. What they come to differs from time to time: run it again and again.\n";
    }
    text += "set -eu\nLC_ALL=C\nexport LC_ALL\n";
    for step in case.steps.iter().filter(|step| step.role == StepRole::Focus) {
        let line = format!("{}: expected {}", names.step(step), step.expect.short());
        let _ = writeln!(text, "printf '%s\\n' {}", shell::word(&line)?);
    }
    let _ = writeln!(text, "endpoint={} # or the first argument", shell::word(to.endpoint)?);
    text += "if [ $# -gt 0 ]; then endpoint=$1; fi\n";
    match to.repository {
        Some(name) => {
            let _ = writeln!(text, "repository={} # as it stands in JSON", shell::word(&json(name))?);
        }
        None => text += "repository=ecrspec-script-$$\n",
    }
    text += "absent=ecrspec-script-$$-absent\nfolder=$(mktemp -d)\ncd \"$folder\"\n\n";
    Ok(text)
}

/// What happens at the end, however it comes: repositories and files are removed.
fn end(tool: Tool, case: &Case, to: &Destination) -> Result<String, Unscriptable> {
    let mut text =
        String::from("# Removes what was made, whatever happened.\nend() {\n  code=$?\n  trap - EXIT\n  set +e\n");
    if to.repository.is_none() {
        let delete = plain(tool, case.service, Operation::DeleteRepository)?;
        let _ = write!(
            text,
            r#"  if [ -f made ]; then
    while IFS= read -r name; do
      printf %s '{{"force":true,"repositoryName":"' "$name" '"}}' > repository-delete.body
      (call repository-delete {delete}) > repository-delete.out 2>&1
      case "$(cat repository-delete.status)" in
      2??) ;;
      *) grep -q RepositoryNotFoundException repository-delete.json || printf '%s\n' "$name may still be there" >&2 ;;
      esac
    done < made
  fi
"#
        );
    }
    text += "  rm -rf \"$folder\"\n  exit \"$code\"\n}\ntrap end EXIT\ntrap 'exit 129' HUP\ntrap 'exit 130' INT\ntrap 'exit 143' TERM\n\n";
    Ok(text)
}

/// The function that sends one request. Without an answer, nothing that follows would mean anything.
fn call_function(service: Service, to: &Destination) -> Result<String, Unscriptable> {
    let headers = header_flags(to.headers)?;
    let headers = if headers.is_empty() { headers } else { format!("{headers} ") };
    let trust = trust_flags(to)?;
    let (signature, before, signing) = match to.sigv4 {
        None => (String::new(), "", ""),
        Some(region) => (format!(" {}", sigv4_flag(service, region)?), "credentials | ", CREDENTIALS),
    };
    let config = if to.sigv4.is_some() { " -K -" } else { "" };
    Ok(format!(
        r#"{signing}# call STEP FLAG...: sends STEP.body, keeps the answer in STEP.json, and shows it.
call() {{
  step=$1
  shift
  : > "$step.json"
  {before}curl -q{config} -sS -g --http1.1 --noproxy '*' --proto =http,https --connect-timeout 10 -m 100{trust}{signature} \
    -o "$step.json" -w '%{{http_code}}' "$@" {headers}--data-binary "@$step.body" --url "$endpoint" > "$step.status" || {{
    code=$?
    printf '%s\n' "$step: no answer" >&2
    exit "$code"
  }}
  printf '%s %s ' "$step" "$(cat "$step.status")"
  tr '\000-\010\013-\037\177-\377' '?' < "$step.json"
  echo
}}
"#
    ))
}

/// The function that tells curl the credentials of the environment, which no other process sees.
const CREDENTIALS: &str = r#": "${AWS_ACCESS_KEY_ID:?}" "${AWS_SECRET_ACCESS_KEY:?}"
# The credentials, as curl reads them from its standard input.
credentials() {
  printf 'user = "%s:%s"\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY"
  if [ -n "${AWS_SESSION_TOKEN:-}" ]; then printf 'header = "X-Amz-Security-Token: %s"\n' "$AWS_SESSION_TOKEN"; fi
}
"#;

/// The flag with which curl signs.
pub(super) fn sigv4_flag(service: Service, region: &str) -> Result<String, Unscriptable> {
    let scope = format!("aws:amz:{region}:{}", service.contract().signing_name);
    Ok(format!("--aws-sigv4 {}", shell::word(&scope)?))
}

/// What the AWS CLI must be told of certificates, with a space before it.
fn trust_words(trust: &Trust) -> Result<String, Unscriptable> {
    Ok(match trust {
        Trust::System => String::new(),
        Trust::Bundle(path) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            format!(" --ca-bundle {}", shell::word(&path.display().to_string())?)
        }
        Trust::Anyone => String::from(" --no-verify-ssl"),
    })
}

/// What curl must be told of certificates, with a space before it. The script works in a folder of its own.
fn trust_flags(to: &Destination) -> Result<String, Unscriptable> {
    let absolute = match to.trust {
        Trust::Bundle(path) => Trust::Bundle(std::path::absolute(path).unwrap_or_else(|_| path.clone())),
        other => other.clone(),
    };
    let mut flags = absolute.curl_flags();
    if let Some(ClientCertificate { certificate, key }) = to.certificate {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let own = ClientCertificate { certificate: absolute(certificate), key: absolute(key) };
        flags.extend(own.curl_flags());
    }
    let flags = shell::command(flags.iter().map(String::as_str))?;
    Ok(if flags.is_empty() { flags } else { format!(" {flags}") })
}

/// The functions that make repositories, and those of the case.
fn repositories(tool: Tool, case: &Case, to: &Destination) -> Result<String, Unscriptable> {
    if to.repository.is_some() {
        return Ok(String::new());
    }
    let create = plain(tool, case.service, Operation::CreateRepository)?;
    let mut text = format!(
        r#"# create NAME: a repository to work in.
create() {{
  printf %s '{{"repositoryName":"' "$1" '"}}' > repository-create.body
  (call repository-create {create}) > repository-create.out || {{
    code=$?
    # It may have been made all the same, unless there was no connection.
    if [ "$code" -ne 7 ]; then printf '%s\n' "$1" >> made; fi
    exit "$code"
  }}
  case "$(cat repository-create.status)" in
  2??) printf '%s\n' "$1" >> made ;;
  *)
    cat repository-create.out
    echo 'could not create a repository' >&2
    exit 1
    ;;
  esac
}}
"#
    );
    if case.steps.iter().any(makes_a_repository) {
        text += r#"# note STEP: what the step made is removed at the end.
note() {
  case "$(cat "$1.status")" in
  2??) if name=$(member "$1.body" repositoryName); then printf '%s\n' "$name" >> made; fi ;;
  esac
}
"#;
    }
    text += "\ncreate \"$repository\"\n";
    if let Place::Own(further) = &case.place {
        for name in further {
            let _ = writeln!(text, "create \"$repository\"{}", shell::word(&format!("-{}", json(name)))?);
        }
    }
    Ok(text)
}

fn makes_a_repository(step: &Step) -> bool {
    step.operation == Some(Operation::CreateRepository)
}

/// The calls that tell what the case must know of the target.
fn survey(tool: Tool, case: &Case, to: &Destination, names: &mut Names) -> Result<String, Unscriptable> {
    let (registry, size) = (names.helpers.contains(&Helper::Registry), names.helpers.contains(&Helper::PartSize));
    let mut text = String::new();
    let alias = names.helpers.contains(&Helper::Alias);
    if registry || size || alias {
        names.helpers.insert(Helper::Member);
    }
    let flags = |operation| plain(tool, case.service, operation);
    let asks = registry && to.repository.is_some();
    if size || asks {
        let initiate = flags(Operation::InitiateLayerUpload)?;
        text += "\n# What the target says of itself.\n";
        text += "printf %s '{\"repositoryName\":\"' \"$repository\" '\"}' > survey.body\n";
        let _ = writeln!(text, "call survey {initiate} > survey.out");
    }
    if size {
        text += "part_size=$(member survey.json partSize) || part_size=0
case \"$part_size\" in
'' | *[!0-9]* | ?????????*) part_size=0 ;;
esac
if [ \"$part_size\" -lt 5242880 ] || [ \"$part_size\" -gt 20971520 ]; then part_size=5242880; fi\n";
    }
    if asks {
        let part = flags(Operation::UploadLayerPart)?;
        text += "id=$(member survey.json uploadId)
printf %s '{\"repositoryName\":\"' \"$repository\" '\",\"uploadId\":\"' \"$id\" '\",\"partFirstByte\":0,' > survey-part.body
printf %s '\"partLastByte\":2,\"layerPartBlob\":\"AAAA\"}' >> survey-part.body\n";
        let _ = writeln!(text, "call survey-part {part} > survey.out\nregistry=$(member survey-part.json registryId)");
    } else if registry {
        text += "registry=$(member repository-create.json repository registryId)\n";
    }
    if alias {
        // What was made last may be a further repository, whose name is longer.
        text += r#"
# The alias stands before the name of the repository.
alias=$(member repository-create.json repository repositoryUri)
case "$alias" in
*/*/"$repository"*) alias=${alias%"/$repository"*} alias=${alias#*/} ;;
*)
  printf '%s\n' "no alias in $alias" >&2
  exit 1
  ;;
esac
"#;
    }
    Ok(text)
}

/// The bytes that the case uploads, as far as it does.
fn chunks(names: &mut Names) -> String {
    let mut script = String::new();
    for (chunk, file) in names.used_chunks() {
        let _ = match &chunk.len {
            Length::Bytes(0) => writeln!(script, ": > {file}"),
            Length::Bytes(len) => writeln!(script, "head -c {} /dev/urandom > {file}", (*len).min(Chunk::MAX)),
            Length::Text(text) => writeln!(script, "printf {} > {file}", shell::format(text.as_bytes())),
            Length::Literal { unit, times } => {
                let _ = writeln!(script, "printf {} > {file}", shell::format(unit));
                match times {
                    1 => Ok(()),
                    _ => {
                        names.helpers.insert(Helper::Grow);
                        writeln!(script, "grow {} {file}", chunk.bytes())
                    }
                }
            }
            Length::PartSize => {
                names.helpers.insert(Helper::PartSize);
                writeln!(script, "head -c \"$part_size\" /dev/urandom > {file}")
            }
        };
    }
    if script.is_empty() { script } else { format!("\n{script}") }
}

/// The steps of the case, as they follow each other.
fn calls<'a>(tool: Tool, case: &'a Case, names: &mut Names<'a>) -> Result<String, Unscriptable> {
    let mut text = String::new();
    if case.steps.iter().any(makes_a_repository) {
        names.helpers.insert(Helper::Member);
    }
    for group in case.groups() {
        names.answered(&case.steps[..group.start]);
        let steps = &case.steps[group];
        for step in steps {
            text += &match tool {
                Tool::Curl => ready(step, names)?,
                Tool::AwsCli => aws::ready(step, names)?,
            };
        }
        match steps {
            [step] => {
                let _ = writeln!(text, "call {} {}", names.step(step), flags(tool, case, step)?);
            }
            _ => {
                text += "\n# at once\nset --\n";
                let outs: Vec<String> = steps.iter().map(|step| format!("{}.out", names.step(step))).collect();
                for (step, out) in steps.iter().zip(&outs) {
                    let flags = flags(tool, case, step)?;
                    let _ = writeln!(text, "(call {} {flags}) > {out} 2>&1 &", names.step(step));
                    text += "set -- \"$@\" \"$!\"\n";
                }
                text += "code=0\nfor process do wait \"$process\" || code=$?; done\n";
                let _ = writeln!(text, "cat {}\nif [ \"$code\" -ne 0 ]; then exit \"$code\"; fi", outs.join(" "));
            }
        }
        for step in steps.iter().filter(|step| makes_a_repository(step)) {
            let _ = writeln!(text, "note {}", names.step(step));
        }
    }
    Ok(text)
}

/// What makes the body of a step ready in its file.
fn ready<'a>(step: &'a Step, names: &mut Names<'a>) -> Result<String, Unscriptable> {
    let body = names.body(&step.request.body)?;
    let name = String::from(names.step(step));
    let own = if name == step.name { String::new() } else { format!(" ({})", step.name) };
    let captures = body.captures.clone();
    let about = shell::comment(&format!("{name}{own}: {}", step.operation_name()));
    Ok(format!("\n{about}{captures}{}", body.into_file(&format!("{name}.body"))))
}

fn flags(tool: Tool, case: &Case, step: &Step) -> Result<String, Unscriptable> {
    let request = &step.request;
    match (tool, step.operation) {
        (Tool::Curl, _) => request_flags(&request.method, &request.headers, request.framing, is_large(case, request)),
        (Tool::AwsCli, Some(operation)) => Ok(aws::subcommand(operation)),
        (Tool::AwsCli, None) => Err(Unscriptable::Body(step.name.clone())),
    }
}

/// What a call of an operation is told that has nothing unusual.
fn plain(tool: Tool, service: Service, operation: Operation) -> Result<String, Unscriptable> {
    match tool {
        Tool::Curl => header_flags(&envelope::request(service, operation, Bytes::new()).headers),
        Tool::AwsCli => Ok(aws::subcommand(operation)),
    }
}

/// What curl must be told of a request besides its body.
pub(super) fn request_flags(
    method: &str,
    headers: &[(String, String)],
    framing: Framing,
    large: bool,
) -> Result<String, Unscriptable> {
    let mut flags = Vec::new();
    if method != "POST" {
        // To HEAD, curl would wait for a body that does not come.
        if !is_token(method) || method == "HEAD" {
            return Err(Unscriptable::Method(String::from(method)));
        }
        flags.push(format!("-X {}", shell::word(method)?));
    }
    flags.push(header_flags(headers)?);
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        flags.push(String::from("-H Content-Type:")); // Without it, curl sends one of its own.
    }
    match framing {
        _ if framing.is_chunked() => flags.push(String::from("-H 'Transfer-Encoding: chunked'")),
        Framing::ExpectContinue => flags.push(String::from("-H 'Expect: 100-continue'")),
        // Without it, curl asks before it sends a large body.
        _ if large => flags.push(String::from("-H Expect:")),
        _ => {}
    }
    flags.retain(|flag| !flag.is_empty());
    Ok(flags.join(" "))
}

/// Whether a body may have more than some hundred bytes.
fn is_large(case: &Case, request: &Request<Template>) -> bool {
    let is_small = |reference: &Reference| match reference {
        Reference::Base64(chunk) => {
            let known = case.chunks.iter().find(|known| known.name == *chunk);
            known.is_some_and(|chunk| matches!(chunk.len, Length::Bytes(0..=128)))
        }
        Reference::Repeat { .. } | Reference::Pad { .. } | Reference::Escaped { .. } => false,
        Reference::Cut { .. } => true,
        Reference::Repository(_)
        | Reference::Absent
        | Reference::Registry
        | Reference::Alias
        | Reference::Member(_)
        | Reference::Upper(_)
        | Reference::Sha256(_)
        | Reference::Hex { .. }
        | Reference::Sha256Prefix12(_)
        | Reference::Sha256LastDigitOff(_)
        | Reference::Size(_)
        | Reference::Last(_) => true,
    };
    request.body.to_bytes().len() > 512 || !request.body.references().all(is_small)
}

/// Headers as flags of curl. Names that begin with `@` would be files, and a value that ends its line a second header.
fn header_flags(headers: &[(String, String)]) -> Result<String, Unscriptable> {
    let flag = |(name, value): &(String, String)| {
        if !is_token(name) || value.chars().any(|letter| letter.is_control() && letter != '\t') {
            return Err(Unscriptable::Header(format!("{name}: {value}")));
        }
        // `-H 'X:'` would leave the header out.
        let header = if value.trim().is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        Ok(format!("-H {}", shell::word(&header)?))
    };
    let flags: Vec<String> = headers.iter().map(flag).collect::<Result<_, _>>()?;
    Ok(flags.join(" "))
}

/// Whether a text is a token of RFC 9110, 5.6.2, as methods and names of headers are.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
