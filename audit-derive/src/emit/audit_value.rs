//! The impls of `AuditValue` and `Serialize`.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;

use super::bounds;
use super::constants::{depends_on, spanned_like};
use super::event::is_optional;
use super::text_of_type::text_of;
use super::value::{Access, binding, read_all, skipped, value};
use crate::model::{AuditValue, Field, Form, Item, Shape, ValueType, unread};
use crate::parse::Text;

/// The code for a value.
pub(crate) fn audit_value(audit_value: &AuditValue) -> TokenStream {
    let AuditValue { item, shape } = audit_value;
    let Item { ident, library, lints, .. } = item;
    let (of_impl, of_type, _) = item.generics.split_for_impl();
    let clause = bounds::where_clause(item, shape.all().flat_map(|one| &one.fields));
    let name = ident.unraw().to_string();
    let (value_type, write) = match shape {
        Shape::Struct(one) => {
            let access = if item.packed { Access::Copied } else { Access::Own };
            let (fields, count) = (fields(one, library), Literal::usize_unsuffixed(one.fields.len()));
            let (unread, distinct) = (read_all(unread(&one.fields, &one.skipped), access), distinct(one, item));
            let calls = calls(one, access, library);
            (
                quote!(#library::ValueType::Object(&[#(#fields),*])),
                quote!(#unread #distinct #library::value_of_struct(__s, #name, #count)? #calls .end()),
            )
        }
        Shape::Enum(variants) if variants.is_empty() => {
            (quote!(#library::ValueType::OneOf(&[])), quote!(match *self {}))
        }
        Shape::Enum(variants) => {
            let types = variants.iter().map(|(_, one)| {
                let (name, fields) = (&one.name, fields(one, library));
                if is_name(one) {
                    quote!(#library::ValueType::Name(#name))
                } else {
                    quote!(#library::ValueType::Variant(#name, &[#(#fields),*]))
                }
            });
            let arms = (0..).zip(variants).map(|(at, (ident, one)): (u32, _)| {
                let (variant, at) = (&one.name, Literal::u32_unsuffixed(at));
                let members = one.fields.iter().map(|field| &field.member).chain(&one.skipped);
                let bindings = members.map(|member| {
                    let binding = binding(member);
                    quote!(#member: #binding,)
                });
                let count = Literal::usize_unsuffixed(one.fields.len());
                let (distinct, calls) = (distinct(one, item), calls(one, Access::Bound, library));
                let write = if is_name(one) {
                    quote!(#library::Serializer::serialize_unit_variant(__s, #name, #at, #variant))
                } else {
                    quote!(#distinct #library::value_of_variant(__s, #name, #at, #variant, #count)? #calls .end())
                };
                quote!(Self::#ident { #(#bindings)* .. } => { #write })
            });
            (quote!(#library::ValueType::OneOf(&[#(#types),*])), quote!(match self { #(#arms)* }))
        }
    };
    quote! {
            #[automatically_derived] #lints impl #of_impl #library::AuditValue for #ident #of_type #clause {
                const TYPE: &'static #library::ValueType = &#value_type;
            }
            #[automatically_derived] #lints impl #of_impl #library::Serialize for #ident #of_type #clause {
                fn serialize<__S: #library::Serializer>(&self, __s: __S) -> #library::Result<__S::Ok, __S::Error> {
                    #write
                }
            }
    }
}

/// Whether it is written as its name alone: a variant without fields.
fn is_name(one: &ValueType) -> bool {
    one.fields.is_empty()
}

/// A check by the compiler, where the macro cannot see that no two keys are alike: a constant, which is evaluated in any case, unless
/// a key depends on the impl.
fn distinct(one: &ValueType, item: &Item) -> Option<TokenStream> {
    let Item { library, generics, .. } = item;
    let keys: Vec<_> = one.fields.iter().filter_map(|field| field.key.as_ref()).collect();
    let constant = keys.iter().find_map(|key| if let Text::Const(path) = key { Some(path) } else { None })?;
    let check = spanned_like(constant, quote!(#library::distinct(&[#(#keys),*])));
    Some(if keys.iter().any(|key| depends_on(key, generics)) {
        quote!(const { #check };)
    } else {
        quote!(const _: () = #check;)
    })
}

fn calls(one: &ValueType, access: Access, library: &TokenStream) -> TokenStream {
    let calls = one.fields.iter().map(|field| {
        let key = &field.key;
        if field.form == Form::Redacted {
            let skipped = skipped(field, access);
            return quote!(.redact(#key, #skipped)?);
        }
        let mut of_field = TokenStream::new();
        value(field, access, library, &mut of_field);
        if field.form == Form::Hmac { quote!(.hmac(#key, #of_field)?) } else { quote!(.put(#key, #of_field)?) }
    });
    calls.collect()
}

/// The fields for the catalog.
fn fields<'v>(one: &'v ValueType, library: &'v TokenStream) -> impl Iterator<Item = TokenStream> + 'v {
    one.fields.iter().map(move |field: &Field| {
        let (key, mut ty) = (&field.key, String::new());
        text_of(&field.ty, &mut ty);
        let optional = is_optional(field).then(|| quote!(.optional()));
        let converted = field.with.is_some().then(|| quote!(.converted()));
        let protected = super::event::protection(field, library);
        let (nested, personal) = (super::event::nested(field, library), super::event::personal(field));
        quote!(#library::ValueField::new(#key, #ty) #optional #converted #protected #nested #personal)
    })
}
