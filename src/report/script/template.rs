//! A body with its references, as shell that writes it to the byte.
//!
//! Variables have text as it stands inside a JSON string, which is never shell: it is printed by `printf %s "$name"`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Helper, Unscriptable, shell};
use crate::case::{Case, Chunk, Length, Step};
use crate::template::{Chunks, Escape, Member, Part, Reference, Template};

/// What the references of a case are in its script.
pub(super) struct Names<'a> {
    case: &'a Case,
    /// The existing repository that the script works in, if not in one of its own.
    repository: Option<&'a str>,
    /// Names in the file system, or of variables: each once, without regard to case.
    taken: BTreeSet<String>,
    steps: BTreeMap<&'a str, String>,
    chunks: BTreeMap<&'a str, String>,
    /// The variable that has a member of an answer, as it is or in upper case.
    captured: BTreeMap<(Member, bool), String>,
    /// Steps that are answered before the next one is sent.
    answered: &'a [Step],
    /// What the script needs besides its calls.
    pub helpers: BTreeSet<Helper>,
}

/// A body as shell.
#[derive(Default)]
pub(super) struct Body {
    /// What must be known first, one assignment a line.
    pub captures: String,
    /// Commands that print the body.
    commands: Vec<String>,
    /// Words of a `printf %s` that is not finished.
    words: Vec<String>,
}

/// Names of the calls that the script makes besides those of the case.
const OWN: [&str; 4] = ["repository-create", "repository-delete", "survey", "survey-part"];

