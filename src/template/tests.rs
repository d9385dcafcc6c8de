use proptest::prelude::*;

use super::*;

/// One reference of each kind, as it is written.
const EACH: [&str; 19] = [
    "repository",
    "repository:other",
    "absent",
    "registry",
    "alias",
    "upload.uploadId",
    "upper:upload.uploadId",
    "base64:layer",
    "sha256:one+two",
    "hex:layer",
    "hex-upper:layer",
    "sha256-prefix12:layer",
    "sha256-last-digit-off:layer",
    "size:one+two",
    "last:one+two",
    "repeat:3:a:b",
    "pad:60:repository:other",
    "cut:0-7:sha256:one+two",
    "escape:mixed:sha256:one+two",
];

fn reference(text: &str) -> Reference {
    text.parse().unwrap_or_else(|mistake| panic!("{mistake}"))
}

fn mistake(template: &str) -> String {
    Template::parse(template).unwrap_err().to_string()
}

#[test]
fn each_kind_prints_what_it_was_read_from() {
    let mut kinds: Vec<_> = EACH.iter().map(|text| std::mem::discriminant(&reference(text))).collect();
    for (text, form) in EACH.iter().zip(Reference::FORMS) {
        assert_eq!(reference(text).to_string(), *text);
        let word = |text: &str| text.split_once(':').map(|(word, _)| String::from(word));
        assert_eq!(word(text), word(form), "{form} is the form of {text}");
    }
    kinds.dedup();
    assert_eq!(kinds.len(), 17, "Repository and Hex are two forms each, all others one");
}

