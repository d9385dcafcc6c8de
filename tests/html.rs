//! `--report html=PATH`: what the page has, and what it does in a browser.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Mock, command, err};
use crate::browser;
use crate::browser::Browser;
use crate::poison::poison;

/// The log of a run with findings of several grades, known deviations, skipped cases and a random search.
static LOG: LazyLock<String> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    let mock = Mock::start(&["--fault", "digests-not-compared", "--service", "ecr"]);
    let known =
        "[[known]]\nrule = \"CompleteLayerUpload/layerDigests/sha256-length\"\ngot = \"200\"\nreason = \"issue 7\"\n";
    fs::write(folder.path().join("known.toml"), known).unwrap();
    let filters = [
        "--filter",
        "/layerDigests",
        "--filter",
        "CompleteLayerUpload/accepted",
        "--filter",
        "Initiate",
        "--filter",
        "PutImage",
    ];
    let run = ["run", "--service", "ecr", "--endpoint", &mock.endpoint, "--cases", "20", "--report", "ndjson=log"];
    // A page that has links loads nothing from where they lead.
    let known = ["--known", "known.toml", "--without", "PutImage", "--guide", "https://guide.example"];
    let output = command(&[&run[..], &filters, &known].concat(), folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    fs::read_to_string(folder.path().join("log")).unwrap()
});

/// The page of a log, in a folder.
fn page_of(folder: &TempDir, log: &str) -> PathBuf {
    fs::write(folder.path().join("log"), log).unwrap();
    let report = ["report", "log", "--report", "html=page.html"];
    let output = command(&report, folder.path()).output().unwrap();
    assert!(output.status.code() != Some(2), "{}", err(&output));
    folder.path().join("page.html")
}

/// The log with each case repeated under other ids, until there are so many.
fn many(cases: usize) -> String {
    let (judged, others): (Vec<&str>, Vec<&str>) =
        LOG.lines().partition(|line| line.starts_with("{\"event\":\"judged\""));
    let mut log = format!("{}\n", others[..2].join("\n"));
    for number in 0..cases {
        let mut event: Value = serde_json::from_str(judged[number % judged.len()]).unwrap();
        event["index"] = json!(number);
        event["case"] = json!(format!("{}/{}", event["case"].as_str().unwrap(), number / judged.len()));
        event["smaller"] = json!([]);
        log += &format!("{event}\n");
    }
    log + others.last().unwrap() + "\n"
}

fn parse(page: &str) -> Document<'_> {
    Document::parse_with_options(page, ParsingOptions { allow_dtd: true, ..ParsingOptions::default() }).unwrap()
}

fn elements<'a>(document: &'a Document, name: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    document.descendants().filter(move |node| node.has_tag_name(name))
}

fn decoded(fragment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = fragment.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Well-formed, with landmarks, headings in order, a caption a table, ids that are unique, and no link that is dead.
fn is_sound(page: &str) {
    let document = parse(page);
    let ids: Vec<&str> = document.descendants().filter_map(|node| node.attribute("id")).collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "an id comes twice");
    for link in elements(&document, "a") {
        let href = link.attribute("href").unwrap();
        match href.strip_prefix('#') {
            Some(fragment) => assert!(unique.contains(decoded(fragment).as_str()), "{href} leads nowhere"),
            None => assert!(href.starts_with("https://"), "{href}"),
        }
    }
    for landmark in ["header", "nav", "main", "footer", "h1"] {
        assert_eq!(elements(&document, landmark).count(), 1, "{landmark}");
    }
    let mut level = 0;
    for heading in document.descendants().filter(|node| ["h1", "h2", "h3"].contains(&node.tag_name().name())) {
        let found: u32 = heading.tag_name().name()[1..].parse().unwrap();
        assert!(found <= level + 1, "{heading:?} after a heading of level {level}");
        level = found;
    }
    for table in elements(&document, "table") {
        assert!(table.first_element_child().unwrap().has_tag_name("caption"));
        assert!(table.descendants().filter(|node| node.has_tag_name("th")).all(|th| th.attribute("scope").is_some()));
    }
    for section in elements(&document, "section") {
        assert!(unique.contains(section.attribute("aria-labelledby").unwrap()));
    }
    let scripts: Vec<Node> = elements(&document, "script").collect();
    assert_eq!(scripts.len(), 1);
    let policy =
        elements(&document, "meta").find_map(|meta| meta.attribute("content").filter(|it| it.contains("-src")));
    assert!(policy.unwrap().starts_with("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-"));
}

