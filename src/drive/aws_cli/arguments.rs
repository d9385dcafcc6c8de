//! A call as arguments of the AWS CLI. Where they can say it as it is, they are the flags of the members; otherwise the
//! whole call is `--cli-input-json`, from a file: a flag makes a number of text, reads files that a value seems to name, and
//! cannot be long. Bytes are a file in either case.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::contract::name::separated;
use crate::contract::{Kind, Service, blob};
use crate::drive::caller::Call;

/// The arguments of a call, and the files that they name.
#[derive(Debug)]
pub(super) struct Arguments {
    /// Service, operation and members.
    pub all: Vec<OsString>,
    /// How many bytes are in the file of bytes.
    pub blob: usize,
    /// Removed when they are dropped.
    _files: Vec<File>,
}

impl Arguments {
    /// Those of a call.
    ///
    /// # Errors
    ///
    /// Where a file cannot be written.
    pub fn of(service: Service, call: &Call) -> io::Result<Arguments> {
        let mut all: Vec<OsString> = vec![service.name().into(), separated(call.operation.name(), '-').into()];
        let mut files = Vec::new();
        let mut members = call.members.clone();
        let mut size = 0;
        let is_blob = |name: &str| kind(service, call, name).is_some_and(|kind| matches!(kind, Kind::Blob { .. }));
        let blobs: Vec<String> = call.members.keys().filter(|name| is_blob(name)).cloned().collect();
        for name in blobs {
            let Some(bytes) = call.members[&name].as_str().and_then(blob::bytes) else { continue };
            members.remove(&name);
            size += bytes.len();
            let file = File::with(&bytes)?;
            all.push(flag(&name, &format!("fileb://{}", file.0.display())));
            files.push(file);
        }
        let flags: Option<Vec<OsString>> =
            members.iter().map(|(name, value)| Some(flag(name, &plain(kind(service, call, name)?, value)?))).collect();
        match flags {
            Some(flags) => all.extend(flags),
            None => {
                let file = File::with(Value::Object(members).to_string().as_bytes())?;
                // In two: with `=`, version 1 does not see it, and asks for the flags of the members.
                all.extend(["--cli-input-json".into(), format!("file://{}", file.0.display()).into()]);
                files.push(file);
            }
        }
        Ok(Arguments { all, blob: size, _files: files })
    }
}

fn kind(service: Service, call: &Call, name: &str) -> Option<&'static Kind> {
    Some(&service.contract().operation(call.operation)?.input(name)?.shape.kind)
}

/// The longest value of a flag: a system takes no argument of more than 128 KiB.
const LONGEST: usize = 64 << 10;

/// A value as that of a flag, if the AWS CLI reads it as what it is.
fn plain(kind: &Kind, value: &Value) -> Option<String> {
    let text = match (kind, value) {
        (Kind::Text(_), Value::String(text)) => {
            // It would read a file, or ask for a web page.
            let names_file = ["file://", "fileb://", "http://", "https://"].iter().any(|form| text.starts_with(form));
            (!names_file && !text.contains('\0')).then(|| text.clone())?
        }
        (Kind::Long { .. }, Value::Number(number)) if !number.is_f64() => number.to_string(),
        // As JSON: an item may begin with a dash, as a flag does.
        (Kind::List { .. }, Value::Array(items)) if items.iter().all(Value::is_string) && !items.is_empty() => {
            value.to_string()
        }
        _ => return None,
    };
    (text.len() <= LONGEST).then_some(text)
}

/// In one argument: a value may begin with a dash, or be empty.
fn flag(name: &str, value: &str) -> OsString {
    format!("--{}={value}", separated(name, '-')).into()
}

/// A file of this process alone. Dropped, it is removed.
#[derive(Debug)]
struct File(PathBuf);

impl File {
    fn with(bytes: &[u8]) -> io::Result<File> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ecrspec-{}-{number}", std::process::id()));
        // Left by an earlier process of this number, if there is one.
        remove(&path);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let mut opened = options.open(&path)?;
        let file = File(path);
        opened.write_all(bytes)?;
        Ok(file)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::contract::Operation;

    fn of(operation: Operation, members: Value) -> (Vec<String>, Arguments) {
        let members: Map<String, Value> = members.as_object().cloned().unwrap();
        let arguments = Arguments::of(Service::Ecr, &Call { operation, members }).unwrap();
        (arguments.all.iter().map(|one| one.to_str().unwrap().to_string()).collect(), arguments)
    }

    #[test]
    fn plain_values_are_flags() {
        let members = json!({"repositoryName": "a", "uploadId": "-x", "layerDigests": ["sha256:1", "-y"]});
        let (all, _) = of(Operation::CompleteLayerUpload, members);
        assert_eq!(
            all,
            [
                "ecr",
                "complete-layer-upload",
                "--layer-digests=[\"sha256:1\",\"-y\"]",
                "--repository-name=a",
                "--upload-id=-x"
            ]
        );
    }

    #[test]
    fn what_a_flag_would_change_is_json() {
        for member in
            [json!(5), json!(null), json!("file:///etc/passwd"), json!("a\0b"), json!("x".repeat(LONGEST + 1))]
        {
            let members = json!({ "repositoryName": member });
            let (all, _arguments) = of(Operation::InitiateLayerUpload, members.clone());
            assert_eq!(all[2], "--cli-input-json");
            let path = all[3].strip_prefix("file://").unwrap();
            assert_eq!(fs::read_to_string(path).unwrap(), members.to_string());
        }
    }

    #[test]
    fn bytes_are_a_file_that_goes_with_the_call() {
        let members = json!({"layerPartBlob": "YQ==", "partFirstByte": 0});
        let (all, arguments) = of(Operation::UploadLayerPart, members);
        let path = PathBuf::from(all[2].strip_prefix("--layer-part-blob=fileb://").unwrap());
        assert_eq!((fs::read(&path).unwrap(), arguments.blob), (b"a".to_vec(), 1));
        assert_eq!(all[3], "--part-first-byte=0");
        drop(arguments);
        assert!(!path.exists());
    }
}
