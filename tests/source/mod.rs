//! The source files of the crate, and which paths their code names: that of macros too, and not that of their tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Attribute, Item};

/// A source file.
pub struct Source {
    pub path: PathBuf,
    /// Its module, as the names from the root of the crate on.
    pub module: Vec<String>,
    /// The paths of two names and more, such as `std::fs` or `super::Target`, with what groups have taken apart. Those that
    /// begin with `crate`, `self` or `super` have the names from the root of the crate on, after `crate`.
    pub paths: BTreeSet<Vec<String>>,
    /// All words.
    pub words: BTreeSet<String>,
}

impl Source {
    /// The room that the file is in.
    pub fn room(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }
}

/// All files below `src` with code that is not for tests only.
pub fn sources(root: &Path) -> Vec<Source> {
    let mut tests_only = BTreeSet::new();
    let mut sources = Vec::new();
    for path in super::files(&root.join("src"), "rs") {
        let text = fs::read_to_string(&path).unwrap();
        let below = path.strip_prefix(root.join("src")).unwrap().with_extension("");
        let mut module: Vec<String> = below.iter().map(|name| name.to_string_lossy().into_owned()).collect();
        if module.last().is_some_and(|name| name == "mod") || module == ["lib"] {
            module.pop();
        }
        sources.push(source(path, module, &text, &mut tests_only));
    }
    sources.retain(|source| !tests_only.iter().any(|module| source.module.starts_with(module)));
    sources
}

/// Reads a file. Modules in other files that are for tests only go to `tests_only`.
pub fn source(path: PathBuf, module: Vec<String>, text: &str, tests_only: &mut BTreeSet<Vec<String>>) -> Source {
    let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut source = Source { path, module: module.clone(), paths: BTreeSet::new(), words: BTreeSet::new() };
    source.items(&module, file.items, tests_only);
    source
}

impl Source {
    fn items(&mut self, module: &[String], items: Vec<Item>, tests_only: &mut BTreeSet<Vec<String>>) {
        for item in items {
            match item {
                Item::Mod(inner) => {
                    let name = [module, &[inner.ident.to_string()]].concat();
                    match inner.content {
                        _ if is_for_tests(&inner.attrs) => drop(tests_only.insert(name)),
                        Some((_, items)) => self.items(&name, items, tests_only),
                        None => {}
                    }
                }
                item if attributes(&item).is_some_and(is_for_tests) => {}
                item => self.tokens(module, item.into_token_stream()),
            }
        }
    }

    /// Collects words and paths. Tokens, and not the tree of [`syn`]: it does not look into macros.
    fn tokens(&mut self, module: &[String], tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Ident(_) => {
                    let mut found = Vec::new();
                    let after = names(&tokens, at, &mut Vec::new(), &mut found);
                    self.words.extend(found.iter().flatten().cloned());
                    let paths = found.into_iter().filter(|path| path.len() > 1).map(|path| absolute(module, path));
                    self.paths.extend(paths);
                    // What stands in the group of a path has been read; its idents have no paths of their own.
                    at = after;
                }
                TokenTree::Group(group) => {
                    self.tokens(module, group.stream());
                    at += 1;
                }
                _ => at += 1,
            }
        }
    }
}

/// Reads the path that begins at an ident, and gives where the tokens go on after it.
fn names(tokens: &[TokenTree], mut at: usize, before: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let depth = before.len();
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(ident)) => before.push(ident.to_string().trim_start_matches("r#").to_owned()),
            Some(TokenTree::Punct(star)) if star.as_char() == '*' => before.push(String::from("*")),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ',');
                for part in inner.split(is_comma).filter(|part| !part.is_empty()) {
                    names(part, 0, before, found);
                }
                before.truncate(depth);
                return at + 1;
            }
            // `Vec::<u8>::new`: what is in the brackets is read as if it stood alone.
            _ => break,
        }
        at += 1;
        let is_colon =
            |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == ':');
        if !(is_colon(tokens.get(at)) && is_colon(tokens.get(at + 1))) {
            break;
        }
        at += 2;
    }
    if *before == ["crate"] && matches!(tokens.get(at), Some(TokenTree::Ident(word)) if word == "as") {
        before.push(String::from("as")); // Under another name, all that comes after it would be out of sight.
    }
    found.push(before.clone());
    before.truncate(depth);
    at
}

/// The names from the root of the crate on, after `crate`, of a path in a module.
fn absolute(module: &[String], path: Vec<String>) -> Vec<String> {
    let climbs = path.iter().take_while(|name| *name == "super").count();
    let from = match path[0].as_str() {
        "self" => (module.len(), 1),
        "super" => (module.len().saturating_sub(climbs), climbs),
        _ => return path,
    };
    let climbed = path[from.1..].iter().take_while(|name| *name == "super").count();
    let base = &module[..from.0.saturating_sub(climbed)];
    [&[String::from("crate")], base, &path[from.1 + climbed..]].concat()
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.meta.to_token_stream().to_string().replace(' ', "") == "cfg(test)"
    })
}

fn attributes(item: &Item) -> Option<&[Attribute]> {
    Some(match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => return None,
    })
}

/// Which files name which others, by their modules: what is named is the file whose module is the longest beginning.
pub fn imports(sources: &[Source]) -> BTreeMap<&[String], BTreeSet<&[String]>> {
    let modules: BTreeSet<&[String]> = sources.iter().map(|source| source.module.as_slice()).collect();
    let file_of = |path: &[String]| (0..=path.len()).rev().find_map(|end| modules.get(&path[..end]).copied());
    sources
        .iter()
        .map(|source| {
            let named = source.paths.iter().filter_map(|path| match path.split_first() {
                Some((first, rest)) if first == "crate" => file_of(rest),
                // Without a prefix, a path may begin with a module below.
                Some(_) => file_of(&[&source.module[..], path].concat()),
                None => None,
            });
            (source.module.as_slice(), named.filter(|named| *named != source.module).collect())
        })
        .collect()
}
