//! Which file of a crate imports which, and what from it.
//!
//! A name is imported from the file that defines it, also if a folder's `mod.rs` re-exports it: a `pub use` is not an import of
//! its own file.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::{fmt, io};

use crate::source::{Module, Names, modules};

pub(crate) struct Graph {
    pub(crate) files: BTreeSet<String>,
    pub(crate) imports: Vec<Import>,
}

/// One file imports another.
pub(crate) struct Import {
    pub(crate) from: String,
    pub(crate) to: String,
    names: BTreeSet<String>,
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        write!(f, "{} -> {}: {}", self.from, self.to, names.join(", "))
    }
}

impl Graph {
    pub(crate) fn of(root: &Path) -> io::Result<Self> {
        let modules = modules(root)?;
        let mut imports: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        for (at, module) in &modules {
            for path in &module.named {
                let Some((to, name)) = resolve(&modules, at, path, 0) else { continue };
                if to != module.file {
                    imports.entry((module.file.clone(), to)).or_default().insert(name);
                }
            }
        }
        let imports = imports.into_iter().map(|((from, to), names)| Import { from, to, names });
        let files = modules.values().map(|module| module.file.clone()).collect();
        Ok(Self { files, imports: imports.collect() })
    }

    /// The circles, each as the imports that form it.
    pub(crate) fn circles(&self) -> Vec<Vec<String>> {
        let reachable_from = |from: &str| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
            while let Some(at) = next.pop() {
                for import in self.imports.iter().filter(|import| import.from == at) {
                    if seen.insert(import.to.as_str()) {
                        next.push(&import.to);
                    }
                }
            }
            seen
        };
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.files.iter().map(|file| (file.as_str(), reachable_from(file))).collect();
        let together = |a: &str, b: &str| reached[a].contains(b) && reached[b].contains(a);
        let mut circles: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for import in self.imports.iter().filter(|import| together(&import.from, &import.to)) {
            // A circle is named after its first file.
            let first = self.files.iter().find(|file| together(file, &import.from)).unwrap_or(&import.from);
            circles.entry(first).or_default().push(import.to_string());
        }
        circles.into_values().collect()
    }
}

/// The file in which a path ends, as seen from a module, and the name that it takes there; `None` for what is not of this crate.
fn resolve(
    modules: &HashMap<Names, Module>,
    from: &[String],
    path: &[String],
    depth: usize,
) -> Option<(String, String)> {
    let mut at = from.to_vec();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => {
            at.clear();
            rest = &path[1..];
        }
        "self" => rest = &path[1..],
        "super" => {
            while rest.first().is_some_and(|name| name == "super") {
                at.pop();
                rest = &rest[1..];
            }
        }
        first => {
            let module = modules.get(from)?;
            let is_ours =
                modules.contains_key(&[from, &[first.to_owned()]].concat()) || module.handed_on.contains_key(first);
            if !is_ours {
                return None;
            }
        }
    }
    let mut name = at.last().cloned().unwrap_or_default();
    while let Some(next) = rest.first() {
        let module = modules.get(&at)?;
        let inner = [at.clone(), vec![next.clone()]].concat();
        name.clone_from(next);
        if modules.contains_key(&inner) {
            at = inner;
            rest = &rest[1..];
            continue;
        }
        if depth < 16 && !module.defined.contains(next) {
            if let Some(behind) = module.handed_on.get(next) {
                return resolve(modules, &at, behind, depth + 1);
            }
            let through = module.globs.iter().find_map(|glob| {
                let path = [glob.clone(), vec![next.clone()]].concat();
                resolve(modules, &at, &path, depth + 1).filter(|(file, _)| *file != module.file)
            });
            if through.is_some() {
                return through;
            }
        }
        break;
    }
    modules.get(&at).map(|module| (module.file.clone(), name))
}
