//! What the macros generate, formatted, beside the types that they generate it for: `tests/derive/expand`. The expansions
//! there are also compiled, by `tests/derive/tests/expansions.rs`. `EXPAND=overwrite` writes them anew.

use std::path::Path;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn_full::{Attribute, Item};

use super::{Library, audit_error, audit_event, audit_value, user_identity};

/// The items of a file as the compiler sees them behind the derives: without the attributes, with what they generate.
fn expanded(source: &str) -> String {
    let file = syn_full::parse_file(source).unwrap();
    let mut items = TokenStream::new();
    for mut item in file.items {
        let attrs = match &item {
            Item::Struct(item) => &item.attrs,
            Item::Enum(item) => &item.attrs,
            _ => {
                item.to_tokens(&mut items);
                continue;
            }
        };
        let derives: String = attrs.iter().filter(|attr| attr.path().is_ident("derive")).map(text).collect();
        let mut input = item.clone();
        retain(&mut input, &|attr| !attr.path().is_ident("derive"));
        let input = input.into_token_stream();
        retain(&mut item, &|attr| !attr.path().is_ident("derive") && !attr.path().is_ident("audit"));
        item.to_tokens(&mut items);
        if derives.contains("AuditEvent") {
            items.extend(audit_event(input.clone(), Library::Core));
        }
        if derives.contains("UserIdentity") {
            items.extend(user_identity(input.clone(), Library::Core));
        }
        if derives.contains("AuditValue") {
            items.extend(audit_value(input.clone(), Library::Core));
        }
        if derives.contains("AuditError") {
            items.extend(audit_error(input, Library::Core));
        }
    }
    let file = syn_full::parse2(quote!(#items)).unwrap();
    format!("// What the derives make of the file without `.expanded`.\n\n{}", prettyplease::unparse(&file))
}

fn text(attr: &Attribute) -> String {
    attr.to_token_stream().to_string()
}

/// Keeps some attributes of an item, its variants and its fields.
fn retain(item: &mut Item, keep: &dyn Fn(&Attribute) -> bool) {
    let fields = |fields: &mut syn_full::Fields| fields.iter_mut().for_each(|field| field.attrs.retain(keep));
    match item {
        Item::Struct(item) => {
            item.attrs.retain(keep);
            fields(&mut item.fields);
        }
        Item::Enum(item) => {
            item.attrs.retain(keep);
            for variant in &mut item.variants {
                variant.attrs.retain(keep);
                fields(&mut variant.fields);
            }
        }
        _ => {}
    }
}

#[test]
fn expansions_are_those_that_were_reviewed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/derive/expand");
    let mut seen = 0;
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(name) = name.strip_suffix(".rs").filter(|name| !name.ends_with(".expanded")) else { continue };
        seen += 1;
        let actual = expanded(&std::fs::read_to_string(&path).unwrap());
        let kept = folder.join(format!("{name}.expanded.rs"));
        if std::env::var_os("EXPAND").is_some() {
            std::fs::write(&kept, &actual).unwrap();
        }
        let expected = std::fs::read_to_string(&kept).unwrap();
        assert!(actual == expected, "{name} now expands to:\n{actual}");
    }
    assert!(seen >= 5, "only {seen} found");
}