#[test]
fn a_page_is_sound_and_says_what_was_found() {
    let folder = TempDir::new().unwrap();
    let page = fs::read_to_string(page_of(&folder, &LOG)).unwrap();
    is_sound(&page);
    let document = parse(&page);
    let text = |id: &str| {
        let node = document.descendants().find(|node| node.attribute("id") == Some(id));
        let node = node.unwrap_or_else(|| panic!("no {id}"));
        node.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect::<Vec<_>>().join("")
    };
    let findings = text("findings");
    for part in [
        "CompleteLayerUpload accepts a digest that does not match the bytes",
        "expected",
        "400 InvalidLayerException",
        "At least one digest must match the uploaded bytes.",
        "API reference, CompleteLayerUpload (2025)",
        "Smallest sequence: ",
        "\"layerDigests\":[\"sha256:",
        "ecrspec replay CompleteLayerUpload/layerDigests/match/",
    ] {
        assert!(findings.contains(part), "{part}: {findings}");
    }
    assert!(text("accepted").contains("issue 7"));
    assert!(text("constraints").contains("FAIL ") && text("constraints").contains("known "), "{}", text("constraints"));
    assert!(text("states").contains("upload: one part"), "{}", text("states"));
    assert!(text("ecr/CompleteLayerUpload/accepted/plain").contains("ok"));
    // Every case has its row.
    for line in LOG.lines().filter(|line| line.starts_with("{\"event\":\"judged\"")) {
        let judged: Value = serde_json::from_str(line).unwrap();
        let id = format!("ecr/{}", judged["case"].as_str().unwrap());
        assert!(
            document.descendants().any(|node| node.has_tag_name("tr") && node.attribute("id") == Some(&id)),
            "{id}"
        );
    }
}

#[test]
fn a_page_of_5000_cases_is_below_2_megabytes() {
    let folder = TempDir::new().unwrap();
    let page = fs::read_to_string(page_of(&folder, &many(5000))).unwrap();
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    is_sound(&page);
    assert_eq!(page.matches("<tr id=\"").count(), 5000, "a row a case");
    if !browser::is_there() {
        return;
    }
    let mut browser = Browser::start(1200, 1400);
    browser.open(&folder.path().join("page.html"));
    assert_eq!(browser.evaluate("document.getElementById('shown').textContent"), "5000 of 5000 cases");
    browser.picture("many");
}

#[test]
fn the_page_of_a_run_that_was_killed_says_so() {
    let folder = TempDir::new().unwrap();
    let page = fs::read_to_string(page_of(&folder, &LOG[..LOG.len() / 2])).unwrap();
    is_sound(&page);
    assert!(page.contains("unfinished: the log was cut off after "), "{}", &page[..3000]);
    assert!(page.contains("it did not come to its end"));
}

#[test]
fn the_logs_of_several_jobs_are_one_page() {
    let folder = TempDir::new().unwrap();
    for part in ["1", "2"] {
        let (partition, log) = (format!("hash:{part}/2"), format!("ndjson=log{part}"));
        let run = ["run", "--service", "ecr", "--filter", "wire/target", "--filter", "wire/header", "--cases", "0"];
        let part = ["--partition", &partition, "--report", &log];
        assert_eq!(command(&[&run[..], &part].concat(), folder.path()).output().unwrap().status.code(), Some(0));
    }
    let report = ["report", "log1", "log2", "--report", "html=both.html"];
    assert_eq!(command(&report, folder.path()).output().unwrap().status.code(), Some(0));
    let page = fs::read_to_string(folder.path().join("both.html")).unwrap();
    is_sound(&page);
    let cases = ["log1", "log2"].map(|log| {
        let log = fs::read_to_string(folder.path().join(log)).unwrap();
        log.lines().filter(|line| line.starts_with("{\"event\":\"judged\"")).count()
    });
    assert!(cases.iter().all(|count| *count > 0));
    assert_eq!(page.matches("<tr id=\"").count(), cases.iter().sum::<usize>());
    assert!(page.contains("put together from 2 logs"));
}

