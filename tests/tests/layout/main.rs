//! The layout of the crates stays what CONTRIBUTING.md says: no circle between files, no import that runs upward in audit-core,
//! no dependency between crates against the arrows.

mod graph;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use graph::Graph;

const CRATES: [&str; 6] = ["audit-core", "audit-derive", "audit-spool", "audit-client", "audit-tower", "audit-lake"];

/// The top level of audit-core: each imports only from those before it.
const CORE: [&str; 8] = ["limits", "names", "json", "contract", "catalog", "entry", "encode", "derive"];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn graph(name: &str) -> Graph {
    Graph::of(&workspace().join(name).join("src/lib.rs")).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The position of a file of audit-core in [`CORE`]; `lib.rs` is the last.
fn rank(file: &str) -> usize {
    let top = file.split(['/', '.']).next().unwrap_or_default();
    CORE.iter().position(|name| *name == top).unwrap_or(CORE.len())
}

#[test]
fn no_files_of_a_crate_import_each_other_in_a_circle() {
    let mut circles = Vec::new();
    for name in CRATES {
        let graph = graph(name);
        circles.extend(graph.circles().iter().map(|circle| format!("{name}: {}", circle.join("\n    "))));
    }
    assert!(circles.is_empty(), "files that import each other in a circle:\n{}", circles.join("\n"));
}

#[test]
fn no_import_in_audit_core_runs_upward() {
    let upward = graph("audit-core").imports.into_iter().filter(|import| {
        let (from, to) = (rank(&import.from), rank(&import.to));
        from < to || (CORE.get(from), CORE.get(to)) == (Some(&"catalog"), Some(&"json"))
    });
    let upward: Vec<String> = upward.map(|import| import.to_string()).collect();
    assert!(upward.is_empty(), "each imports only from those before it in {CORE:?}:\n{}", upward.join("\n"));
}

#[test]
fn crates_depend_on_each_other_one_way() {
    let allowed = |name: &str| match name {
        "audit-core" => &["audit-derive"][..],
        "audit-spool" | "audit-lake" => &["audit-core"],
        "audit-client" => &["audit-core", "audit-spool"],
        "audit-tower" => &["audit-client"],
        _ => &[],
    };
    for name in CRATES {
        let manifest = fs::read_to_string(workspace().join(name).join("Cargo.toml")).expect("a manifest");
        let manifest: toml::Table = manifest.parse().expect("TOML");
        let dependencies = manifest["dependencies"].as_table().expect("a table");
        for dependency in dependencies.keys() {
            let ours = dependency.starts_with("audit-");
            assert!(!ours || allowed(name).contains(&dependency.as_str()), "{name} depends on {dependency}");
            let io = ["tokio", "hyper", "http", "axum", "aws-"].iter().any(|prefix| dependency.starts_with(prefix));
            let pure = ["audit-core", "audit-derive"].contains(&name);
            assert!(!(pure && io), "{name} does no I/O and knows no network, but depends on {dependency}");
            let aws = dependency.starts_with("aws-");
            assert!(!(name == "audit-spool" && aws), "{name} knows no AWS, but depends on {dependency}");
        }
    }
}

/// A crate made of these files, in a folder that goes with the first value.
fn made(files: &[(&str, &str)]) -> (tempfile::TempDir, Graph) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("written");
    }
    let graph = Graph::of(&folder.path().join("lib.rs")).expect("a crate");
    (folder, graph)
}

#[test]
fn a_circle_is_found_through_use_and_through_a_path_in_code_and_in_a_macro() {
    for by in
        ["use crate::a::A; pub struct B(A);", "pub struct B(super::a::A);", "macro_rules! m { () => { crate::a::A } }"]
    {
        let (_folder, graph) =
            made(&[("lib.rs", "mod a; mod b;"), ("a.rs", "use crate::b::{self, B}; pub struct A;"), ("b.rs", by)]);
        assert_eq!(graph.circles(), [["a.rs -> b.rs: B, b", "b.rs -> a.rs: A"]], "{by}");
    }
}

#[test]
fn a_name_that_a_folder_hands_on_is_imported_from_the_file_that_defines_it() {
    let (_folder, graph) = made(&[
        ("lib.rs", "mod names; mod user;"),
        ("names/mod.rs", "mod id; mod text; pub use id::*; pub(crate) use text::Text;"),
        ("names/id.rs", "pub struct Id(super::text::Text);"),
        ("names/text.rs", "pub struct Text;"),
        ("user.rs", "use crate::names::{Id, Text as T};"),
    ]);
    let imports: Vec<String> = graph.imports.iter().map(ToString::to_string).collect();
    assert_eq!(
        imports,
        ["names/id.rs -> names/text.rs: Text", "user.rs -> names/id.rs: Id", "user.rs -> names/text.rs: Text"]
    );
    assert!(graph.circles().is_empty());
}

#[test]
fn tests_do_not_count() {
    let (_folder, graph) = made(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::B; pub struct A;"),
        ("b.rs", "pub struct B; #[cfg(test)] mod tests { use crate::a::A; } #[cfg(test)] use crate::a::A as _;"),
    ]);
    assert!(graph.circles().is_empty(), "{:?}", graph.circles());
}
