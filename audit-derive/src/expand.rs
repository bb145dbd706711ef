//! From a macro's input to its output, over `proc_macro2`: what the tests and the fuzz target run without a compiler.

use proc_macro2::{Span, TokenStream};
use syn::{Data, DeriveInput};

use crate::attributes::Place;
use crate::diagnostics::Diagnostics;
use crate::parse::Attributes;
use crate::{check, completion, emit, manifest, parse};

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
    let input = match parse::item(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut diagnostics = Diagnostics::default();
    let place = if matches!(input.data, Data::Enum(_)) { Place::Enum } else { Place::Struct };
    let attributes = parse::attributes(&input.attrs, place, &mut diagnostics);
    serde_attributes(&input, place, &attributes, &mut diagnostics);
    if let Some(error) = unknown_library(&attributes, through) {
        return error;
    }
    let library = check::library(&attributes, through.name());
    let model = check::event(&input, &attributes, library.clone(), &mut diagnostics);
    finish(&diagnostics, &library, || emit::event(&model), || emit::fallback_event(&input, &library))
}

/// `#[derive(UserIdentity)]`.
pub(crate) fn user_identity(input: TokenStream, through: Library) -> TokenStream {
    let input = match parse::item(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut diagnostics = Diagnostics::default();
    let attributes = parse::attributes(&input.attrs, Place::Identity, &mut diagnostics);
    serde_attributes(&input, Place::Identity, &attributes, &mut diagnostics);
    if let Some(error) = unknown_library(&attributes, through) {
        return error;
    }
    let library = check::library(&attributes, through.name());
    let model = check::identity(&input, &attributes, library.clone(), &mut diagnostics);
    finish(&diagnostics, &library, || emit::identity(&model), || emit::fallback_identity(&input, &library))
}

/// `#[derive(AuditValue)]`.
pub(crate) fn audit_value(input: TokenStream, through: Library) -> TokenStream {
    let input = match parse::item(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut diagnostics = Diagnostics::default();
    let attributes = parse::attributes(&input.attrs, Place::Value, &mut diagnostics);
    serde_attributes(&input, Place::Value, &attributes, &mut diagnostics);
    if let Some(error) = unknown_library(&attributes, through) {
        return error;
    }
    let library = check::library(&attributes, through.name());
    let model = check::value(&input, &attributes, library.clone(), &mut diagnostics);
    finish(&diagnostics, &library, || emit::audit_value(&model), || emit::fallback_value(&input, &library))
}

/// `#[derive(AuditError)]`.
pub(crate) fn audit_error(input: TokenStream, through: Library) -> TokenStream {
    let input = match parse::item(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut diagnostics = Diagnostics::default();
    let attributes = parse::attributes(&input.attrs, Place::Error, &mut diagnostics);
    if let Some(error) = unknown_library(&attributes, through) {
        return error;
    }
    let library = check::library(&attributes, through.name());
    let model = check::error(&input, &attributes, library.clone(), &mut diagnostics);
    finish(&diagnostics, &library, || emit::error(&model), || emit::fallback_error(&input, &library))
}

/// An error in place of everything, where the library has no name in the crate that uses the derive.
fn unknown_library(attributes: &Attributes, through: Library) -> Option<TokenStream> {
    // Unit tests expand for both libraries, in the name of this crate.
    let is_unknown = !cfg!(test) && !attributes.meant("crate") && manifest::lacks(through.name());
    is_unknown.then(|| syn::Error::new(Span::call_site(), manifest::message(through.name())).to_compile_error())
}

/// On an enum, serde's `rename_all` is for the names of variants, which have nothing of the kind here.
fn serde_attributes(input: &DeriveInput, place: Place, attributes: &Attributes, diagnostics: &mut Diagnostics) {
    if matches!(input.data, Data::Struct(_)) {
        parse::serde_attributes(&input.attrs, place, attributes, &|_| false, diagnostics);
    }
}

/// The code, or the errors and the impls that replace it.
fn finish(
    diagnostics: &Diagnostics,
    library: &TokenStream,
    code: impl FnOnce() -> TokenStream,
    fallback: impl FnOnce() -> TokenStream,
) -> TokenStream {
    let mut output = TokenStream::new();
    if completion::is_wanted() || !diagnostics.is_empty() {
        output.extend(completion::imports(&diagnostics.names, library));
    }
    if diagnostics.is_empty() {
        output.extend(code());
    } else {
        output.extend(diagnostics.to_tokens());
        output.extend(fallback());
    }
    output
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
pub(crate) mod tests;
