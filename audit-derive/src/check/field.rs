//! What a field is, and whether the attributes on it make sense together.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::{ExprPath, Fields, Index, Member};

use super::implied;
use crate::attributes::Place;
use crate::case::Case;
use crate::diagnostics::Diagnostics;
use crate::model::{Field, Form};
use crate::parse::{self, Attributes, Given, Known, Text, Value};
use crate::roles::Role;

/// The tokens that made a field what it is: where messages about it point.
pub(crate) struct Origin {
    /// The attribute that gives the role, or the field itself where none does.
    pub(crate) role: TokenStream,
    /// What names the key.
    pub(crate) key: TokenStream,
}

/// The fields of a struct or variant.
pub(crate) struct Found {
    /// All but the skipped ones, as declared.
    pub(crate) fields: Vec<(Field, Origin)>,
    /// The skipped ones.
    pub(crate) skipped: Vec<Member>,
    /// A field was meant to be the id (or the principal), even if it did not come out so.
    pub(crate) means_id: bool,
}

/// Parses and checks each field by itself.
pub(crate) fn all(fields: &Fields, place: Place, of_item: &Attributes, diagnostics: &mut Diagnostics) -> Found {
    let case = match of_item.get("rename_all").map(|given| &given.value) {
        Some(Value::Case(case)) => *case,
        _ => Case::Camel,
    };
    let mut found = Found { fields: Vec::new(), skipped: Vec::new(), means_id: false };
    for (at, field) in fields.iter().enumerate() {
        let attributes = parse::attributes(&field.attrs, place, diagnostics);
        if field.attrs.iter().any(|attr| attr.path().is_ident("serde")) {
            serde_attributes(field, place, &attributes, diagnostics);
        }
        // A field without a name or an attribute is told that it may be the principal.
        let is_told = place == Place::IdentityField && field.ident.is_none() && attributes.iter().next().is_none();
        found.means_id |= is_told || attributes.meant("id") || attributes.meant("principal_id");
        let member = match &field.ident {
            Some(ident) => Member::Named(ident.clone()),
            None => {
                Member::Unnamed(Index { index: u32::try_from(at).unwrap_or(u32::MAX), span: first_span(&field.ty) })
            }
        };
        let written = Written { field, member, attributes: &attributes, place };
        match written.check(case, diagnostics) {
            Some(field) => found.fields.push(field),
            None => found.skipped.push(written.member),
        }
    }
    found
}

/// What decides about a field in spite of its `#[serde(…)]`: a key, for `rename`; for everything else also a role that is written out.
fn serde_attributes(field: &syn::Field, place: Place, attributes: &Attributes, diagnostics: &mut Diagnostics) {
    let given: Vec<&str> = attributes.iter().map(|given| given.attribute.name).collect();
    let without_key = given.iter().any(|name| matches!(*name, "skip" | "flatten"))
        || Role::ALL.iter().any(|role| !role.has_keys() && given.contains(&role.attribute()));
    let is_hidden =
        given.iter().any(|name| matches!(*name, "redact" | "hmac" | "with" | "rename" | "target" | "nested"));
    let has_role = Role::ALL.iter().any(|role| given.contains(&role.attribute()));
    let decided = |meant: &str| without_key || (meant != "rename" && (is_hidden || has_role));
    parse::serde_attributes(&field.attrs, place, attributes, &decided, diagnostics);
}

/// A field with its attributes.
struct Written<'a> {
    field: &'a syn::Field,
    member: Member,
    attributes: &'a Attributes,
    place: Place,
}

