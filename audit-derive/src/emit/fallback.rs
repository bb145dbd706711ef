//! What a derive that failed yields beside its errors: impls that do nothing but exist, so that code that uses the type
//! adds no error of its own. They are never run, since nothing that holds an error is.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use super::scope;

/// Instead of an event's impls. `NamesActor` is there in any case: whether the event names its actor is not known.
pub(crate) fn event(input: &DeriveInput, library: &TokenStream) -> TokenStream {
    let ident = &input.ident;
    let (of_impl, of_type, clause) = input.generics.split_for_impl();
    scope(
        library,
        &quote! {
            #[automatically_derived]
            impl #of_impl __audit::EventCatalog for #ident #of_type #clause {
                const EVENT_TYPES: &'static [__audit::EventType] = &[];
            }
            #[automatically_derived]
            impl #of_impl __audit::AuditEvent for #ident #of_type #clause {
                fn event_type(&self) -> &'static __audit::EventType {
                    __audit::never()
                }
                fn write(&self, _: &mut __audit::EventDataWriter<'_>) -> __audit::Written {
                    __audit::never()
                }
            }
            #[automatically_derived]
            impl #of_impl __audit::NamesActor for #ident #of_type #clause {}
        },
    )
}

/// Instead of an identity's impl.
pub(crate) fn identity(input: &DeriveInput, library: &TokenStream) -> TokenStream {
    let ident = &input.ident;
    let (of_impl, of_type, clause) = input.generics.split_for_impl();
    scope(
        library,
        &quote! {
            #[automatically_derived]
            impl #of_impl __audit::UserIdentity for #ident #of_type #clause {
                fn identity_type(&self) -> __audit::Cow<'_, str> {
                    __audit::never()
                }
                fn principal_id(&self) -> __audit::Cow<'_, str> {
                    __audit::never()
                }
            }
        },
    )
}
