//! The pages say what the code says now. `SNAPSHOTS=overwrite cargo test --test docs` writes the generated ones anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use ecrspec::template::Reference;
use ecrspec::wire::{Framing, Signature};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

const README: &str = include_str!("../README.md");

#[cfg(feature = "cli")]
#[test]
fn the_rule_references_are_those_of_the_rules() {
    are_current("rules");
}

#[cfg(feature = "cli")]
#[test]
fn the_coverage_is_that_of_the_suite() {
    are_current("coverage");
}

#[cfg(feature = "cli")]
fn are_current(table: &str) {
    use std::process::Command;

    use snapbox::{Data, assert_data_eq};

    for service in ["ecr", "ecr-public"] {
        let output = Command::new(env!("CARGO_BIN_EXE_ecrspec"))
            .args(["list", &format!("--{table}"), "--markdown", "--service", service])
            .output()
            .unwrap();
        let page = String::from_utf8(output.stdout).unwrap();
        let path = format!("{}/docs/src/{table}-{service}.md", env!("CARGO_MANIFEST_DIR"));
        assert_data_eq!(page, Data::read_from(path.as_ref(), None).raw());
    }
}

#[cfg(feature = "mock")]
#[test]
fn the_readme_counts_faults_and_variants_roughly() {
    // That all of them are found, and none of them gives a finding, is for tests/selftest.rs.
    let readme = README.split_whitespace().collect::<Vec<_>>().join(" ");
    let about = |count: usize, unit: usize| (count + unit / 2) / unit * unit;
    let faults = about(ecrspec::mock::Fault::all().count(), 50);
    let variants = about(ecrspec::mock::Variant::all().count(), 10);
    for text in [format!("all planted faults, some {faults},"), format!("all lawful variants, some {variants},")] {
        assert!(readme.contains(&text), "{text}");
    }
}

#[cfg(feature = "net")]
#[test]
fn the_readme_counts_what_there_is() {
    let usual = ecrspec::run::Settings::everything("", "");
    let is_chosen = |case: &ecrspec::case::Case| ecrspec::run::is_chosen(&usual, &case.id);
    let of = |service| {
        let cases = ecrspec::suite::suite(service).unwrap().into_iter().filter(is_chosen);
        cases.count() + ecrspec::run::RANDOM_CASES as usize
    };
    let cases: usize = ecrspec::contract::Service::ALL.into_iter().map(of).sum();
    assert!(
        README.contains(&format!(
            "PASS  the embedded mock (ecr, ecr-public), no server was tested: {cases} cases judged, {cases} ok"
        )),
        "{cases} cases"
    );
}

#[cfg(feature = "terminal")]
#[test]
fn the_guide_has_every_report_format() {
    let page = include_str!("../docs/src/running.md");
    for format in ecrspec::report::format::FORMATS {
        assert!(
            page.contains(&format!("\n| `{}` | ", format.name)),
            "docs/src/running.md has no row for {}",
            format.name
        );
    }
}

#[test]
fn the_readme_names_the_rust_that_the_manifest_names() {
    let version = env!("CARGO_PKG_RUST_VERSION");
    assert!(README.contains(&format!("With Rust {version} or newer")), "rust-version is {version}");
}

#[test]
fn the_guide_has_every_reference_of_a_case() {
    let page = include_str!("../docs/src/scenarios.md");
    let table = page.split_once("| reference | stands for |").unwrap().1.split("\n\n").next().unwrap();
    let columns = table.lines().skip(2).filter_map(|row| row.split('|').nth(1));
    let documented: BTreeSet<String> = columns
        .flat_map(|column| column.split(','))
        // More than one chunk may be named.
        .map(|form| form.trim_matches([' ', '`']).replace("NAME+NAME", "NAME"))
        .collect();
    let forms: BTreeSet<String> = Reference::FORMS.iter().map(|form| format!("${{{form}}}")).collect();
    assert_eq!(documented, forms, "docs/src/scenarios.md, and Reference::FORMS");
}

#[test]
fn the_guide_has_every_framing_of_a_request() {
    let page = include_str!("../docs/src/scenarios.md");
    let table = page.split_once("| framing | meaning |").unwrap().1.split("\n\n").next().unwrap();
    let columns = table.lines().skip(2).filter_map(|row| row.split('|').nth(1));
    let documented: Vec<&str> = columns.map(|column| column.trim_matches([' ', '`'])).collect();
    let framings: Vec<&str> = Framing::ALL.iter().map(|framing| framing.name()).collect();
    assert_eq!(documented, framings, "docs/src/scenarios.md, and Framing::ALL");
}