impl Written<'_> {
    fn check(&self, case: Case, diagnostics: &mut Diagnostics) -> Option<(Field, Origin)> {
        let (role, named_by) = self.role(diagnostics);
        if let Some(skip) = self.attributes.get("skip") {
            self.conflicts_of_skip(skip, diagnostics);
            let target = self.attributes.get("target")?;
            let field = Field { target: self.target(diagnostics), ..self.field_of(Role::Target, None, Form::Plain) };
            return Some((field, Origin { role: target.name.to_token_stream(), key: TokenStream::new() }));
        }
        // Most fields have no attribute, or one.
        if self.attributes.iter().nth(1).is_some() {
            self.fits_role(role, diagnostics);
            self.conflicts(diagnostics);
        }
        let form = self.form();
        let (key, key_from) = self.key(role, form, case, diagnostics);
        let field = Field { target: self.target(diagnostics), ..self.field_of(role, key, form) };
        let role = named_by.map_or_else(|| self.itself(), |given| given.name.to_token_stream());
        Some((field, Origin { role, key: key_from }))
    }

    /// The field without its target.
    fn field_of(&self, role: Role, key: Option<Text>, form: Form) -> Field {
        Field {
            member: self.member.clone(),
            ty: self.field.ty.clone(),
            role,
            key,
            skip_if: self.function("skip_if"),
            with: self.function("with"),
            form,
            target: None,
            nested: self.attributes.has("nested"),
            personal: self.attributes.has("personal"),
        }
    }

    /// The type of the target that the value is the id of.
    fn target(&self, diagnostics: &mut Diagnostics) -> Option<Text> {
        let text = self.attributes.text("target")?;
        if let Text::Literal(literal) = text
            && literal.value.is_empty()
        {
            diagnostics.error(literal, "the target's type is empty");
        }
        Some(text.clone())
    }

    /// The field's name, or its type where it has none.
    fn itself(&self) -> TokenStream {
        match &self.field.ident {
            Some(ident) => ident.to_token_stream(),
            None => self.field.ty.to_token_stream(),
        }
    }

    /// The role, and the attribute that gives it.
    fn role(&self, diagnostics: &mut Diagnostics) -> (Role, Option<&Given>) {
        if self.place == Place::IdentityField {
            let principal = self.attributes.get("principal_id");
            return (if principal.is_some() { Role::PrincipalId } else { Role::Detail }, principal);
        }
        if self.place == Place::ValueField {
            return (Role::Member, None);
        }
        if self.attributes.iter().next().is_none() {
            return (Role::Request, None);
        }
        let mut given = Role::ALL
            .iter()
            .filter(|role| role.has_attribute())
            .filter_map(|role| self.attributes.get(role.attribute()).map(|given| (*role, given)))
            .collect::<Vec<_>>();
        // As written, not as in the list: the message names the first one first.
        given.sort_by_key(|(_, given)| self.attributes.position(given.attribute.name));
        let Some((&(role, first), others)) = given.split_first() else { return (Role::Request, None) };
        for (_, other) in others {
            let (one, two) = (first.attribute.name, other.attribute.name);
            diagnostics.error(&first.name, format_args!("`{one}` is a role, and so is `{two}`; a field has one"));
            diagnostics
                .error(&other.name, format_args!("`{two}` is a second role beside `{one}`; one of the two has to go"));
        }
        (role, Some(first))
    }

    /// With `skip`, only a target is left for other attributes to act on.
    fn conflicts_of_skip(&self, skip: &Given, diagnostics: &mut Diagnostics) {
        let of_target: &[&str] =
            if self.attributes.meant("target") { &["target", "with", "skip_if", "personal"] } else { &[] };
        let others = self.attributes.iter().filter(|other| other.attribute.name != "skip");
        for other in others.filter(|other| !of_target.contains(&other.attribute.name)) {
            let name = other.attribute.name;
            diagnostics
                .error(&skip.name, format_args!("`skip` leaves the field out, so that `{name}` has nothing to act on"));
            diagnostics
                .error(&other.name, format_args!("`{name}` has nothing to act on, since `skip` leaves the field out"));
        }
    }

    /// What the role has no use for.
    fn fits_role(&self, role: Role, diagnostics: &mut Diagnostics) {
        if role.has_keys() {
            return;
        }
        let name = role.attribute();
        for how in ["rename", "flatten", "redact", "hmac", "target", "nested"] {
            // A principal may be hidden.
            if role == Role::PrincipalId && matches!(how, "redact" | "hmac") {
                continue;
            }
            if let Some(given) = self.attributes.get(how) {
                diagnostics.error(
                    &given.name,
                    format_args!("`{how}` is for keys of a JSON object; a field with the role `{name}` has a fixed place of its own"),
                );
            }
        }
        if role.row().required
            && let Some(given) = self.attributes.get("skip_if")
        {
            diagnostics.error(&given.name, format_args!("a field with the role `{name}` cannot be left out"));
        }
    }

    /// Pairs that exclude each other.
    fn conflicts(&self, diagnostics: &mut Diagnostics) {
        let pairs = [
            ("flatten", "rename", "a flattened value stands under its own keys"),
            ("flatten", "redact", "a redacted value stands under one key"),
            ("flatten", "hmac", "an HMAC stands under one key"),
            ("redact", "hmac", "a value is either hidden or findable"),
            ("flatten", "target", "a target's id is one value"),
            ("redact", "target", "`targets` shows a target's id"),
            ("hmac", "target", "`targets` shows a target's id"),
            ("redact", "with", "a redacted value is never looked at"),
            ("redact", "nested", "a redacted value is never looked at"),
            ("hmac", "nested", "an HMAC is one text"),
            ("flatten", "nested", "the fields of a flattened value are keys of the object around it"),
            ("with", "nested", "the catalog shows the fields of the field's own type"),
        ];
        for (one, two, why) in pairs {
            if let (Some(first), Some(second)) = (self.attributes.get(one), self.attributes.get(two)) {
                diagnostics.error(&first.name, format_args!("`{one}` and `{two}` exclude each other: {why}"));
                diagnostics.error(&second.name, format_args!("`{two}` and `{one}` exclude each other: {why}"));
            }
        }
    }

    fn form(&self) -> Form {
        if self.attributes.has("flatten") {
            Form::Flattened
        } else if self.attributes.has("redact") {
            Form::Redacted
        } else if self.attributes.has("hmac") {
            Form::Hmac
        } else {
            Form::Plain
        }
    }

    fn function(&self, name: &str) -> Option<ExprPath> {
        match self.attributes.get(name).map(|given| &given.value) {
            Some(Value::Function(path)) => Some((**path).clone()),
            _ => None,
        }
    }

    /// The key, and the tokens that name it.
    fn key(&self, role: Role, form: Form, case: Case, diagnostics: &mut Diagnostics) -> (Option<Text>, TokenStream) {
        if !role.has_keys() || form == Form::Flattened {
            return (None, TokenStream::new());
        }
        if let Some(text) = self.attributes.text("rename") {
            if let Text::Literal(literal) = text
                && literal.value.is_empty()
            {
                diagnostics.error(literal, "the key is empty");
            }
            return (Some(text.clone()), text.to_token_stream());
        }
        let Some(ident) = &self.field.ident else {
            if !self.attributes.is_miswritten() {
                let message = match role {
                    Role::Detail => {
                        "a field without a name needs `#[audit(principal_id)]`, if it says who it is, or else a key: add \
                         `#[audit(rename = \"…\")]`, or `flatten` or `skip`"
                    }
                    Role::Member => "a field without a name needs a key: add `#[audit(rename = \"…\")]`, or `skip`",
                    _ => {
                        "a field without a name needs a key: add `#[audit(rename = \"…\")]`, or `flatten`, `skip` or a role such \
                         as `id`"
                    }
                };
                diagnostics.error(&self.field.ty, message);
            }
            return (Some(implied("", &self.field.ty)), TokenStream::new());
        };
        let key = Known { value: case.apply(&ident.unraw().to_string()), span: ident.span() };
        (Some(Text::Literal(key)), ident.to_token_stream())
    }
}

fn first_span(tokens: &impl ToTokens) -> proc_macro2::Span {
    let first = tokens.to_token_stream().into_iter().next();
    first.map_or_else(proc_macro2::Span::call_site, |token| proc_macro2::Span::call_site().located_at(token.span()))
}
