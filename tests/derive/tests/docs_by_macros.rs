//! Docs that macros make are in the catalog, like those that are written out.

use audit_core::{AuditEvent, EventCatalog};

#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
#[doc = concat!("made ", "of two")]
/// and a line.
struct Concatenated {
    a: u8,
}

/// From a file:
#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
#[doc = include_str!("docs_by_macros.md")]
struct Included;

const SOURCE: &str = "a constant";

/// A literal.
///
#[doc = concat!("A | ", 1)]
///
/// Another literal.
#[derive(AuditEvent)]
#[audit(source = SOURCE, generate_id)]
struct WithConstant;

#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
enum OfTwo {
    #[doc = stringify!(of a variant)]
    A,
    /// A paragraph.
    ///
    /// Another one.
    B,
}

macro_rules! documented {
    ($doc:expr, $name:ident) => {
        #[derive(AuditEvent)]
        #[audit(source = "a", generate_id)]
        #[doc = $doc]
        struct $name;
    };
}
documented!("by a macro", ByMacro);
documented!(concat!("by ", "macros"), ByMacros);

#[test]
fn docs_by_macros_are_in_the_catalog() {
    assert_eq!(Concatenated::EVENT_TYPES[0].doc, "made of two\nand a line.");
    assert_eq!(Concatenated { a: 1 }.event_type().fields.len(), 1);
    let included = "From a file:\nRead from a file.\n\nIt has two paragraphs.";
    assert_eq!(Included::EVENT_TYPES[0].doc, included);
    assert_eq!(WithConstant::EVENT_TYPES[0].doc, "A literal.\n\nA | 1\n\nAnother literal.");
    assert_eq!(
        OfTwo::EVENT_TYPES.iter().map(|event| event.doc).collect::<Vec<_>>(),
        ["of a variant", "A paragraph.\n\nAnother one."]
    );
    assert_eq!([OfTwo::A, OfTwo::B].map(|event| event.event_type().name), ["A", "B"]);
    assert_eq!((ByMacro::EVENT_TYPES[0].doc, ByMacros::EVENT_TYPES[0].doc), ("by a macro", "by macros"));
}
