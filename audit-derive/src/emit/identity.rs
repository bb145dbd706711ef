//! The impl of `UserIdentity`.

use proc_macro2::TokenStream;
use quote::quote;

use super::bounds;
use super::constants::{depends_on, spanned_like};
use super::value::{Access, read_all, skipped, value};
use crate::model::{Field, Form, Identity, Item, unread};
use crate::parse::Text;
use crate::roles::Role;

/// The code for an identity.
pub(crate) fn identity(identity: &Identity) -> TokenStream {
    let Identity { item, kind, fields, skipped: left_out } = identity;
    let Item { ident, library, lints, .. } = item;
    let (of_impl, of_type, _) = item.generics.split_for_impl();
    let clause = bounds::where_clause(item, fields.iter());
    let access = if item.packed { Access::Copied } else { Access::Own };
    let value_of = |field: &Field| {
        let mut tokens = TokenStream::new();
        value(field, access, library, &mut tokens);
        tokens
    };
    let principal = fields.iter().find(|field| field.role == Role::PrincipalId).map(value_of);
    let details: Vec<&Field> = fields.iter().filter(|field| field.role == Role::Detail).collect();
    let write_details = (!details.is_empty()).then(|| {
        let literal = |field: &&&Field| !matches!(field.key, Some(Text::Const(_)));
        let distinct =
            (details.len() > 1 && details.iter().all(|field| literal(&field))).then(|| quote!(.__distinct_keys()));
        let calls = details.iter().map(|field| {
            let key = &field.key;
            if field.form == Form::Redacted {
                let (skip_if, redacted) = (field.skip_if.is_some(), "[REDACTED]");
                let skipped = skipped(field, access);
                return if skip_if {
                    quote!(.field(#key, &(!#skipped).then_some(#redacted)))
                } else {
                    quote!(.redact(#key))
                };
            }
            let value = value_of(field);
            if field.form == Form::Flattened { quote!(.flatten(#value)) } else { quote!(.field(#key, #value)) }
        });
        quote! {
            fn details(&self, __details: &mut #library::ObjectWriter<'_>) -> #library::Done {
                __details #distinct #(#calls)* .done()
            }
        }
    });
    let unread = read_all(unread(fields, left_out), access);
    let checked = match kind {
        Text::Const(path) if !depends_on(kind, &item.generics) => {
            let checked = spanned_like(path, quote!(#library::identity_type(#kind)));
            Some(quote!(#lints const _: () = #checked;))
        }
        _ => None,
    };
    quote! {
            #checked
            #[automatically_derived] #lints impl #of_impl #library::UserIdentity for #ident #of_type #clause {
                fn identity_type(&self) -> #library::Cow<'_, str> {
                    #unread #library::Cow::Borrowed(#kind)
                }
                fn principal_id(&self) -> #library::Cow<'_, str> {
                    #library::displayed(#principal)
                }
                fn __principal_id(&self, __text: #library::Text<'_>) {
                    __text(&#principal)
                }
                #write_details
            }
    }
}