impl<'a> Names<'a> {
    pub fn of(case: &'a Case, repository: Option<&'a str>) -> Names<'a> {
        let mut names = Names {
            case,
            repository,
            taken: OWN.map(String::from).into(),
            steps: BTreeMap::new(),
            chunks: BTreeMap::new(),
            captured: BTreeMap::new(),
            answered: &[],
            helpers: BTreeSet::new(),
        };
        for step in &case.steps {
            let name = names.take(&step.name, "step");
            names.steps.insert(&step.name, name);
        }
        for chunk in &case.chunks {
            let name = names.take(&chunk.name, "chunk");
            names.chunks.insert(&chunk.name, name);
        }
        names
    }

    /// A name that is safe as a word and as a file, and no other's.
    fn take(&mut self, wish: &str, otherwise: &str) -> String {
        let fits = wish.len() <= 40
            && wish.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && wish.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let wish = if fits { wish } else { otherwise };
        let mut name = String::from(wish);
        let mut number = 1;
        while !self.taken.insert(name.to_lowercase()) {
            number += 1;
            name = format!("{wish}-{number}");
        }
        name
    }

    /// The name of a step in the script.
    pub fn step(&self, step: &Step) -> &str {
        &self.steps[step.name.as_str()]
    }

    /// Lets what is sent next refer to the answers of these steps.
    pub fn answered(&mut self, steps: &'a [Step]) {
        self.answered = steps;
    }

    /// The chunks that bodies use, each with the file that it is made in.
    pub fn used_chunks(&self) -> Vec<(&'a Chunk, String)> {
        let mut used: BTreeSet<&str> = BTreeSet::new();
        for step in &self.case.steps {
            used.extend(step.request.body.references().flat_map(Reference::bytes_of).map(String::as_str));
        }
        let used = self.case.chunks.iter().filter(|chunk| used.contains(chunk.name.as_str()));
        used.map(|chunk| (chunk, self.file(&chunk.name))).collect()
    }

    /// The file that a chunk is made in.
    pub fn file(&self, chunk: &str) -> String {
        format!("{}.bytes", self.chunks[chunk])
    }

    /// A body with its references.
    pub fn body(&mut self, template: &Template) -> Result<Body, Unscriptable> {
        let mut body = Body::default();
        for part in template.parts() {
            match part {
                Part::Text(bytes) => body.bytes(bytes)?,
                Part::Reference(reference) => {
                    let known = self.reference(reference, &mut body)?;
                    known.ok_or_else(|| Unscriptable::Reference(reference.to_string()))?;
                }
            }
        }
        Ok(body)
    }

    /// Adds what a reference stands for; `None` if it stands for nothing.
    fn reference(&mut self, reference: &Reference, body: &mut Body) -> Result<Option<()>, Unscriptable> {
        match reference {
            Reference::Repository(None) => body.variable("repository"),
            Reference::Repository(Some(further)) => {
                body.variable("repository");
                body.bytes(format!("-{}", json(further)).as_bytes())?;
            }
            Reference::Absent => body.variable("absent"),
            Reference::Registry => {
                self.helpers.insert(Helper::Registry);
                body.variable("registry");
            }
            Reference::Alias if self.repository.is_some() => return Err(Unscriptable::Alias),
            Reference::Alias => {
                self.helpers.insert(Helper::Alias);
                body.variable("alias");
            }
            Reference::Member(of) => return Ok(self.capture(of, false, body)?.map(|name| body.variable(&name))),
            Reference::Upper(of) => return Ok(self.capture(of, true, body)?.map(|name| body.variable(&name))),
            Reference::Base64(chunk) => {
                let Some(files) = self.files(std::slice::from_ref(chunk)) else { return Ok(None) };
                self.helpers.insert(Helper::Encode);
                body.command(format!("encode {files}"));
            }
            Reference::Sha256(chunks) => {
                let Some(hex) = self.hex(chunks) else { return Ok(None) };
                body.words.push(String::from("sha256:"));
                body.command(hex);
            }
            Reference::Hex { chunks, upper } => {
                let Some(hex) = self.hex(chunks) else { return Ok(None) };
                body.command(if *upper { format!("{hex} | tr a-f A-F") } else { hex });
            }
            Reference::Sha256Prefix12(chunks) => {
                let Some(hex) = self.hex(chunks) else { return Ok(None) };
                body.command(format!("{hex} | head -c 12"));
            }
            Reference::Sha256LastDigitOff(chunks) => {
                let Some(hex) = self.hex(chunks) else { return Ok(None) };
                body.command(format!("{hex} | head -c 63"));
                body.command(format!("{hex} | tail -c 1 | tr 0-9a-f 1-9a-f0"));
            }
            Reference::Size(chunks) => return Ok(self.size(chunks, 0, body)),
            Reference::Last(chunks) => return Ok(self.size(chunks, 1, body)),
            Reference::Repeat { count, text } => self.repeat(*count, text, body)?,
            Reference::Pad { length, of } => return self.pad(*length, of, body),
            Reference::Cut { from, to, of } => return self.cut(*from, *to, of, body),
            Reference::Escaped { how, of } => return self.escaped(*how, of, body),
        }
        Ok(Some(()))
    }

    /// The variable that has a member of an earlier answer.
    fn capture(&mut self, of: &Member, upper: bool, body: &mut Body) -> Result<Option<String>, Unscriptable> {
        let Some(step) = self.answered.iter().find(|step| step.name == of.step) else { return Ok(None) };
        let (member, key) = (&of.member, (of.clone(), upper));
        if let Some(variable) = self.captured.get(&key) {
            return Ok(Some(variable.clone()));
        }
        let path = json(member);
        if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(None); // The script compares members as ASCII.
        }
        let file = format!("{}.json", self.step(step));
        let wish = format!("{}_{}_{member}", if upper { "upper" } else { "got" }, self.step(step));
        let variable = self.take(&wish.replace('-', "_"), "got").replace('-', "_");
        let prefix = if upper { "UPPER=1; " } else { "" };
        body.captures += &format!("{variable}=$({prefix}member {})\n", shell::command([file.as_str(), path.as_str()])?);
        self.helpers.insert(Helper::Member);
        self.captured.insert(key, variable.clone());
        Ok(Some(variable))
    }

    /// Adds a part of what a reference stands for.
    fn cut(&mut self, from: usize, to: usize, of: &Reference, body: &mut Body) -> Result<Option<()>, Unscriptable> {
        let whole = match of {
            Reference::Repository(None) => String::from("printf %s \"$repository\""),
            Reference::Member(of) => {
                let Some(variable) = self.capture(of, false, body)? else { return Ok(None) };
                format!("printf %s \"${variable}\"")
            }
            Reference::Hex { chunks, upper: false } => {
                let Some(hex) = self.hex(chunks) else { return Ok(None) };
                hex
            }
            _ => return Ok(None),
        };
        body.command(format!("{whole} | head -c {to} | tail -c +{}", from + 1));
        Ok(Some(()))
    }

    fn pad(&mut self, length: usize, of: &Reference, body: &mut Body) -> Result<Option<()>, Unscriptable> {
        // Another name has another length than the variable.
        let (variable, further) = match (of, self.repository) {
            (Reference::Repository(None), Some(repository)) => {
                let Some(missing) = length.checked_sub(repository.len() + 1) else { return Ok(None) };
                body.variable("repository");
                body.bytes(b"/")?;
                self.repeat(missing, "a", body)?;
                return Ok(Some(()));
            }
            (Reference::Repository(None), None) => ("repository", ""),
            (Reference::Absent, _) => ("absent", ""),
            (Reference::Repository(Some(further)), _) if json(further) == *further => ("repository", further.as_str()),
            _ => return Ok(None),
        };
        let rest = if further.is_empty() { String::new() } else { shell::word(&format!("-{further}"))? };
        body.command(format!("pad {length} \"${variable}\"{rest}"));
        self.helpers.extend([Helper::Pad, Helper::Repeat]);
        Ok(Some(()))
    }

    /// What a reference stands for, passed through a filter that writes its characters as escapes.
    fn escaped(&mut self, how: Escape, of: &Reference, body: &mut Body) -> Result<Option<()>, Unscriptable> {
        let mut plain = Body::default();
        if self.reference(of, &mut plain)?.is_none() {
            return Ok(None);
        }
        body.captures += &std::mem::take(&mut plain.captures);
        plain.finish();
        self.helpers.insert(Helper::Escape);
        let commands = plain.commands.join("; ");
        body.command(format!("{{ {commands}; }} | escape {}", how.name()));
        Ok(Some(()))
    }

    fn repeat(&mut self, count: usize, text: &str, body: &mut Body) -> Result<(), Unscriptable> {
        match text.as_bytes() {
            _ if count == 0 || text.is_empty() => {}
            _ if count.saturating_mul(text.len()) <= 64 => body.bytes(text.repeat(count).as_bytes())?,
            [letter] if letter.is_ascii_alphanumeric() => {
                body.command(format!("head -c {count} /dev/zero | tr '\\000' {text}"));
            }
            _ => {
                self.helpers.insert(Helper::Repeat);
                body.command(format!("repeat {count} {}", shell::word(text)?));
            }
        }
        Ok(())
    }

    /// The number of bytes in chunks, less some.
    fn size(&mut self, chunks: &Chunks, less: usize, body: &mut Body) -> Option<()> {
        let (mut known, mut parts) = (0, 0);
        for name in chunks.names() {
            let chunk = self.case.chunks.iter().find(|chunk| chunk.name == *name)?;
            match &chunk.len {
                Length::Bytes(len) => known += len.min(&Chunk::MAX),
                Length::PartSize => parts += 1,
                Length::Text(_) | Length::Literal { .. } => known += chunk.bytes(),
            }
        }
        if parts == 0 {
            body.words.push(known.checked_sub(less)?.to_string());
            return Some(());
        }
        self.helpers.insert(Helper::PartSize);
        body.words.push(format!("\"$((part_size * {parts} + {known} - {less}))\""));
        Some(())
    }

    /// The files of chunks, as words.
    fn files(&self, chunks: &[String]) -> Option<String> {
        let file = |name: &String| self.chunks.contains_key(name.as_str()).then(|| self.file(name));
        Some(chunks.iter().map(file).collect::<Option<Vec<_>>>()?.join(" "))
    }

    /// The command that prints the digest of chunks.
    fn hex(&mut self, chunks: &Chunks) -> Option<String> {
        let files = self.files(chunks.names())?;
        self.helpers.insert(Helper::Hex);
        Some(format!("hex {files}"))
    }
}

