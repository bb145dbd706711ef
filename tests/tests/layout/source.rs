//! One file of a crate: what it defines, what it re-exports, and which paths it names.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use proc_macro2::{TokenStream, TokenTree};
use syn_full::visit::{self, Visit};
use syn_full::{Attribute, File, Item, Meta, UseTree, Visibility};

/// A path as segments, as seen from the module that names it.
pub(crate) type Names = Vec<String>;

/// A module of a crate.
#[derive(Default)]
pub(crate) struct Module {
    /// The file, below the crate's `src`.
    pub(crate) file: String,
    pub(crate) defined: HashSet<String>,
    /// Names that it re-exports, and the path of each.
    pub(crate) handed_on: HashMap<String, Names>,
    /// Modules whose names it re-exports by `*`.
    pub(crate) globs: Vec<Names>,
    /// Paths from which it imports names.
    pub(crate) named: Vec<Names>,
}

/// Reads a crate from its root file: its modules by their paths.
pub(crate) fn modules(root: &Path) -> io::Result<HashMap<Names, Module>> {
    let mut reader = Reader { src: root.parent().unwrap_or(root).to_owned(), modules: HashMap::new() };
    reader.file(root, Vec::new(), root.parent().unwrap_or(root))?;
    Ok(reader.modules)
}

struct Reader {
    src: PathBuf,
    modules: HashMap<Names, Module>,
}

impl Reader {
    fn file(&mut self, path: &Path, at: Names, folder: &Path) -> io::Result<()> {
        let text =
            fs::read_to_string(path).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
        let File { items, .. } =
            syn_full::parse_file(&text).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
        let file = path.strip_prefix(&self.src).unwrap_or(path).to_string_lossy().into_owned();
        self.module(&items, &file, at, folder)
    }

    fn module(&mut self, items: &[Item], file: &str, at: Names, folder: &Path) -> io::Result<()> {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        for item in items.iter().filter(|item| !is_test(attributes(item))) {
            match item {
                Item::Mod(inner) => {
                    let name = inner.ident.to_string();
                    let path = [at.clone(), vec![name.clone()]].concat();
                    if let Some((_, items)) = &inner.content {
                        self.module(items, file, path, &folder.join(&name))?;
                    } else if let Some(other) = path_attribute(&inner.attrs) {
                        // As rustc has it: relative to this file, and its own modules lie beside it.
                        let file = self.src.join(file).with_file_name(other);
                        self.file(&file, path, file.parent().unwrap_or(folder))?;
                    } else {
                        let (beside, below) = (folder.join(format!("{name}.rs")), folder.join(&name));
                        let file = if beside.exists() { beside } else { below.join("mod.rs") };
                        self.file(&file, path, &below)?;
                    }
                }
                Item::Use(used) => {
                    let hands_on = !matches!(used.vis, Visibility::Inherited);
                    leaves(&used.tree, Vec::new(), &mut |path, name| match name {
                        None if hands_on => module.globs.push(path),
                        Some(name) if hands_on => drop(module.handed_on.insert(name, path)),
                        _ => module.named.push(path),
                    });
                }
                _ => module.defined.extend(name_of(item)),
            }
            if !matches!(item, Item::Mod(_) | Item::Use(_)) {
                let mut paths = Paths(&mut module.named);
                paths.visit_item(item);
            }
        }
        self.modules.insert(at, module);
        Ok(())
    }
}

/// Every path that a `use` brings, with the name that it gets; `None` for a glob.
fn leaves(tree: &UseTree, mut at: Names, leaf: &mut impl FnMut(Names, Option<String>)) {
    match tree {
        UseTree::Path(path) => {
            at.push(path.ident.to_string());
            leaves(&path.tree, at, leaf);
        }
        UseTree::Name(name) if name.ident == "self" => {
            let last = at.last().cloned();
            leaf(at, last);
        }
        UseTree::Name(name) => {
            at.push(name.ident.to_string());
            leaf(at, Some(name.ident.to_string()));
        }
        UseTree::Rename(renamed) => {
            at.push(renamed.ident.to_string());
            leaf(at, Some(renamed.rename.to_string()));
        }
        UseTree::Glob(_) => leaf(at, None),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, at.clone(), leaf)),
    }
}

/// Collects the paths in code that begin in this crate, also in macros.
struct Paths<'a>(&'a mut Vec<Names>);

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_path(&mut self, path: &'ast syn_full::Path) {
        let names: Names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 && path.leading_colon.is_none() {
            self.0.push(names);
        }
        visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, used: &'ast syn_full::ItemUse) {
        leaves(&used.tree, Vec::new(), &mut |path, _| self.0.push(path));
    }

    fn visit_macro(&mut self, called: &'ast syn_full::Macro) {
        in_tokens(called.tokens.clone(), self.0);
        visit::visit_macro(self, called);
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

/// `crate::a::b`, `$crate::a::b` and `super::a` among tokens that are not parsed.
fn in_tokens(tokens: TokenStream, found: &mut Vec<Names>) {
    let mut path: Names = Vec::new();
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) if colons == 2 && !path.is_empty() => {
                path.push(ident.to_string());
                colons = 0;
                continue;
            }
            TokenTree::Ident(ident) if ident == "crate" || ident == "super" => {
                found.extend(Some(std::mem::take(&mut path)).filter(|path| path.len() > 1));
                path.push(ident.to_string());
                colons = 0;
                continue;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                colons += 1;
                continue;
            }
            TokenTree::Group(group) => in_tokens(group.stream(), found),
            _ => {}
        }
        found.extend(Some(std::mem::take(&mut path)).filter(|path| path.len() > 1));
        colons = 0;
    }
    found.extend(Some(path).filter(|path| path.len() > 1));
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else { return attribute.path().is_ident("test") };
        list.path.is_ident("cfg")
            && list.tokens.to_string().split(|c: char| !c.is_alphanumeric()).any(|word| word == "test")
    })
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else { return None };
        let syn_full::Expr::Lit(syn_full::ExprLit { lit: syn_full::Lit::Str(text), .. }) = &pair.value else {
            return None;
        };
        pair.path.is_ident("path").then(|| text.value())
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn name_of(item: &Item) -> Option<String> {
    match item {
        Item::Const(item) => Some(item.ident.to_string()),
        Item::Enum(item) => Some(item.ident.to_string()),
        Item::Fn(item) => Some(item.sig.ident.to_string()),
        Item::Macro(item) => item.ident.as_ref().map(ToString::to_string),
        Item::Static(item) => Some(item.ident.to_string()),
        Item::Struct(item) => Some(item.ident.to_string()),
        Item::Trait(item) => Some(item.ident.to_string()),
        Item::Type(item) => Some(item.ident.to_string()),
        _ => None,
    }
}
