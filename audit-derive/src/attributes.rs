//! The attribute table: every attribute, where it is valid, what value it takes, what it does. The rows of roles come from
//! the table of roles.
//!
//! Parser, suggestions, editor completion and the test that compares `docs/derive.md` all read this table, so that all
//! of them know the same attributes.

use crate::roles::Role;

use Place::{
    Enum, Error, ErrorVariant, EventField, Identity, IdentityField, IdentityVariant, Struct, Value, ValueField,
    ValueVariant, Variant,
};

/// Something that can carry `#[audit(…)]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// A struct that derives `AuditEvent`.
    Struct,
    /// An enum that derives `AuditEvent`.
    Enum,
    /// A variant of such an enum.
    Variant,
    /// A field of an event.
    EventField,
    /// A type that derives `UserIdentity`.
    Identity,
    /// A variant of an enum that derives `UserIdentity`.
    IdentityVariant,
    /// A field of an identity.
    IdentityField,
    /// A type that derives `AuditValue`.
    Value,
    /// A variant of an enum that derives `AuditValue`.
    ValueVariant,
    /// A field of such a value.
    ValueField,
    /// A type that derives `AuditError`.
    Error,
    /// A variant of an enum that derives `AuditError`.
    ErrorVariant,
}

impl Place {
    /// All places.
    pub(crate) const ALL: [Self; 12] = [
        Struct,
        Enum,
        Variant,
        EventField,
        Identity,
        IdentityVariant,
        IdentityField,
        Value,
        ValueVariant,
        ValueField,
        Error,
        ErrorVariant,
    ];

    /// As messages name it: "valid on {…}".
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Struct => "an event struct",
            Enum => "an event enum",
            Variant => "a variant of an event enum",
            EventField => "a field of an event",
            Identity => "an identity",
            IdentityVariant => "a variant of an identity",
            IdentityField => "a field of an identity",
            Value => "an audit value",
            ValueVariant => "a variant of an audit value",
            ValueField => "a field of an audit value",
            Error => "an audit error",
            ErrorVariant => "a variant of an audit error",
        }
    }
}

/// The value that the attribute takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Takes {
    /// Nothing.
    Nothing,
    /// `= "text"`, or `= PATH` of a `const …: &str`.
    Text,
    /// `= "camelCase"` or another of serde's eight.
    Case,
    /// `= "path"` or `= path` of a function.
    Function,
    /// `= "path"` or `= path` of a crate or module.
    Module,
    /// `= "T: Trait, …"`.
    Bounds,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    pub(crate) places: &'static [Place],
    pub(crate) takes: Takes,
    /// How it is written, for messages and docs.
    pub(crate) example: &'static str,
    /// What it does, in one line, for docs and completion.
    pub(crate) doc: &'static str,
}

const ITEMS: &[Place] = &[Struct, Enum];
const FIELDS: &[Place] = &[EventField];
const IDENTITY_FIELDS: &[Place] = &[IdentityField];
const KEYED: &[Place] = &[EventField, IdentityField, ValueField];
const ALL_ITEMS: &[Place] = &[Struct, Enum, Identity, Value, Error];
const KEYED_ITEMS: &[Place] = &[Struct, Enum, Identity, Value];

/// A row without the field names.
const fn row(
    name: &'static str,
    places: &'static [Place],
    takes: Takes,
    example: &'static str,
    doc: &'static str,
) -> Attribute {
    Attribute { name, places, takes, example, doc }
}

/// The attributes of items.
#[rustfmt::skip]
static OF_ITEMS: &[Attribute] = &[
    row("source", &[Struct, Enum, Variant], Takes::Text, "source = \"orders.example.com\"", "the event's `eventSource`; required"),
    row("version", &[Struct, Enum, Variant], Takes::Text, "version = \"1.0\"", "the version of the event's form; \"1.0\" where it is left out"),
    row("name", &[Struct, Variant, ValueVariant], Takes::Text, "name = \"RefundIssued\"", "the event's `eventName`, or a variant's name in a value; the identifier where it is left out"),
    row("rename_all", KEYED_ITEMS, Takes::Case, "rename_all = \"camelCase\"", "how field names become keys; \"camelCase\" where it is left out"),
    row("generate_id", ITEMS, Takes::Nothing, "generate_id", "no field is the id: each event gets a new `UUIDv7`"),
    row("crate", ALL_ITEMS, Takes::Module, "crate = \"::audit_core\"", "where the generated code finds the library"),
    row("bound", ALL_ITEMS, Takes::Bounds, "bound = \"T: serde::Serialize\"", "the where clause of the impl, instead of the inferred one"),
    row("type", &[Identity, IdentityVariant], Takes::Text, "type = \"Staff\"", "the identity's `type`; required"),
    row("code", &[Error, ErrorVariant], Takes::Text, "code = \"CardExpired\"", "the error's `errorCode`; the identifier where it is left out"),
];

