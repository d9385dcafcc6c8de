//! What a shell script of AWS CLI calls has of its own. Each call is `--cli-input-json` from a file, and the bytes of a part
//! are a file beside it: version 1 would encode the base64 of the JSON once more.

use std::fmt::Write as _;

use super::template::Names;
use super::{Destination, Unscriptable, plainly_written, shell, trust_words};
use crate::case::Step;
use crate::contract::name::separated;
use crate::contract::{Operation, Service, blob};
use crate::template::{Part, Reference, Template};

/// The member that has bytes.
const BLOB: &str = "layerPartBlob";

/// The subcommand of an operation: `initiate-layer-upload`.
pub(super) fn subcommand(operation: Operation) -> String {
    separated(operation.name(), '-')
}

/// The function that makes one call. What it prints is what the client shows: of a success its members, of an error its
/// message.
pub(super) fn call_function(service: Service, to: &Destination) -> Result<String, Unscriptable> {
    let identity = match to.sigv4 {
        // It has its own chain of credentials.
        Some(_) => String::new(),
        None => String::from(
            "AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=example\nexport AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY\n\
             unset AWS_SESSION_TOKEN AWS_PROFILE\n",
        ),
    };
    let region = shell::word(to.sigv4.unwrap_or("us-east-1"))?;
    Ok(format!(
        r#"{identity}AWS_MAX_ATTEMPTS=1 AWS_PAGER= AWS_EC2_METADATA_DISABLED=true
export AWS_MAX_ATTEMPTS AWS_PAGER AWS_EC2_METADATA_DISABLED
# call STEP SUBCOMMAND: calls with STEP.body and STEP.blob, keeps the members in STEP.json, and shows them.
call() {{
  step=$1
  shift
  if [ -f "$step.blob" ]; then set -- "$@" --layer-part-blob "fileb://$step.blob"; fi
  if aws {} "$@" --cli-input-json "file://$step.body" --endpoint-url "$endpoint" --region {region} --output json{} \
    > "$step.json" 2> "$step.error"; then
    printf 200 > "$step.status"
    printf '%s success ' "$step"
    tr -s ' \n' ' ' < "$step.json"
  else
    cat "$step.error" >> "$step.json"
    printf error > "$step.status"
    if ! grep -q 'An error occurred (' "$step.error"; then
      cat "$step.error" >&2
      exit 7
    fi
    printf '%s error ' "$step"
    grep 'An error occurred (' "$step.error" | tr '\000-\010\013-\037\177-\377' '?'
  fi
  echo
}}
"#,
        service.name(),
        trust_words(to.trust)?,
    ))
}

/// What makes the files of a step ready.
pub(super) fn ready<'a>(step: &'a Step, names: &mut Names<'a>) -> Result<String, Unscriptable> {
    plainly_written(step)?;
    let wrong = || Unscriptable::Body(step.name.clone());
    let text = step.request.body.to_text().ok_or_else(wrong)?;
    let (text, bytes) = without_blob(&text);
    let body = names.body(&Template::lenient(&text))?;
    let name = String::from(names.step(step));
    let mut ready = format!("\n{}", shell::comment(&format!("{name}: {}", step.operation_name())));
    ready += &body.captures;
    ready += &body.into_file(&format!("{name}.body"));
    let Some(bytes) = bytes else { return Ok(ready) };
    let template = Template::lenient(&bytes);
    let chunks = template.parts().iter().map(|part| match part {
        Part::Reference(Reference::Base64(chunk)) => Some(names.file(chunk)),
        _ => None,
    });
    match chunks.collect::<Option<Vec<String>>>() {
        // Base64 that is put together has the bytes put together: none but the last is padded.
        Some(files) if !files.is_empty() => {
            let _ = writeln!(ready, "cat {} > {name}.blob", files.join(" "));
        }
        _ => match blob::bytes(&bytes) {
            Some(bytes) => {
                let _ = writeln!(ready, "printf {} > {name}.blob", shell::format(&bytes));
            }
            None => {
                ready += &names.body(&template)?.into_file(&format!("{name}.base64"));
                let openssl = format!("openssl base64 -d -A -in {name}.base64 -out {name}.blob");
                let _ = writeln!(ready, "base64 -d < {name}.base64 > {name}.blob 2> /dev/null || {openssl}");
            }
        },
    }
    Ok(ready)
}

/// The text of a body without its bytes, and these as base64. It has them as clients write them: no escapes, no white space.
fn without_blob(text: &str) -> (String, Option<String>) {
    let key = format!("\"{BLOB}\":\"");
    let Some((before, rest)) = text.split_once(&key) else { return (String::from(text), None) };
    let Some((bytes, after)) = rest.split_once('"') else { return (String::from(text), None) };
    let joined = match (before.strip_suffix(','), after.strip_prefix(',')) {
        (Some(before), _) => format!("{before}{after}"),
        (None, Some(after)) => format!("{before}{after}"),
        (None, None) => format!("{before}{after}"),
    };
    (joined, Some(String::from(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_taken_out_of_the_text() {
        for (text, without) in [
            (r#"{"a":1,"layerPartBlob":"YQ==","b":2}"#, r#"{"a":1,"b":2}"#),
            (r#"{"layerPartBlob":"YQ==","b":2}"#, r#"{"b":2}"#),
            (r#"{"a":1,"layerPartBlob":"YQ=="}"#, r#"{"a":1}"#),
            (r#"{"layerPartBlob":"YQ=="}"#, "{}"),
        ] {
            assert_eq!(without_blob(text), (String::from(without), Some(String::from("YQ=="))));
        }
        assert_eq!(without_blob("{\"a\":1}"), (String::from("{\"a\":1}"), None));
        assert_eq!(subcommand(Operation::GetDownloadUrlForLayer), "get-download-url-for-layer");
    }
}
