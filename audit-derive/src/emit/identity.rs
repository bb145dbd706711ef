//! The impl of `UserIdentity`.

use proc_macro2::TokenStream;
use quote::quote;

use super::value::{Access, value};
use super::{bounds, scope};
use crate::model::{Field, Form, Identity, Role};
use crate::parse::Text;

/// The code for an identity.
pub(crate) fn identity(identity: &Identity) -> TokenStream {
    let Identity { item, kind, fields } = identity;
    let ident = &item.ident;
    let (of_impl, of_type, _) = item.generics.split_for_impl();
    let clause = bounds::where_clause(item, fields.iter());
    let access = if item.packed { Access::Copied } else { Access::Own };
    let principal = fields.iter().find(|field| field.role == Role::PrincipalId).map(|field| value(field, access));
    let details: Vec<&Field> = fields.iter().filter(|field| field.role == Role::Detail).collect();
    let write_details = (!details.is_empty()).then(|| {
        let literal = |field: &&&Field| !matches!(field.key, Some(Text::Const(_)));
        let distinct =
            (details.len() > 1 && details.iter().all(|field| literal(&field))).then(|| quote!(.__distinct_keys()));
        let calls = details.iter().map(|field| {
            let (key, value) = (&field.key, value(field, access));
            if field.form == Form::Flattened { quote!(.flatten(#value)) } else { quote!(.field(#key, #value)) }
        });
        quote! {
            fn details(&self, __details: &mut __audit::ObjectWriter<'_>) -> __audit::Written {
                __details #distinct #(#calls)* .done()
            }
        }
    });
    scope(
        &item.library,
        &quote! {
            #[automatically_derived]
            impl #of_impl __audit::UserIdentity for #ident #of_type #clause {
                fn identity_type(&self) -> __audit::Cow<'_, str> {
                    __audit::Cow::Borrowed(#kind)
                }
                fn principal_id(&self) -> __audit::Cow<'_, str> {
                    __audit::displayed(#principal)
                }
                #write_details
            }
        },
    )
}
