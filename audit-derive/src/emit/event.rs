//! The impls of `AuditEvent`, `EventCatalog` and `NamesActor`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::text_of_type::{is_option, text_of};
use super::value::{Access, binding, value};
use super::{bounds, scope};
use crate::model::{Event, EventType, Field, Form, Role, Shape};
use crate::parse::Text;

/// The code for an event.
pub(crate) fn event(event: &Event) -> TokenStream {
    let Event { item, shape } = event;
    let ident = &item.ident;
    let (of_impl, of_type, own_where) = item.generics.split_for_impl();
    let clause = bounds::where_clause(item, event.types().flat_map(|event_type| &event_type.fields));
    let types = event.types().map(catalog_entry);
    let (event_type, write) = match shape {
        Shape::Struct(event_type) => {
            let access = if item.packed { Access::Copied } else { Access::Own };
            (index(0), body(event_type, access))
        }
        Shape::Enum(variants) if variants.is_empty() => (quote!(match *self {}), quote!(match *self {})),
        Shape::Enum(variants) => (variant_index(variants), variant_bodies(variants)),
    };
    let names_actor = event.types().all(|event_type| event_type.has(Role::UserIdentity)).then(|| {
        quote! {
            #[automatically_derived]
            impl #of_impl __audit::NamesActor for #ident #of_type #own_where {}
        }
    });
    scope(
        &item.library,
        &quote! {
            #[automatically_derived]
            impl #of_impl __audit::EventCatalog for #ident #of_type #own_where {
                const EVENT_TYPES: &'static [__audit::EventType] = &[#(#types),*];
            }
            #[automatically_derived]
            impl #of_impl __audit::AuditEvent for #ident #of_type #clause {
                fn event_type(&self) -> &'static __audit::EventType {
                    #event_type
                }
                fn write(&self, __data: &mut __audit::EventDataWriter<'_>) -> __audit::Written {
                    #write
                }
            }
            #names_actor
        },
    )
}

/// The event type at a place of the catalog.
fn index(at: usize) -> TokenStream {
    let at = proc_macro2::Literal::usize_unsuffixed(at);
    quote!(&<Self as __audit::EventCatalog>::EVENT_TYPES[#at])
}

fn variant_index(variants: &[(Ident, EventType)]) -> TokenStream {
    if let [_] = variants {
        return index(0);
    }
    let numbers = (0..variants.len()).map(proc_macro2::Literal::usize_unsuffixed);
    let idents = variants.iter().map(|(ident, _)| ident);
    quote! {
        &<Self as __audit::EventCatalog>::EVENT_TYPES[match self { #(Self::#idents { .. } => #numbers),* }]
    }
}

fn variant_bodies(variants: &[(Ident, EventType)]) -> TokenStream {
    let arms = variants.iter().map(|(ident, event_type)| {
        let used = event_type.fields.iter().filter(|field| reads(field));
        let bindings = used.map(|field| {
            let (member, binding) = (&field.member, binding(&field.member));
            quote!(#member: #binding,)
        });
        let body = body(event_type, Access::Bound);
        quote!(Self::#ident { #(#bindings)* .. } => #body)
    });
    quote!(match self { #(#arms,)* })
}

/// Whether the generated code looks at the field.
fn reads(field: &Field) -> bool {
    field.form != Form::Redacted || field.skip_if.is_some()
}

/// The chain of calls that writes an event.
fn body(event_type: &EventType, access: Access) -> TokenStream {
    // The writer writes in one order; fields of one role stay as declared.
    let mut fields: Vec<&Field> = event_type.fields.iter().collect();
    fields.sort_by_key(|field| field.role);
    let generated = event_type.generate_id.then(|| quote!(.generate_id()));
    // Constants may hold the same key twice; literals have been compared.
    let keyed = fields.iter().filter(|field| field.key.is_some()).count();
    let literal = |field: &&Field| !matches!(field.key, Some(Text::Const(_)));
    let distinct = (keyed > 1 && fields.iter().all(literal)).then(|| quote!(.__distinct_keys()));
    // The name comes before the id.
    let (name, rest) = fields.split_at(fields.partition_point(|field| field.role < Role::Id));
    let (name, rest) = (name.iter().map(|field| call(field, access)), rest.iter().map(|field| call(field, access)));
    quote!(__data #distinct #(#name)* #generated #(#rest)* .done())
}

fn call(field: &Field, access: Access) -> TokenStream {
    let value = value(field, access);
    let part = match field.role {
        Role::Response => format_ident!("Response"),
        Role::Additional => format_ident!("Additional"),
        _ => format_ident!("Request"),
    };
    let key = &field.key;
    match field.form {
        Form::Flattened => quote!(.flatten(__audit::Part::#part, #value)),
        Form::Hmac => quote!(.hmac(__audit::Part::#part, #key, #value)),
        Form::Plain | Form::Redacted => {
            let method = format_ident!("{}", field.role.attribute());
            let key = key.as_ref().map(|key| quote!(#key,));
            quote!(.#method(#key #value))
        }
    }
}

/// The constant that describes an event type.
fn catalog_entry(event_type: &EventType) -> TokenStream {
    let EventType { source, name, version, doc, fields, .. } = event_type;
    let from_field = event_type.has(Role::EventName).then(|| quote!(.name_from_field()));
    let fields = fields.iter().map(field_type);
    quote!(__audit::EventType::new(#source, #name).version(#version).doc(#doc).fields(&[#(#fields),*]) #from_field)
}

fn field_type(field: &Field) -> TokenStream {
    let key = field.key.as_ref().map_or_else(|| quote!(""), |key| quote!(#key));
    let role = format_ident!("{}", variant_of(field.role));
    let ty = text_of(&field.ty);
    let optional = (is_option(&field.ty) || field.skip_if.is_some()).then(|| quote!(.optional()));
    let protected = match field.form {
        Form::Redacted => Some(quote!(.protected(__audit::Protection::Redact))),
        Form::Hmac => Some(quote!(.protected(__audit::Protection::Hmac))),
        Form::Plain | Form::Flattened => None,
    };
    quote!(__audit::FieldType::new(#key, __audit::Role::#role, #ty) #optional #protected)
}

/// The variant of the library's `Role`.
fn variant_of(role: Role) -> String {
    format!("{role:?}")
}
