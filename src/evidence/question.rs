//! What only the real service can answer: the open questions, and the cases that ask them.

mod table;

use std::fmt::Write as _;

use super::answer::Answers;
use super::file::{Asked, Questions, Reply};
use crate::case::SIGNATURES;
use crate::contract::Service;

pub use table::QUESTIONS;

/// A question that neither a document nor a published answer settles.
#[derive(Clone, Copy, Debug)]
pub struct OpenQuestion {
    /// Its name.
    pub id: &'static str,
    /// The question, in one sentence.
    pub asks: &'static str,
    /// The services that are asked.
    pub services: &'static [Service],
    /// What is tried, at least one thing.
    pub parts: &'static [Part],
}

/// One thing that is tried: the answer to a step of a case.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// What is sent, in a few words.
    pub tried: &'static str,
    /// Id of the case that sends it.
    pub case: &'static str,
    /// How the answer is read from the case.
    pub read: Read,
}

/// How an answer is read from a case.
#[derive(Clone, Copy, Debug)]
pub enum Read {
    /// What came to the step that the case is there for.
    Asking,
    /// What came to the step with this name.
    Step(&'static str),
    /// Of that, this member alone, if it is a success.
    Member(&'static str),
}

/// What a case tries with the step that it is there for.
const fn part(tried: &'static str, case: &'static str) -> Part {
    Part { tried, case, read: Read::Asking }
}

impl OpenQuestion {
    /// The question with this name.
    pub fn find(id: &str) -> Option<&'static OpenQuestion> {
        QUESTIONS.iter().find(|question| question.id == id)
    }
}

/// Whether a question names a case.
pub fn names(case: &str) -> bool {
    QUESTIONS.iter().flat_map(|question| question.parts).any(|part| part.case == case)
}

/// Whether a case is about signatures, so that it takes one.
pub fn is_of_auth(case: &str) -> bool {
    case.starts_with(SIGNATURES)
}

/// What was answered to the questions for these services.
pub(super) fn asked<'a>(answers: impl Fn(Service, &str) -> Option<&'a Answers>, services: &[Service]) -> Vec<Asked> {
    let replies = |question: &OpenQuestion| {
        let services = services.iter().filter(|service| question.services.contains(service));
        let of = |service: &Service| {
            let reply = |part: &Part| part.reply(*service, answers(*service, part.case));
            question.parts.iter().map(reply).collect::<Vec<_>>()
        };
        services.flat_map(of).collect::<Vec<_>>()
    };
    let asked = QUESTIONS.iter().map(|question| Asked {
        id: String::from(question.id),
        asks: String::from(question.asks),
        replies: replies(question),
    });
    asked.filter(|asked| !asked.replies.is_empty()).collect()
}

impl Part {
    fn reply(&self, service: Service, answers: Option<&Answers>) -> Reply {
        let step = answers.map(|answers| match self.read {
            Read::Asking | Read::Member(_) => answers.asks.as_str(),
            Read::Step(name) => name,
        });
        let found = answers.zip(step).and_then(|(answers, step)| answers.steps.get(step));
        let answer = found.map(|answer| match self.read {
            Read::Member(name) if !answer.is_error() => answer.with_member(name),
            _ => answer.clone(),
        });
        let unanswered = || match answers {
            Some(Answers { unanswered: Some(why), .. }) => why.clone(),
            Some(_) => String::from("the case did not come to it"),
            None if is_of_auth(self.case) => String::from("not tried: it takes --auth sigv4"),
            None => String::from("not tried"),
        };
        Reply {
            service,
            tried: String::from(self.tried),
            case: String::from(self.case),
            step: step.filter(|_| answer.is_some()).map(String::from),
            unanswered: answer.is_none().then(unanswered),
            got: answer,
        }
    }
}

impl Questions {
    /// The table for a reader: question by question, what was tried and what came.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for asked in &self.questions {
            let _ = writeln!(text, "{}\n  {}", asked.id, asked.asks);
            let longest = asked.replies.iter().map(|reply| reply.tried.chars().count()).max().unwrap_or_default();
            for Reply { service, tried, unanswered, got, .. } in &asked.replies {
                let got = got.as_ref().map(ToString::to_string);
                let told = got.or_else(|| unanswered.as_ref().map(|why| format!("({why})")));
                let _ = writeln!(text, "  {service:<10}  {tried:<longest$}  {}", told.unwrap_or_default());
            }
            text.push('\n');
        }
        text
    }
}
