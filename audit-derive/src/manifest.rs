//! Whether the user's crate can know the library by its own name. A derive that another crate re-exports does not say through which
//! path the library is reached, and the compiler would report only that there is no such crate.

use std::path::PathBuf;
use std::sync::Mutex;

/// The manifest that was read last, and its text: most derives of a process belong to one crate.
static LAST: Mutex<Option<(PathBuf, String)>> = Mutex::new(None);

/// Whether the manifest of the crate that is being compiled does not mention a package. `false` where there is no manifest to read:
/// other build tools than cargo have none.
pub(crate) fn lacks(library: &str) -> bool {
    let Some(folder) = std::env::var_os("CARGO_MANIFEST_DIR") else { return false };
    let path = PathBuf::from(folder).join("Cargo.toml");
    let Ok(mut last) = LAST.lock() else { return false };
    if last.as_ref().is_none_or(|(of, _)| *of != path) {
        let Ok(text) = std::fs::read_to_string(&path) else { return false };
        *last = Some((path, text));
    }
    last.as_ref().is_some_and(|(_, manifest)| !mentions(manifest, library))
}

fn mentions(manifest: &str, library: &str) -> bool {
    manifest.contains(library) || manifest.contains(&library.replace('_', "-"))
}

/// What to do about it.
pub(crate) fn message(library: &str) -> String {
    format!(
        "the generated code refers to `::{library}`, on which this crate does not depend: add `crate = \"…\"` to `#[audit(…)]`, with the path under which another crate re-exports `{library}`, such as `crate = \"my_library::{library}\"`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_mentions_a_library_under_either_spelling() {
        for manifest in ["audit-core = \"0.1\"", "audit_core.workspace = true", "a = { package = \"audit-core\" }"] {
            assert!(mentions(manifest, "audit_core"), "{manifest}");
        }
        assert!(!mentions("[dependencies]\nmy-library = \"1\"\naudit-client = \"1\"", "audit_core"));
    }

    #[test]
    fn this_crate_names_audit_core_and_no_library_of_another_name() {
        assert!(!lacks("audit_core"));
        assert!(lacks("no_such_library"));
        assert!(!lacks("audit_core"));
    }
}