/// The attributes that say how a field is written.
#[rustfmt::skip]
static OF_FIELDS: &[Attribute] = &[
    row("rename", KEYED, Takes::Text, "rename = \"orderId\"", "the key"),
    row("flatten", &[EventField, IdentityField], Takes::Nothing, "flatten", "the value's own keys stand in place of one key"),
    row("skip", KEYED, Takes::Nothing, "skip", "the field is left out"),
    row("skip_if", KEYED, Takes::Function, "skip_if = Vec::is_empty", "the field is left out where the function, called with a reference to it, says so"),
    row("with", KEYED, Takes::Function, "with = in_euros", "what the function, called with a reference to the field, returns is the value"),
    row("redact", KEYED, Takes::Nothing, "redact", "the key stays, the value is `[REDACTED]`"),
    row("target", FIELDS, Takes::Text, "target = \"Order\"", "the value is the id of what the event was done to: `additionalEventData.targets` names it as well"),
    row("nested", &[EventField, ValueField], Takes::Nothing, "nested", "the type derives `AuditValue`: the catalog shows the value's fields"),
    row("personal", &[EventField, ValueField], Takes::Nothing, "personal", "the value is personal data: the catalog says so"),
    row("hmac", KEYED, Takes::Nothing, "hmac", "the value is its HMAC-SHA-256, keyed by the context: findable, never readable"),
];

/// The attributes that give roles, out of the table of roles.
static OF_ROLES: [Attribute; Role::ALL.len()] = {
    let mut rows = [row("", &[], Takes::Nothing, "", ""); Role::ALL.len()];
    let mut at = 0;
    while at < rows.len() {
        let role = Role::ALL[at].row();
        let places = if role.of_identity { IDENTITY_FIELDS } else { FIELDS };
        rows[at] = row(role.attribute, places, Takes::Nothing, role.attribute, role.doc);
        at += 1;
    }
    rows
};

/// The whole table.
pub(crate) fn all() -> impl Iterator<Item = &'static Attribute> {
    // Only an attribute has a text that says what it does; the other roles are given by none.
    let of_roles = OF_ROLES.iter().filter(|attribute| !attribute.doc.is_empty());
    OF_ITEMS.iter().chain(of_roles).chain(OF_FIELDS)
}

/// The row of `name`, wherever it may stand.
pub(crate) fn find(name: &str) -> Option<&'static Attribute> {
    all().find(|attribute| attribute.name == name)
}

/// The attributes that are valid at `place`, in the table's order.
pub(crate) fn valid_at(place: Place) -> impl Iterator<Item = &'static Attribute> {
    all().filter(move |attribute| attribute.places.contains(&place))
}

/// "valid on {place}: `a`, `b`, …": the second line of a message about an attribute.
pub(crate) fn list_at(place: Place) -> String {
    let names: Vec<_> = valid_at(place).map(|attribute| format!("`{}`", attribute.name)).collect();
    format!("valid on {}: {}", place.name(), names.join(", "))
}

/// "a field of an event, a field of an identity": where an attribute may stand.
pub(crate) fn places_of(attribute: &Attribute) -> String {
    let names: Vec<_> = attribute.places.iter().map(|place| place.name()).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_a_place_and_says_what_it_does() {
        for attribute in all() {
            assert!(!attribute.places.is_empty() && !attribute.doc.is_empty(), "{}", attribute.name);
            assert!(attribute.example.starts_with(attribute.name), "{}", attribute.name);
            assert_eq!(attribute.takes == Takes::Nothing, !attribute.example.contains('='), "{}", attribute.name);
        }
    }

    /// The page that users read has a row for each attribute, and a heading with an example.
    #[test]
    fn the_page_of_docs_has_the_same_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/derive.md");
        let page = std::fs::read_to_string(path).unwrap();
        for attribute in all() {
            let Attribute { name, example, doc, .. } = attribute;
            let row = format!("| [`{name}`](#{name}) | {} | `{example}` | {doc} |\n", places_of(attribute));
            assert!(page.contains(&row), "missing in docs/derive.md:\n{row}");
            let heading = format!("\n### `{name}`\n");
            let section = page.split_once(&heading).map(|(_, rest)| rest.split("\n##").next().unwrap_or_default());
            assert!(section.is_some_and(|section| section.contains(name) && section.contains("```json")), "{heading}");
        }
        assert_eq!(page.matches("| [`").count(), all().count());
        let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")).unwrap();
        for attribute in all() {
            assert!(
                docs.contains(&format!("`{}`", attribute.name)),
                "`{}` is not in the macros' own docs",
                attribute.name
            );
        }
    }
}
