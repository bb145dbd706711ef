//! What a derive that failed returns beside its errors: impls without a function, so that code that uses the type adds no
//! error of its own. They never run, since code with an error does not.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

/// Instead of an event's impls. `NamesActor` is there in any case: whether the event names its actor is not known.
pub(crate) fn event(input: &DeriveInput, library: &TokenStream) -> TokenStream {
    let ident = &input.ident;
    let (of_impl, of_type, clause) = input.generics.split_for_impl();
    quote! {
            #[automatically_derived] impl #of_impl #library::Catalog for #ident #of_type #clause {
                const EVENT_TYPES: #library::Types = &[];
            }
            #[automatically_derived] impl #of_impl #library::Event for #ident #of_type #clause {
                fn event_type(&self) -> #library::Type {
                    #library::never()
                }
                fn write(&self, _: &mut #library::Writer<'_>) -> #library::Done {
                    #library::never()
                }
            }
            #[automatically_derived] impl #of_impl #library::Names for #ident #of_type #clause {}
    }
}

/// Instead of an identity's impl.
pub(crate) fn identity(input: &DeriveInput, library: &TokenStream) -> TokenStream {
    let ident = &input.ident;
    let (of_impl, of_type, clause) = input.generics.split_for_impl();
    quote! {
            #[automatically_derived] impl #of_impl #library::UserIdentity for #ident #of_type #clause {
                fn identity_type(&self) -> #library::Cow<'_, str> {
                    #library::never()
                }
                fn principal_id(&self) -> #library::Cow<'_, str> {
                    #library::never()
                }
            }
    }
}

/// Instead of a value's impls.
pub(crate) fn audit_value(input: &DeriveInput, library: &TokenStream) -> TokenStream {
    let ident = &input.ident;
    let (of_impl, of_type, clause) = input.generics.split_for_impl();
    quote! {
            #[automatically_derived] impl #of_impl #library::AuditValue for #ident #of_type #clause {
                const TYPE: &'static #library::ValueType = &#library::ValueType::OneOf(&[]);
            }
            #[automatically_derived] impl #of_impl #library::Serialize for #ident #of_type #clause {
                fn serialize<__S: #library::Serializer>(&self, _: __S) -> #library::Result<__S::Ok, __S::Error> {
                    #library::never()
                }
            }
    }
}

/// Instead of an error's impl.
pub(crate) fn error(input: &DeriveInput, library: &TokenStream) -> TokenStream {
    let ident = &input.ident;
    let (of_impl, of_type, clause) = input.generics.split_for_impl();
    let predicates = clause.iter().flat_map(|clause| &clause.predicates);
    quote! {
            #[automatically_derived] impl #of_impl #library::AuditError for #ident #of_type where #(#predicates,)* Self: #library::Display {
                fn error_code(&self) -> #library::Cow<'_, str> {
                    #library::never()
                }
            }
    }
}
