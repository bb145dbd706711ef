//! From a macro's input to its output, over `proc_macro2`: what the tests and the fuzz target run without a compiler.

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput};

use crate::attributes::Place;
use crate::diagnostics::Diagnostics;
use crate::{check, emit, parse};

/// The crate through which the derive was reached, and to whose hidden module its code refers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Library {
    Core,
    Client,
}

impl Library {
    const fn name(self) -> &'static str {
        match self {
            Self::Core => "audit_core",
            Self::Client => "audit_client",
        }
    }
}

/// `#[derive(AuditEvent)]`.
pub(crate) fn audit_event(input: TokenStream, through: Library) -> TokenStream {
    let input = match syn::parse2::<DeriveInput>(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut diagnostics = Diagnostics::default();
    let place = if matches!(input.data, Data::Enum(_)) { Place::Enum } else { Place::Struct };
    let attributes = parse::attributes(&input.attrs, place, &mut diagnostics);
    let library = check::library(&attributes, through.name());
    let model = check::event(&input, &attributes, library.clone(), &mut diagnostics);
    if diagnostics.is_empty() {
        return emit::event(&model);
    }
    let mut output = diagnostics.to_tokens();
    output.extend(emit::fallback_event(&input, &library));
    output
}

/// `#[derive(UserIdentity)]`.
pub(crate) fn user_identity(input: TokenStream, through: Library) -> TokenStream {
    let input = match syn::parse2::<DeriveInput>(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut diagnostics = Diagnostics::default();
    let attributes = parse::attributes(&input.attrs, Place::Identity, &mut diagnostics);
    let library = check::library(&attributes, through.name());
    let model = check::identity(&input, &attributes, library.clone(), &mut diagnostics);
    if diagnostics.is_empty() {
        return emit::identity(&model);
    }
    let mut output = diagnostics.to_tokens();
    output.extend(emit::fallback_identity(&input, &library));
    output
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
pub(crate) mod tests;