impl Body {
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Unscriptable> {
        if bytes.is_empty() {
            return Ok(());
        }
        let visible = |letter: char| letter == '\n' || crate::wire::envelope::visible(letter) == letter;
        match std::str::from_utf8(bytes) {
            // A script that is looked at must not act on a terminal.
            Ok(text) if text.chars().all(visible) => {
                let quoted = shlex::try_quote(text).map_err(|_| shell::Nul)?;
                self.words.push(quoted.into_owned());
            }
            _ => self.command(format!("printf {}", shell::format(bytes))),
        }
        Ok(())
    }

    fn variable(&mut self, name: &str) {
        self.words.push(format!("\"${name}\""));
    }

    fn command(&mut self, command: String) {
        self.finish();
        self.commands.push(command);
    }

    fn finish(&mut self) {
        if !self.words.is_empty() {
            self.commands.push(format!("printf %s {}", self.words.join(" ")));
            self.words.clear();
        }
    }

    /// The commands that write it into a file.
    pub fn into_file(mut self, file: &str) -> String {
        self.finish();
        match self.commands.as_slice() {
            [] => format!(": > {file}\n"),
            [one] => format!("{one} > {file}\n"),
            all => format!("{{\n  {}\n}} > {file}\n", all.join("\n  ")),
        }
    }
}

/// A text as it stands inside a JSON string.
pub(super) fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    String::from(&quoted[1..quoted.len() - 1])
}
