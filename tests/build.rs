//! Takes the code out of `README.md` and `docs/recipes.md`, so that it is compiled and run as readers see it.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let readme = page("../README.md");
    let program = blocks(&readme).next().unwrap_or("compile_error!(\"README.md shows no program\");");
    write("readme.rs", program);
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