#[test]
fn a_browser_filters_sorts_follows_and_prints() {
    if !browser::is_there() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let path = page_of(&folder, &LOG);
    let mut browser = Browser::start(1200, 1400);
    browser.open(&path);
    let rows = "[...document.querySelectorAll('.cases tr[id]')]";
    let visible = format!("{rows}.filter(row => row.offsetParent).map(row => row.id)");
    let all = browser.evaluate(&format!("{rows}.length")).as_u64().unwrap();
    assert_eq!(browser.evaluate(&format!("{visible}.length")), all);
    // Find.
    let type_in = |text: &str| {
        format!("(e => {{ e.value = '{text}'; e.dispatchEvent(new Event('input')) }})(document.getElementById('find'))")
    };
    browser.evaluate(&type_in("layerdigests/match wrong"));
    let found = browser.evaluate(&visible);
    assert!(
        found.as_array().unwrap().iter().any(|id| id == "ecr/CompleteLayerUpload/layerDigests/match/wrong"),
        "{found}"
    );
    let is_one = |id: &Value| id.as_str().unwrap().to_lowercase().contains("layerdigests/match");
    assert!(found.as_array().unwrap().iter().all(is_one) && (found.as_array().unwrap().len() as u64) < all, "{found}");
    browser.evaluate(&type_in(""));
    // Choose.
    browser.evaluate("document.querySelector('#filter input[value=p]').click()");
    let failed =
        browser.evaluate(&format!("{rows}.filter(row => row.offsetParent).every(row => row.className !== 'p')"));
    assert_eq!(failed, true);
    browser.evaluate("document.querySelector('#filter input[value=p]').click()");
    // Sort.
    browser.evaluate(
        "(e => { e.value = 'result'; e.dispatchEvent(new Event('change')) })(document.getElementById('sort'))",
    );
    let classes = "[...document.querySelector('.cases tbody[id$=\"layerDigests/sha256-length\"]').rows].slice(1).map(row => row.className).join('')";
    let sorted = browser.evaluate(classes);
    let mut by_rank: Vec<char> = sorted.as_str().unwrap().chars().collect();
    by_rank.sort_by_key(|class| "fkisp".find(*class));
    assert_eq!(sorted, by_rank.into_iter().collect::<String>());
    // Follow.
    let id = "ecr/CompleteLayerUpload/layerDigests/match/wrong";
    browser.evaluate("document.querySelector('#filter input[value=f]').click()");
    browser.evaluate(&format!(
        "new Promise(done => {{ addEventListener('hashchange', () => setTimeout(done, 300)); location.hash = '{id}' }})"
    ));
    let seen = format!(
        "(e => e.matches(':target') && e.offsetParent !== null && e.querySelector('details').open)(document.getElementById('{id}'))"
    );
    assert_eq!(browser.evaluate(&seen), true, "what a link leads to is shown and open");
    browser.picture("case");
    // Print.
    let pdf = browser.call("Page.printToPDF", json!({}))["data"].clone();
    assert!(pdf.as_str().unwrap().starts_with("JVBERi0"), "a PDF in base64");
    assert_eq!(browser.complaints(), Vec::<&Value>::new());
    assert!(browser.requests().iter().all(|url| url.starts_with("file://")), "{:?}", browser.requests());
}