#[test]
fn the_guide_has_every_signature_of_a_request() {
    let page = include_str!("../docs/src/signatures.md");
    let table = page.split_once("| signature | meaning |").unwrap().1.split("\n\n").next().unwrap();
    let column = |row: &str, place: usize| String::from(row.split('|').nth(place).unwrap().trim_matches([' ', '`']));
    let documented: Vec<_> = table.lines().skip(2).map(|row| (column(row, 1), column(row, 2))).collect();
    let signature = |signature: &Signature| (String::from(signature.name()), String::from(signature.words()));
    let mut signatures: Vec<_> = Signature::ALL.iter().map(signature).collect();
    signatures[0].1 += "; without `signature`, this one";
    assert_eq!(documented, signatures, "docs/src/signatures.md, and Signature::ALL");
}

#[test]
fn no_link_is_dead() {
    let book = root().join("docs/src");
    let summary = Page::read(&book.join("SUMMARY.md"));
    let chapters: BTreeSet<PathBuf> = summary.links.iter().map(|link| book.join(link)).collect();
    let listed = fs::read_dir(&book).unwrap().map(|entry| entry.unwrap().path());
    let unlisted: Vec<PathBuf> = listed
        .filter(|path| !["SUMMARY.md", "pictures"].iter().any(|name| path.ends_with(name)) && !chapters.contains(path))
        .collect();
    assert!(unlisted.is_empty(), "SUMMARY.md lacks {unlisted:?}");
    let mut dead = Vec::new();
    let outside = ["README.md", "CONTRIBUTING.md", "fuzz/README.md"].map(|page| root().join(page));
    for path in chapters.iter().cloned().chain(outside) {
        let page = Page::read(&path);
        for link in page.links.iter().filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { normal(&path.parent().unwrap().join(file)) };
            // The rendered book has its chapters and nothing else.
            let exists = if chapters.contains(&path) { chapters.contains(&target) } else { target.exists() };
            if !exists || !(heading.is_empty() || Page::read(&target).headings.contains(heading)) {
                dead.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

#[test]
fn pictures_are_there_are_small_and_are_described() {
    let book = root().join("docs/src");
    let folder = fs::read_dir(book.join("pictures")).unwrap().map(|entry| entry.unwrap().path());
    let kept: BTreeSet<PathBuf> = folder.collect();
    let mut shown = BTreeSet::new();
    for link in Page::read(&book.join("SUMMARY.md")).links {
        for (picture, words) in Page::read(&book.join(&link)).pictures {
            assert!(words.split(' ').count() > 10, "{link}: {picture} says too little to whoever does not see it");
            shown.insert(book.join(picture));
        }
    }
    assert_eq!(kept, shown, "what is in docs/src/pictures, and what pages show");
    for picture in &kept {
        let bytes = fs::read(picture).unwrap();
        let is_picture = bytes.starts_with(b"\x89PNG") || bytes.starts_with(b"<?xml");
        assert!(is_picture && bytes.len() < 150_000, "{}: {} bytes", picture.display(), bytes.len());
    }
}

/// What a page links to, and what can be linked to in it.
struct Page {
    links: Vec<String>,
    /// Where the pictures are, and what is said of them.
    pictures: Vec<(String, String)>,
    headings: BTreeSet<String>,
}

impl Page {
    fn read(path: &Path) -> Page {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut page = Page { links: Vec::new(), pictures: Vec::new(), headings: BTreeSet::new() };
        let mut heading: Option<String> = None;
        let mut picture: Option<(String, String)> = None;
        for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Link { dest_url, .. }) => page.links.push(dest_url.to_string()),
                Event::Start(Tag::Image { dest_url, .. }) => picture = Some((dest_url.to_string(), String::new())),
                Event::End(TagEnd::Image) => page.pictures.extend(picture.take()),
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::InlineHtml(html) => {
                    let id = html.strip_prefix("<a id=\"").and_then(|rest| rest.strip_suffix("\">"));
                    page.headings.extend(id.map(String::from));
                }
                Event::Text(text) | Event::Code(text) => {
                    picture.iter_mut().for_each(|(_, words)| *words += &text);
                    heading.iter_mut().for_each(|heading| *heading += &text);
                }
                Event::End(TagEnd::Heading(_)) => page.headings.extend(heading.take().map(|text| anchor(&text))),
                _ => {}
            }
        }
        page
    }
}

/// What a heading is called in a URL.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_')).collect()
}

/// A path without `..`.
fn normal(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut normal, component| {
        match component {
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
        normal
    })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
