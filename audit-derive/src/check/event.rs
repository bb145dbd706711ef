//! `#[derive(AuditEvent)]`: what a struct or an enum says, as event types.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, Fields};

use super::field::{self, Origin};
use super::{doc_of, implied, item, keys, within};
use crate::attributes::Place;
use crate::diagnostics::Diagnostics;
use crate::limits::{EVENT_NAME_CHARS, EVENT_SOURCE_CHARS, VERSION_CHARS};
use crate::model::{Event, EventType, Field, Shape, VERSION};
use crate::parse::{self, Attributes};
use crate::roles::Role;

/// The model of an event; if `diagnostics` has errors, the model is not used.
pub(crate) fn event(
    input: &DeriveInput,
    attributes: &Attributes,
    library: TokenStream,
    diagnostics: &mut Diagnostics,
) -> Event {
    texts(attributes, diagnostics);
    let shape = match &input.data {
        Data::Struct(data) => {
            if !attributes.meant("source") {
                missing_source(&input.ident, diagnostics);
            }
            let subject = Subject { ident: &input.ident, attrs: &input.attrs, own: attributes, of_enum: None };
            Shape::Struct(subject.event_type(&data.fields, diagnostics))
        }
        Data::Enum(data) => {
            let variants: Vec<_> = data
                .variants
                .iter()
                .map(|variant| {
                    let own = parse::attributes(&variant.attrs, Place::Variant, diagnostics);
                    parse::serde_attributes(&variant.attrs, Place::Variant, &own, &|_| false, diagnostics);
                    (variant, own)
                })
                .collect();
            if !attributes.meant("source") {
                let without: Vec<_> = variants.iter().filter(|(_, own)| !own.meant("source")).collect();
                if without.len() == variants.len() {
                    missing_source(&input.ident, diagnostics);
                } else {
                    for (variant, _) in without {
                        missing_source(&variant.ident, diagnostics);
                    }
                }
            }
            let variants = variants.iter().map(|(variant, own)| {
                texts(own, diagnostics);
                let subject = Subject { ident: &variant.ident, attrs: &variant.attrs, own, of_enum: Some(attributes) };
                (variant.ident.clone(), subject.event_type(&variant.fields, diagnostics))
            });
            Shape::Enum(variants.collect())
        }
        Data::Union(data) => {
            let message =
                "a union cannot be an event: which of its fields holds a value is unknown; use a struct or an enum";
            diagnostics.error(data.union_token, message);
            Shape::Enum(Vec::new())
        }
    };
    Event { item: item(input, library, attributes), shape }
}

/// Checks the literals of one place against their limits.
fn texts(attributes: &Attributes, diagnostics: &mut Diagnostics) {
    for (name, limit) in [("source", EVENT_SOURCE_CHARS), ("name", EVENT_NAME_CHARS), ("version", VERSION_CHARS)] {
        if let Some(text) = attributes.text(name) {
            within(text, name, limit, diagnostics);
        }
    }
}

fn missing_source(ident: &Ident, diagnostics: &mut Diagnostics) {
    let message = format!("`{ident}` has no source: add `#[audit(source = \"orders.example.com\")]`");
    diagnostics.error(ident, message);
}

/// A struct, or a variant with the attributes of its enum.
struct Subject<'a> {
    ident: &'a Ident,
    attrs: &'a [syn::Attribute],
    own: &'a Attributes,
    of_enum: Option<&'a Attributes>,
}

impl Subject<'_> {
    fn event_type(&self, fields: &Fields, diagnostics: &mut Diagnostics) -> EventType {
        let of_item = self.of_enum.unwrap_or(self.own);
        let text = |name| self.own.text(name).or_else(|| of_item.text(name)).cloned();
        let source = text("source").unwrap_or_else(|| implied("?", self.ident));
        let version = text("version").unwrap_or_else(|| implied(VERSION, self.ident));
        let name = self.own.text("name").cloned();
        let name = name.unwrap_or_else(|| implied(&self.ident.unraw().to_string(), self.ident));

        let found = field::all(fields, Place::EventField, of_item, diagnostics);
        self.id(&found.fields, found.means_id, diagnostics);
        single_roles(&found.fields, diagnostics);
        keys::distinct(&found.fields, diagnostics);
        keys::beside_targets(&found.fields, diagnostics);
        let generate_id = !found.fields.iter().any(|(field, _)| field.role == Role::Id);
        let fields = found.fields.into_iter().map(|(field, _)| field).collect();
        EventType { source, name, version, doc: doc_of(self.attrs), generate_id, fields, skipped: found.skipped }
    }

    /// Exactly one id: a field, or one that is generated. `generate_id` on an enum is for its variants without one.
    fn id(&self, fields: &[(Field, Origin)], means_id: bool, diagnostics: &mut Diagnostics) {
        let of_item = self.of_enum.unwrap_or(self.own);
        let field = fields.iter().find(|(field, _)| field.role == Role::Id);
        match (of_item.get("generate_id"), field) {
            (Some(generate), Some((_, origin))) if self.of_enum.is_none() => {
                diagnostics.error(
                    &generate.name,
                    "`generate_id` makes an id, but a field is the id already; one of the two has to go",
                );
                diagnostics.error(&origin.role, "this field is the id; `generate_id` would make another one");
            }
            (None, None)
                if !means_id && !of_item.meant("generate_id") && !self.own.meant("id") && !of_item.meant("id") =>
            {
                let ident = self.ident;
                let on = if self.of_enum.is_some() { "enum" } else { "struct" };
                let message = format!(
                    "`{ident}` has no id: mark the field that identifies the event with `#[audit(id)]`, so that a retry carries the same id, or put `#[audit(generate_id)]` on the {on}"
                );
                diagnostics.error(ident, message);
            }
            _ => {}
        }
    }
}

/// At most one field of each role that has one value, and no two that exclude each other.
fn single_roles(fields: &[(Field, Origin)], diagnostics: &mut Diagnostics) {
    for (at, (field, origin)) in fields.iter().enumerate() {
        if field.role.has_keys() || field.role == Role::Target {
            continue;
        }
        let name = field.role.attribute();
        if let Some((_, first)) = fields[..at].iter().find(|(other, _)| other.role == field.role) {
            diagnostics.error(&first.role, format_args!("the first field with the role `{name}`"));
            diagnostics.error(&origin.role, format_args!("a second field with the role `{name}`; an event has one"));
        }
    }
    let Some((_, outcome)) = fields.iter().find(|(field, _)| field.role == Role::Outcome) else { return };
    for (field, origin) in fields {
        let writes = match field.role {
            Role::ErrorCode => "errorCode",
            Role::ErrorMessage => "errorMessage",
            _ => continue,
        };
        let name = field.role.attribute();
        diagnostics.error(&outcome.role, format_args!("`outcome` writes `{writes}`, and so does `{name}`"));
        diagnostics.error(
            &origin.role,
            format_args!("`{name}` writes `{writes}`, and so does `outcome`; one of the two has to go"),
        );
    }
}