#[test]
fn a_page_can_be_read_without_scripts_by_keyboard_and_on_a_phone() {
    if !browser::is_there() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let path = page_of(&folder, &LOG);
    let mut browser = Browser::start(400, 800);
    browser.open(&path);
    let wide = "[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll') && e.getBoundingClientRect().left + e.scrollWidth > 400).map(e => e.outerHTML.slice(0, 200))";
    assert_eq!(browser.evaluate(wide), json!([]), "nothing is wider than the page");
    assert_eq!(browser.evaluate("document.documentElement.scrollWidth"), 400);
    browser.picture("phone");
    browser.press("Tab", 9);
    assert_eq!(browser.evaluate("document.activeElement.className"), "skip");
    browser.press("Tab", 9);
    assert_eq!(browser.evaluate("document.activeElement.getAttribute('href')"), "#findings");
    let tree = browser.call("Accessibility.getFullAXTree", json!({}));
    let roles: BTreeSet<&str> =
        tree["nodes"].as_array().unwrap().iter().filter_map(|node| node["role"]["value"].as_str()).collect();
    for role in ["banner", "navigation", "main", "contentinfo", "table", "search", "article", "heading", "rowheader"] {
        assert!(roles.contains(role), "{role}: {roles:?}");
    }
    browser.call("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    browser.open(&path);
    let read = "[document.getElementById('filter').hidden, document.querySelectorAll('.cases tr[id]').length > 100]";
    assert_eq!(browser.evaluate(read), json!([true, true]));
    browser.size(1200, 1400);
    let dark = json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
    browser.call("Emulation.setEmulatedMedia", dark);
    let back = browser.evaluate("getComputedStyle(document.body).backgroundColor");
    assert_eq!(back, "rgb(20, 23, 28)", "dark where that is preferred");
    for place in ["findings", "constraints", "states", "cases"] {
        browser.evaluate(&format!("document.getElementById('{place}').scrollIntoView({{behavior: 'instant'}})"));
        browser.picture(&format!("dark-{place}"));
    }
    browser.evaluate("document.querySelector('article').scrollIntoView({behavior: 'instant'}); document.querySelector('article details').open = true");
    browser.picture("dark-article");
}

#[test]
fn hostile_text_does_nothing() {
    let folder = TempDir::new().unwrap();
    // All in one: each page takes its time.
    let text = [
        "<script>window.hit=1</script><img src=http://evil.example/x onerror=window.hit=1> ",
        "\"' onmouseover=window.hit=1 autofocus onfocus=window.hit=1 x=\"",
        "</style></script></title></pre><iframe src=javascript:parent.hit=1></iframe><!-- ",
        "]]><svg onload=window.hit=1><a href=javascript:hit=1>x</a>",
        "&lt;b&gt; \u{1b}[2J\u{202e}\0\u{ffff}\u{85} ",
    ]
    .concat();
    let poisoned: String = LOG
        .lines()
        .map(|line| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            poison(&mut event, &text);
            format!("{event}\n")
        })
        .collect();
    let path = page_of(&folder, &poisoned);
    let page = fs::read_to_string(&path).unwrap();
    is_sound(&page);
    let document = parse(&page);
    for node in document.descendants().filter(Node::is_element) {
        let name = node.tag_name().name();
        assert!(!["img", "iframe", "svg", "object", "embed", "form", "link", "base"].contains(&name), "{node:?}");
        assert!(node.attributes().all(|one| !one.name().starts_with("on")), "{node:?}");
    }
    let control = page.chars().find(|letter| letter.is_control() && *letter != '\n');
    assert_eq!(control, None, "{text:?}");
    if !browser::is_there() {
        return;
    }
    let mut browser = Browser::start(1000, 1000);
    browser.open(&path);
    browser.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)");
    browser.evaluate("document.querySelectorAll('a, input, pre').forEach(one => { one.focus(); one.dispatchEvent(new MouseEvent('mouseover', {bubbles: true})) })");
    assert_eq!(browser.evaluate("typeof window.hit"), "undefined", "{text:?}");
    assert_eq!(browser.complaints(), Vec::<&Value>::new(), "{text:?}");
    assert!(browser.requests().iter().all(|url| url.starts_with("file://")), "{:?}", browser.requests());
}

/// Not a test: it takes the pictures of the guide, for `docs/pictures.sh`, which says where the pages are.
#[test]
#[ignore = "docs/pictures.sh runs it"]
fn pictures_of_the_guide() {
    let pages = PathBuf::from(std::env::var_os("ECRSPEC_PAGES").expect("ECRSPEC_PAGES names a folder"));
    let mut browser = Browser::start(1000, 1105);
    browser.open(&pages.join("moto.html"));
    browser.picture("report-moto");
    let finding = "[...document.querySelectorAll('article')].find(one => one.textContent.includes('a digest that does not match'))";
    browser.evaluate(&format!("location.hash = {finding}.id"));
    // That a link leads to it is seen by its frame, which lies around it.
    browser.evaluate(&format!("{finding}.id = 'finding'; document.querySelector('nav').hidden = true"));
    browser.picture_of("finding-moto", "#finding");
    browser.size(1000, 700);
    browser.open(&pages.join("clean.html"));
    browser.picture("report-clean");
}
