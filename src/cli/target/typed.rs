//! The flags that somebody typed: as settings, as flags of the next command, and those that a command has no use for.

use std::path::Path;

use anyhow::bail;
use toml::Value;

use super::TargetArguments;

/// A flag that somebody typed. Its name is that of the setting.
pub(in crate::cli) struct Typed {
    pub name: &'static str,
    pub value: Value,
    pub about: About,
}

/// What a flag is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::cli) enum About {
    /// The target, and how it is treated.
    Target,
    /// How findings are judged and reported.
    Verdict,
    /// How much is printed. There is no such setting.
    Printing,
    /// Where the settings are.
    Settings,
}

impl Typed {
    /// As it stands in the settings file.
    pub fn setting(&self) -> String {
        format!("{} = {}", self.name, self.value)
    }

    /// As it is typed.
    pub fn words(&self) -> Vec<String> {
        let flag = || format!("--{}", self.name);
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), String::from);
        match &self.value {
            Value::Boolean(_) => vec![flag()],
            Value::Array(values) => values.iter().flat_map(|value| [flag(), text(value)]).collect(),
            value => vec![flag(), text(value)],
        }
    }
}

impl TargetArguments {
    /// The flags that somebody typed, in the order of the help.
    pub fn typed(&self) -> Vec<Typed> {
        use About::{Printing, Settings, Target, Verdict};
        let auth = self.auth.auth.map(|auth| auth.name());
        let report = |spec: &crate::report::format::ReportSpec| format!("{}={}", spec.format.name, spec.path.display());
        let flags = [
            ("endpoint", Target, text(self.endpoint.as_ref())),
            ("driver", Target, text(self.driver.map(|driver| driver.name()))),
            ("python", Target, path(self.python.as_deref())),
            ("aws", Target, path(self.aws.as_deref())),
            ("service", Target, texts(&self.service)),
            ("repository", Target, text(self.repository.as_ref())),
            ("without", Target, texts(&self.without)),
            ("jobs", Target, self.jobs.and_then(|jobs| i64::try_from(jobs).ok()).map(Value::from)),
            ("rate", Target, self.rate.map(number)),
            ("ca-bundle", Target, path(self.trust.ca_bundle.as_deref())),
            ("insecure", Target, switch(self.trust.insecure)),
            ("client-cert", Target, path(self.trust.client_cert.as_deref())),
            ("client-key", Target, path(self.trust.client_key.as_deref())),
            ("http2", Target, switch(self.http2)),
            ("auth", Target, text(auth)),
            ("region", Target, text(self.auth.region.as_ref())),
            ("profile-name", Target, text(self.auth.profile_name.as_ref())),
            ("strict", Verdict, switch(self.strict)),
            ("known", Verdict, path(self.known.as_deref())),
            ("suite", Verdict, text(self.suite)),
            ("guide", Verdict, text(self.guide.as_ref())),
            ("report", Verdict, texts(&self.report.iter().map(report).collect::<Vec<_>>())),
            ("record", Verdict, text(self.record)),
            ("fail-on", Verdict, texts(&self.fail_on)),
            ("deny-warnings", Verdict, switch(self.deny_warnings)),
            ("timeout", Target, self.timeout.map(number)),
            ("deadline", Verdict, text(self.deadline)),
            ("allow-aws", Target, switch(self.allow_aws)),
            ("config", Settings, path(self.config.as_deref())),
            ("max-groups", Printing, self.max_groups.and_then(|most| i64::try_from(most).ok()).map(Value::from)),
            ("verbose", Printing, switch(self.verbose)),
        ];
        let typed =
            |(name, about, value): (&'static str, About, Option<Value>)| Some(Typed { name, value: value?, about });
        flags.into_iter().filter_map(typed).collect()
    }

    /// That one was typed that is about something for which a command has no use, with the reason.
    ///
    /// # Errors
    ///
    /// The first such flag.
    pub fn reject(&self, useless: &[About], why: &str) -> anyhow::Result<()> {
        match self.typed().into_iter().find(|typed| useless.contains(&typed.about)) {
            Some(typed) => bail!("--{}: {why}", typed.name),
            None => Ok(()),
        }
    }
}

fn text(value: Option<impl ToString>) -> Option<Value> {
    value.map(|value| Value::from(value.to_string()))
}

fn texts(values: &[impl ToString]) -> Option<Value> {
    let values: Vec<Value> = values.iter().map(|value| Value::from(value.to_string())).collect();
    (!values.is_empty()).then(|| Value::from(values))
}

fn path(path: Option<&Path>) -> Option<Value> {
    text(path.map(Path::display))
}

/// As somebody types it: a whole number without a fraction.
fn number(value: f64) -> Value {
    let whole = value as i64;
    if whole as f64 == value { Value::from(whole) } else { Value::from(value) }
}

fn switch(on: bool) -> Option<Value> {
    on.then(|| Value::from(true))
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches as _};