#[test]
fn a_template_is_text_and_references() {
    let template = Template::parse(r#"{"a":"x${upper:b.c}","d":[${size:e+f},"${sha256:e}"]}"#).unwrap();
    let references: Vec<String> = template.references().map(Reference::to_string).collect();
    assert_eq!(references, ["upper:b.c", "size:e+f", "sha256:e"]);
    assert_eq!(template.parts().len(), 7);
    assert_eq!(template.parts()[0], Part::text(r#"{"a":"x"#));
    assert_eq!(template.shown(), r#"{"a":"x«upper:b.c»","d":[«size:e+f»,"«sha256:e»"]}"#);
    assert_eq!(Template::from_shown(&template.shown()), Ok(template.clone()));
    assert_eq!(Template::from_shown(&template.to_string()), Ok(template));
}

#[test]
fn names_of_steps_may_have_dots_and_colons() {
    let member = |step: &str| Reference::member(step, "uploadId");
    assert_eq!(reference("a.b.uploadId"), member("a.b"));
    assert_eq!(reference("a: b.uploadId"), member("a: b"));
    assert_eq!(reference(".uploadId"), member(""));
}

#[test]
fn mistakes_say_what_was_expected() {
    assert!(
        mistake("${nobody}").starts_with("\"nobody\" is no reference: expected one of repository, repository:NAME, ")
    );
    assert!(mistake("${}").starts_with("\"\" is no reference"));
    assert!(mistake("${registry:1}").starts_with("\"registry:1\" is no reference"));
    assert_eq!(mistake("${repeat:a}"), "\"repeat:a\" is no reference: expected repeat:COUNT:TEXT");
    assert_eq!(mistake("${repeat:+5:a}"), "\"repeat:+5:a\" is no reference: expected repeat:COUNT:TEXT");
    assert_eq!(mistake("${pad:007:absent}"), "\"pad:007:absent\" is no reference: expected pad:LENGTH:REFERENCE");
    assert_eq!(
        mistake("${pad:9:pad:5:absent}"),
        "\"pad:9:pad:5:absent\" is no reference: expected pad:LENGTH:REFERENCE"
    );
    assert!(mistake("${pad:7:nobody}").starts_with("\"nobody\" is no reference"));
    assert_eq!(mistake("${upper:upload}"), "\"upper:upload\" is no reference: expected upper:STEP.MEMBER");
    assert_eq!(Template::parse(b"${\xff}"), Err(NoReference::NotText(String::from("\u{fffd}"))));
}

#[test]
fn what_is_no_reference_stands_for_itself() {
    for (source, references) in [
        (&b"${open"[..], &[][..]),
        (b"${", &[]),
        (b"}${", &[]),
        (b"$${repository}}", &["repository"]),
        (b"${nobody}${absent}", &["absent"]),
        (b"${a${repository}", &["repository"]),
        (b"${sha256:${registry}}", &["sha256:${registry"]),
        (b"\xff${absent}\xfe${\xff}", &["absent"]),
    ] {
        let template = Template::lenient(source);
        let found: Vec<String> = template.references().map(Reference::to_string).collect();
        assert_eq!(found, references, "{:?}", source.escape_ascii());
        assert_eq!(template.to_bytes(), source);
    }
    let literal = Template::literal("${repository}");
    assert!(literal.references().next().is_none() && literal.to_bytes() == "${repository}");
}

#[test]
fn an_unclosed_reference_is_text() {
    assert_eq!(Template::parse("${open").unwrap(), Template::literal("${open"));
    assert_eq!(Template::parse(b"\xff").unwrap().to_text(), None);
    assert_eq!(Template::parse("").unwrap(), Template::default());
}

#[test]
fn json_has_its_numbers_in_quotes() {
    let json = |text: &str| Template::parse(text).unwrap().to_json();
    let (template, expected) = (
        r#"{"a":${size:x},"b":"\"${last:x}\\","c":${last:x}}"#,
        r#"{"a":"${size:x}","b":"\"${last:x}\\","c":"${last:x}"}"#,
    );
    assert_eq!(json(template).as_deref(), Some(expected));
    assert_eq!(json(r#"{"a":"\\",${size:x}}"#).as_deref(), Some(r#"{"a":"\\","${size:x}"}"#));
    assert_eq!(Template::lenient(b"\xff").to_json(), None);
}

#[test]
fn numbers_chunks_and_members_are_told() {
    let of = |is: fn(&Reference) -> bool| EACH.into_iter().filter(|text| is(&reference(text))).collect::<Vec<_>>();
    assert_eq!(of(Reference::is_number), ["size:one+two", "last:one+two"]);
    assert_eq!(
        of(|reference| reference.chunks() == ["one", "two"]),
        ["sha256:one+two", "size:one+two", "last:one+two", "cut:0-7:sha256:one+two", "escape:mixed:sha256:one+two"]
    );
    assert_eq!(
        of(|reference| reference.bytes_of() == ["one", "two"]),
        ["sha256:one+two", "cut:0-7:sha256:one+two", "escape:mixed:sha256:one+two"]
    );
    assert_eq!(
        of(|reference| reference.bytes_of() == ["layer"]),
        ["base64:layer", "hex:layer", "hex-upper:layer", "sha256-prefix12:layer", "sha256-last-digit-off:layer"]
    );
    assert_eq!(of(|reference| reference.of_member().is_some()), ["upload.uploadId", "upper:upload.uploadId"]);
    assert_eq!(
        reference("pad:99:upload.uploadId").of_member().map(Member::to_string).as_deref(),
        Some("upload.uploadId")
    );
    assert_eq!(reference("pad:99:hex:a+b").bytes_of(), ["a", "b"]);
}

#[test]
fn names_are_changed_and_nothing_else() {
    let renamed = |text: &str| reference(text).rename(&|name| name.replace('#', "7")).to_string();
    for (from, to) in [
        ("repository:r-#", "repository:r-7"),
        ("s-#.uploadId", "s-7.uploadId"),
        ("upper:s-#.uploadId", "upper:s-7.uploadId"),
        ("base64:c-#", "base64:c-7"),
        ("last:c-#+d-#", "last:c-7+d-7"),
        ("pad:60:repository:r-#", "pad:60:repository:r-7"),
        ("repeat:3:#", "repeat:3:#"),
    ] {
        assert_eq!(renamed(from), to);
    }
    let twice =
        |text: &str| reference(text).with_chunks(&|name| vec![format!("{name}1"), format!("{name}2")]).to_string();
    assert_eq!(twice("sha256:a+b"), "sha256:a1+a2+b1+b2");
    assert_eq!(twice("base64:a"), "base64:a", "base64 is of one chunk");
    let gone = reference("hex:a").with_chunks(&|_| Vec::new());
    assert_eq!(gone, reference("hex:a"), "a digest is of one chunk at least");
}

#[test]
fn a_reference_becomes_text() {
    let template = Template::parse("<${registry}|${absent}|x>").unwrap();
    let mapped = template.map(|reference| match reference {
        Reference::Registry => Part::text("1"),
        other => Part::Reference(other.clone()),
    });
    assert_eq!(mapped.parts().first(), Some(&Part::text("<1|")));
    assert_eq!(mapped.to_string(), "<1|${absent}|x>");
    assert_eq!(Reference::alone("${absent}"), Some(Reference::Absent));
    assert!(
        ["absent", "${absent} ", "${absent}}", "${nobody}", "", "${absent}${absent}"]
            .iter()
            .all(|text| Reference::alone(text).is_none())
    );
}

fn any_name() -> impl Strategy<Value = String> {
    "[^}+]{0,8}"
}

fn any_reference() -> impl Strategy<Value = Reference> {
    let chunks = || prop::collection::vec(any_name(), 1..4).prop_map(|names| Chunks::of(names).unwrap());
    let member = || (any_name(), "[a-zA-Z]{1,8}").prop_map(|(step, member)| Member { step, member });
    let plain = || {
        prop_oneof![
            prop::option::of(any_name()).prop_map(Reference::Repository),
            Just(Reference::Absent),
            Just(Reference::Registry),
            Just(Reference::Alias),
            // A step whose name begins like another reference cannot be named.
            member()
                .prop_filter("begins like another", |member| !member.step.contains(':'))
                .prop_map(Reference::Member),
            member().prop_map(Reference::Upper),
            any_name().prop_map(Reference::Base64),
            chunks().prop_map(Reference::Sha256),
            (chunks(), any::<bool>()).prop_map(|(chunks, upper)| Reference::Hex { chunks, upper }),
            chunks().prop_map(Reference::Sha256Prefix12),
            chunks().prop_map(Reference::Sha256LastDigitOff),
            chunks().prop_map(Reference::Size),
            chunks().prop_map(Reference::Last),
            (0..1_000_000_usize, any_name()).prop_map(|(count, text)| Reference::Repeat { count, text }),
        ]
    };
    let padded =
        (0..=Reference::MAX_MADE, plain()).prop_map(|(length, of)| Reference::Pad { length, of: Box::new(of) });
    let cut = (any::<usize>(), any::<usize>(), plain()).prop_map(|(from, to, of)| Reference::Cut {
        from,
        to,
        of: Box::new(of),
    });
    let escaped =
        (prop::sample::select(Escape::ALL), plain()).prop_map(|(how, of)| Reference::Escaped { how, of: Box::new(of) });
    prop_oneof![4 => plain(), 1 => padded, 1 => cut, 1 => escaped]
}

proptest! {
    #[test]
    fn references_read_back(reference in any_reference()) {
        prop_assert_eq!(reference.to_string().parse(), Ok(reference.clone()));
        prop_assert_eq!(Reference::alone(&reference.written()), Some(reference.clone()));
        prop_assert_eq!(reference.rename(&|name| String::from(name)), reference);
    }

    #[test]
    fn all_bytes_read_back(pieces in prop::collection::vec(prop_oneof![
        prop::collection::vec(any::<u8>(), 0..9),
        any_reference().prop_map(|reference| reference.written().into_bytes()),
        prop::sample::select(&["${", "}", "$", "\"", "\\", "${absent", "«", "»"]).prop_map(|text| text.as_bytes().to_vec()),
    ], 0..9)) {
        let source = pieces.concat();
        let template = Template::lenient(&source);
        prop_assert_eq!(template.to_bytes(), source.clone());
        prop_assert_eq!(template.map(|reference| Part::Reference(reference.clone())), template.clone());
        if let Ok(strict) = Template::parse(&source) {
            prop_assert_eq!(strict, template);
        }
    }
}
