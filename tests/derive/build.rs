//! Makes a module of each example of `docs/derive.md`, so that the page cannot say what does not compile; and a large enum.

use std::path::PathBuf;
use std::{env, fs};

const PAGE: &str = "../../docs/derive.md";

/// What every example may use.
const USES: &str = "#[allow(unused_imports)]\nuse std::{collections::BTreeMap, net::IpAddr, time::SystemTime};\n#[allow(unused_imports)]\nuse audit_core::{AuditError, AuditEvent, AuditValue, IntoEntry, StaticEntry, UserIdentity, entry};\n";

fn main() {
    println!("cargo::rerun-if-changed={PAGE}");
    // A copy of this package elsewhere, as compile-fail tests make one, has no page and no use for it.
    let page = fs::read_to_string(PAGE).unwrap_or_default();
    let (modules, calls): (Vec<_>, Vec<_>) = page
        .split("```rust\n")
        .skip(1)
        .enumerate()
        .map(|(at, block)| (module(at, block), format!("example_{at}::encode")))
        .unzip();
    let all = format!(
        "{}\n/// Each example, in the page's order.\nconst EXAMPLES: &[Encode] = &[{}];\n",
        modules.join("\n"),
        calls.join(", ")
    );
    write("docs_examples.rs", &all);
    write("large_enum.rs", &large_enum(400, 20));
}

fn write(file: &str, code: &str) {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join(file);
    if let Err(error) = fs::write(&out, code) {
        println!("cargo::error=cannot write {}: {error}", out.display());
    }
}

fn large_enum(variants: usize, fields: usize) -> String {
    let fields: Vec<_> = (0..fields)
        .map(|at| format!("some_field_name_{at}: Option<std::collections::BTreeMap<String, Vec<u8>>>"))
        .collect();
    let fields = fields.join(", ");
    let variants: Vec<_> =
        (0..variants).map(|at| format!("/// Doc of variant {at}.\nVariant{at} {{ {fields} }},\n")).collect();
    let variants = variants.concat();
    format!("#[derive(AuditEvent)]\n#[audit(source = \"a.example.com\", generate_id)]\nenum Large {{\n{variants}}}\n")
}

/// Items, a blank line, the event; or the constant entry.
fn module(at: usize, block: &str) -> String {
    let code = block.split("```").next().unwrap_or_default().trim_end();
    let (items, event) = code.rsplit_once("\n\n").unwrap_or(("", code));
    let encode = if code.contains("entry!(") { "to_entry().into_entry(context)" } else { "to_entry(context)" };
    format!(
        "mod example_{at} {{\n{USES}{items}\npub(super) fn encode(context: &audit_core::Context) -> Result<audit_core::Entry, audit_core::EncodeError> {{\n({event}).{encode}\n}}\n}}\n"
    )
}
