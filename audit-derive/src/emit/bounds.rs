//! The where clause of an impl: each type parameter is bound by what the fields that use it need, and no other is bound.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{
    GenericArgument, Generics, Path, PathArguments, Token, Type, TypeParamBound, TypePath, WhereClause, WherePredicate,
};

use crate::model::{Field, Form, Item};
use crate::roles::Role;

/// The where clause with the type's own predicates and those that `fields` need; or with those of `bound`.
pub(crate) fn where_clause<'f>(item: &Item, fields: impl Iterator<Item = &'f Field>) -> Option<WhereClause> {
    let own = item.generics.where_clause.clone();
    let predicates = item.bound.clone().unwrap_or_else(|| inferred(item, fields));
    if predicates.is_empty() {
        return own;
    }
    let mut clause =
        own.unwrap_or_else(|| WhereClause { where_token: <Token![where]>::default(), predicates: Punctuated::new() });
    clause.predicates.extend(predicates);
    Some(clause)
}

fn inferred<'f>(item: &Item, fields: impl Iterator<Item = &'f Field>) -> Vec<WherePredicate> {
    let params = Params::of(&item.generics);
    if params.types.is_empty() {
        return Vec::new();
    }
    let mut bounds = Bounds { library: &item.library, seen: HashSet::new(), tokens: Vec::new() };
    for field in fields {
        // The result of `with` has a type of its own, and a redacted value is never read.
        if field.with.is_some() || field.form == Form::Redacted {
            continue;
        }
        if field.role == Role::Outcome {
            outcome(&params, &field.ty, &mut bounds);
        } else {
            bounds.add(&params, &field.ty, field.role.row().needs);
        }
        if field.nested {
            bounds.add(&params, &field.ty, "AuditValue");
        }
        if field.target.is_some() {
            bounds.add(&params, &field.ty, Role::Target.row().needs);
        }
    }
    // Each is a path, a colon and a path: it parses.
    bounds.tokens.into_iter().filter_map(|tokens| syn::parse2(tokens).ok()).collect()
}

/// `Result<T, E>`: what is in `T` has to serialize, what is in `E` has to be an error.
fn outcome(params: &Params<'_>, ty: &Type, bounds: &mut Bounds<'_>) {
    match ty {
        Type::Reference(reference) => outcome(params, &reference.elem, bounds),
        Type::Group(group) => outcome(params, &group.elem, bounds),
        Type::Paren(paren) => outcome(params, &paren.elem, bounds),
        Type::Path(path) => {
            let Some(PathArguments::AngleBracketed(arguments)) = path.path.segments.last().map(|last| &last.arguments)
            else {
                return bounds.add(params, ty, "Outcome");
            };
            let mut types = arguments.args.iter().filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            });
            for (ty, needed) in types.by_ref().zip(["Serialize", "AuditError"]) {
                bounds.add(params, ty, needed);
            }
        }
        _ => {}
    }
}

struct Bounds<'a> {
    library: &'a TokenStream,
    seen: HashSet<(String, &'static str)>,
    tokens: Vec<TokenStream>,
}

impl Bounds<'_> {
    /// Bounds each parameter, and each type associated with one, that `ty` uses.
    fn add(&mut self, params: &Params<'_>, ty: &Type, needed: &'static str) {
        let mut used = Vec::new();
        params.used_in(ty, &mut used);
        for used in used {
            if self.seen.insert((used.to_string(), needed)) {
                let (library, needed) = (self.library, Ident::new(needed, proc_macro2::Span::call_site()));
                self.tokens.push(quote!(#used: #library::#needed));
            }
        }
    }
}

/// The type parameters of an item.
struct Params<'a> {
    types: HashSet<&'a Ident>,
}

impl<'a> Params<'a> {
    fn of(generics: &'a Generics) -> Self {
        Self { types: generics.type_params().map(|param| &param.ident).collect() }
    }

    /// The parameters in a type, and the types associated with them (`T::Item`, `<T as Trait>::Item`).
    fn used_in(&self, ty: &Type, used: &mut Vec<TokenStream>) {
        match ty {
            Type::Array(array) => self.used_in(&array.elem, used),
            Type::Group(group) => self.used_in(&group.elem, used),
            Type::Paren(paren) => self.used_in(&paren.elem, used),
            Type::Ptr(pointer) => self.used_in(&pointer.elem, used),
            Type::Reference(reference) => self.used_in(&reference.elem, used),
            Type::Slice(slice) => self.used_in(&slice.elem, used),
            Type::Tuple(tuple) => tuple.elems.iter().for_each(|element| self.used_in(element, used)),
            Type::Path(path) => self.used_in_path(path, used),
            Type::TraitObject(object) => self.used_in_bounds(&object.bounds, used),
            // A function pointer holds nothing of its parameters, and a macro cannot be looked into: `bound` says it then.
            _ => {}
        }
    }

    fn used_in_bounds(&self, bounds: &Punctuated<TypeParamBound, Token![+]>, used: &mut Vec<TokenStream>) {
        for bound in bounds {
            // Within `for<'a> …`, a type may name `'a`, which a where clause outside of it does not know.
            if let TypeParamBound::Trait(bound) = bound
                && bound.lifetimes.is_none()
            {
                self.used_in_arguments(&bound.path, used);
            }
        }
    }

    fn used_in_path(&self, path: &TypePath, used: &mut Vec<TokenStream>) {
        if let Some(qself) = &path.qself {
            let mut of_self = Vec::new();
            self.used_in(&qself.ty, &mut of_self);
            if of_self.is_empty() {
                self.used_in_arguments(&path.path, used);
            } else {
                used.push(path.to_token_stream());
            }
            return;
        }
        let Path { leading_colon, segments } = &path.path;
        if let (None, Some(first)) = (leading_colon, segments.first())
            && self.types.contains(&first.ident)
        {
            used.push(path.to_token_stream());
            return;
        }
        self.used_in_arguments(&path.path, used);
    }

    fn used_in_arguments(&self, path: &Path, used: &mut Vec<TokenStream>) {
        if path.segments.last().is_some_and(|last| last.ident == "PhantomData") {
            return;
        }
        for segment in &path.segments {
            let PathArguments::AngleBracketed(arguments) = &segment.arguments else { continue };
            for argument in &arguments.args {
                match argument {
                    GenericArgument::Type(ty) => self.used_in(ty, used),
                    GenericArgument::AssocType(associated) => self.used_in(&associated.ty, used),
                    _ => {}
                }
            }
        }
    }
}
