//! Takes the code out of `README.md`, `docs/recipes.md` and `docs/context.md`, so that it is compiled and run as readers see it.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let readme = page("../README.md");
    let program = blocks(&readme).next().unwrap_or("compile_error!(\"README.md shows no program\");");
    write("readme.rs", program);

    write("recipes.rs", &modules(&page("../docs/recipes.md")));
    write("context.rs", &modules(&page("../docs/context.md")));
}

/// A module for each heading.
fn modules(page: &str) -> String {
    let modules = page.split("\n## ").skip(1).map(|section| {
        let name = section.lines().next().unwrap_or_default().to_lowercase().replace(' ', "_");
        let code: String = blocks(section).collect();
        format!("pub(super) mod {name} {{\n{}\n}}\n", visible(&code))
    });
    modules.collect()
}

/// Lets the tests use a recipe's items and the fields of its structs.
fn visible(code: &str) -> String {
    let mut in_struct = false;
    let mut all = String::new();
    for line in code.lines() {
        let item = ["fn ", "async fn ", "struct ", "enum ", "const "].iter().any(|word| line.starts_with(word));
        let field = in_struct && line.strip_prefix("    ").is_some_and(|rest| rest.starts_with(char::is_alphabetic));
        in_struct = line.starts_with("struct ") && line.ends_with('{') || (in_struct && line != "}");
        let indented = line.trim_start();
        let public = if item || field { "pub(in super::super) " } else { "" };
        all.extend([public, indented, "\n"]);
    }
    all
}

fn page(path: &str) -> String {
    println!("cargo::rerun-if-changed={path}");
    fs::read_to_string(path).unwrap_or_else(|error| {
        println!("cargo::error=cannot read {path}: {error}");
        String::new()
    })
}

/// The Rust code of a page, block by block.
fn blocks(page: &str) -> impl Iterator<Item = &str> {
    page.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next())
}

fn write(name: &str, code: &str) {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join(name);
    if let Err(error) = fs::write(&out, code) {
        println!("cargo::error=cannot write {}: {error}", out.display());
    }
}
