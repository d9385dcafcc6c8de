//! A case as a Rust test with the library.

use std::fmt::Write as _;

use crate::case::{Case, StepRole};
use crate::template::shown;
use crate::wire::envelope::visible;

/// The test of a case: `server()` is the reader's own.
pub fn rust(case: &Case) -> String {
    let line = |text: &str| -> String {
        text.chars().map(|letter| if letter == '\n' { ' ' } else { visible(letter) }).collect()
    };
    let mut text = format!("// {}\n", line(&format!("{} ({}): {}", case.id, case.service, shown(&case.title))));
    let _ = writeln!(text, "#[test]\nfn {}() {{", name(&case.id));
    for step in &case.steps {
        let expected = match step.role {
            StepRole::Focus => format!(", expected {}", step.expect.short()),
            _ => String::new(),
        };
        let body: String = step.request.body.shown().chars().take(160).collect();
        let _ =
            writeln!(text, "    // {}", line(&format!("{}: {}{expected} {body}", step.name, step.operation_name())));
    }
    text += "    // `server()` gives your service: an axum router, or any other tower service.\n";
    let _ = writeln!(
        text,
        "    ecrspec::testing::case(server(), ecrspec::contract::Service::{:?}, {:?});\n}}",
        case.service, case.id
    );
    text
}

/// The id as the name of a function.
fn name(id: &str) -> String {
    let mut name = String::new();
    for letter in id.chars().take(120) {
        match letter {
            'A'..='Z' => {
                if name.ends_with(|before: char| before.is_ascii_lowercase()) {
                    name.push('_');
                }
                name.push(letter.to_ascii_lowercase());
            }
            'a'..='z' | '0'..='9' => name.push(letter),
            _ if name.ends_with('_') => {}
            _ => name.push('_'),
        }
    }
    format!("case_{}", name.trim_matches('_'))
}