    use super::*;
    use crate::cli::settings::SettingsFile;

    /// A value that a flag takes, and what must be with it.
    fn words(name: &str) -> Vec<String> {
        let value = match name {
            "endpoint" | "guide" => Some("https://registry.example"),
            "driver" => Some("boto3"),
            "service" => Some("ecr-public"),
            "without" => Some("PutImage"),
            "jobs" | "max-groups" => Some("3"),
            "rate" | "timeout" => Some("2.5"),
            "auth" => Some("dummy"),
            "suite" => Some("0.1"),
            "report" => Some("html=a b.html"),
            "record" => Some("exchanges"),
            "fail-on" => Some("crash"),
            "deadline" => Some("90s"),
            "insecure" | "http2" | "strict" | "deny-warnings" | "allow-aws" | "verbose" => None,
            _ => Some("a \"b\""),
        };
        let with = match name {
            "client-cert" => vec!["--client-key", "k"],
            "client-key" => vec!["--client-cert", "c"],
            _ => Vec::new(),
        };
        let own = [format!("--{name}")].into_iter().chain(value.map(String::from));
        own.chain(with.into_iter().map(String::from)).collect()
    }

    fn typed(words: &[String]) -> Vec<Typed> {
        let words = [String::from("x")].into_iter().chain(words.iter().cloned());
        let matches = TargetArguments::augment_args(Command::new("x")).try_get_matches_from(words).unwrap();
        TargetArguments::from_arg_matches(&matches).unwrap().typed()
    }

    #[test]
    fn every_flag_is_told_again_as_it_was_typed_and_as_a_setting() {
        let command = TargetArguments::augment_args(Command::new("x"));
        let mut seen = 0;
        for flag in command.get_arguments().filter_map(|argument| argument.get_long()) {
            let words = words(flag);
            let found = typed(&words);
            let one = found.iter().find(|typed| typed.name == flag).unwrap_or_else(|| panic!("--{flag} was forgotten"));
            let again: Vec<String> = found.iter().flat_map(Typed::words).collect();
            let same =
                |words: &[String]| words.chunks(2).map(<[String]>::to_vec).collect::<std::collections::BTreeSet<_>>();
            assert_eq!(same(&again), same(&words));
            let settings: Result<SettingsFile, _> = toml::from_str(&one.setting());
            let is_setting = !matches!(one.about, About::Printing | About::Settings);
            assert_eq!(settings.is_ok(), is_setting, "{}: {settings:?}", one.setting());
            seen += 1;
        }
        assert!(seen > 25, "{seen}");
        assert!(typed(&[]).is_empty());
    }

    #[test]
    fn a_flag_without_use_is_rejected_by_name() {
        let words = ["x", "--service", "ecr", "--verbose"];
        let matches = TargetArguments::augment_args(Command::new("x")).try_get_matches_from(words).unwrap();
        let arguments = TargetArguments::from_arg_matches(&matches).unwrap();
        assert!(arguments.reject(&[About::Verdict, About::Settings], "why").is_ok());
        let error = arguments.reject(&[About::Verdict, About::Printing], "nothing is printed").unwrap_err();
        assert_eq!(error.to_string(), "--verbose: nothing is printed");
    }
}
