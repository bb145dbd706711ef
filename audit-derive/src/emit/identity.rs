//! The impl of `UserIdentity`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::bounds;
use super::constants::{depends_on, spanned_like};
use super::value::{Access, binding, read_all, skipped, value};
use crate::model::{Field, Form, Identity, IdentityType, Item, Shape, unread};
use crate::parse::Text;
use crate::roles::Role;

/// The code for an identity.
pub(crate) fn identity(identity: &Identity) -> TokenStream {
    let Identity { item, shape } = identity;
    let Item { ident, library, lints, .. } = item;
    let (of_impl, of_type, _) = item.generics.split_for_impl();
    let clause = bounds::where_clause(item, shape.all().flat_map(|one| &one.fields));
    let kind = by_type(item, shape, &|one, access| {
        // Bound in a variant, they are read.
        let unread = (access != Access::Bound).then(|| read_all(unread(&one.fields, &one.skipped), access));
        let kind = &one.kind;
        (unread_members(one), quote!(#unread #library::Cow::Borrowed(#kind)))
    });
    let is_hidden = |field: &Field| field.role == Role::PrincipalId && field.form != Form::Plain;
    let principal_id = if shape.all().any(|one| one.fields.iter().any(is_hidden)) {
        by_type(item, shape, &|one, _| {
            let hidden = one.fields.iter().any(is_hidden);
            let hidden = hidden.then(|| quote!(#library::Cow::Borrowed("[REDACTED]")));
            (Vec::new(), hidden.unwrap_or_else(|| quote!(#library::principal_text(self))))
        })
    } else {
        quote!(#library::principal_text(self))
    };
    let principal = by_type(item, shape, &|one, access| {
        with_principal(one, |field| {
            let value = value_of(field, access, library);
            match field.form {
                Form::Redacted => (Vec::new(), quote!(__text(&"[REDACTED]"))),
                Form::Hmac => (vec![&field.member], quote!(#library::mask_principal(#value, __text))),
                _ => (vec![&field.member], quote!(#library::principal(#value, __text))),
            }
        })
    });
    let write_details = shape.all().any(|one| details(one).next().is_some()).then(|| {
        let details = by_type(item, shape, &|one, access| {
            let used = details(one).filter(|field| field.is_read()).map(|field| &field.member).collect();
            (used, details_of(one, access, library))
        });
        quote! {
            fn details(&self, __details: &mut #library::ObjectWriter<'_>) -> #library::Done {
                #details
            }
        }
    });
    let checked = shape.all().filter_map(|one| match &one.kind {
        Text::Const(path) if !depends_on(&one.kind, &item.generics) => {
            let checked = spanned_like(path, quote!(#library::identity_type(#path)));
            Some(quote!(#lints const _: () = #checked;))
        }
        _ => None,
    });
    quote! {
            #(#checked)*
            #[automatically_derived] #lints impl #of_impl #library::UserIdentity for #ident #of_type #clause {
                fn identity_type(&self) -> #library::Cow<'_, str> {
                    #kind
                }
                fn principal_id(&self) -> #library::Cow<'_, str> {
                    #principal_id
                }
                fn __principal_id(&self, __text: #library::Text<'_>) {
                    #principal
                }
                #write_details
            }
    }
}

/// The members that some code uses, and the code.
type Code<'i> = (Vec<&'i syn::Member>, TokenStream);

/// The code for a struct, or a match with the code for each variant.
fn by_type<'i>(
    item: &Item,
    shape: &'i Shape<IdentityType>,
    code: &dyn Fn(&'i IdentityType, Access) -> Code<'i>,
) -> TokenStream {
    match shape {
        Shape::Struct(one) => code(one, if item.packed { Access::Copied } else { Access::Own }).1,
        Shape::Enum(variants) if variants.is_empty() => quote!(match *self {}),
        Shape::Enum(variants) => {
            let arms = variants.iter().map(|(ident, one): &(Ident, IdentityType)| {
                let (used, code) = code(one, Access::Bound);
                let bindings = used.into_iter().map(|member| {
                    let binding = binding(member);
                    quote!(#member: #binding,)
                });
                quote!(Self::#ident { #(#bindings)* .. } => { #code })
            });
            quote!(match self { #(#arms)* })
        }
    }
}

fn unread_members(one: &IdentityType) -> Vec<&syn::Member> {
    unread(&one.fields, &one.skipped).collect()
}

/// There is one, or the identity has an error.
fn with_principal<'i>(one: &'i IdentityType, code: impl FnOnce(&'i Field) -> Code<'i>) -> Code<'i> {
    one.fields.iter().find(|field| field.role == Role::PrincipalId).map(code).unwrap_or_default()
}

fn details(one: &IdentityType) -> impl Iterator<Item = &Field> {
    one.fields.iter().filter(|field| field.role == Role::Detail)
}

fn value_of(field: &Field, access: Access, library: &TokenStream) -> TokenStream {
    let mut tokens = TokenStream::new();
    value(field, access, library, &mut tokens);
    tokens
}

fn details_of(one: &IdentityType, access: Access, library: &TokenStream) -> TokenStream {
    let literal = |field: &Field| !matches!(field.key, Some(Text::Const(_)));
    let distinct = (details(one).nth(1).is_some() && details(one).all(literal)).then(|| quote!(.__distinct_keys()));
    let calls = details(one).map(|field| {
        let key = &field.key;
        match field.form {
            Form::Redacted if field.skip_if.is_some() => {
                let (skipped, redacted) = (skipped(field, access), "[REDACTED]");
                quote!(.field(#key, &(!#skipped).then_some(#redacted)))
            }
            Form::Redacted => quote!(.redact(#key)),
            Form::Flattened => {
                let value = value_of(field, access, library);
                quote!(.flatten(#value))
            }
            Form::Hmac => {
                let value = value_of(field, access, library);
                quote!(.hmac(#key, #value))
            }
            Form::Plain => {
                let value = value_of(field, access, library);
                quote!(.field(#key, #value))
            }
        }
    });
    quote!(__details #distinct #(#calls)* .done())
}
