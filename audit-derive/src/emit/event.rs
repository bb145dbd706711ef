//! The impls of `AuditEvent`, `EventCatalog` and `NamesActor`.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};

use super::bounds;
use super::constants::{depends_on, spanned_like};
use super::text_of_type::{is_option, text_of};
use super::value::{Access, binding, read_all, skipped, value};
use crate::model::{Doc, Event, EventType, Field, Form, Item, Shape, VERSION};
use crate::parse::Text;
use crate::roles::Role;

/// The code for an event.
pub(crate) fn event(event: &Event) -> TokenStream {
    let Event { item, shape } = event;
    let Item { ident, library, lints, .. } = item;
    let (of_impl, of_type, own_where) = item.generics.split_for_impl();
    let clause = bounds::where_clause(item, event.types().flat_map(|event_type| &event_type.fields));
    // The catalog of a nested value is that of its type, which has to be known.
    let of_catalog = if event.types().any(has_nested) { clause.as_ref() } else { own_where };
    let mut constants = TokenStream::new();
    let catalog = texts(event, library).unwrap_or_else(|| values(event, &mut constants));
    let (event_type, write) = match shape {
        Shape::Struct(event_type) => {
            let access = if item.packed { Access::Copied } else { Access::Own };
            let (unread, body) = (read_all(event_type.unread(), access), body(event_type, None, access, library));
            (quote!(#library::ty(self)), quote!(#unread #body))
        }
        Shape::Enum(variants) if variants.is_empty() => (quote!(match *self {}), quote!(match *self {})),
        Shape::Enum(variants) => (variant_index(variants, library), variant_bodies(variants, library)),
    };
    let names_actor = event.types().all(|event_type| event_type.has(Role::UserIdentity)).then(|| {
        quote! {
            #[automatically_derived] #lints impl #of_impl #library::Names for #ident #of_type #clause {}
        }
    });
    let impls = quote! {
            #[automatically_derived] #lints impl #of_impl #library::Catalog for #ident #of_type #of_catalog {
                #catalog
            }
            #[automatically_derived] #lints impl #of_impl #library::Event for #ident #of_type #clause {
                fn event_type(&self) -> #library::Type {
                    #event_type
                }
                fn write(&self, __d: &mut #library::Writer<'_>) -> #library::Done {
                    #write
                }
            }
            #names_actor
    };
    if constants.is_empty() { impls } else { quote!(#lints const _: () = { #constants #impls };) }
}

/// The event type at a place of the catalog.
fn index(at: usize, library: &TokenStream) -> TokenStream {
    let at = Literal::usize_unsuffixed(at);
    quote!(&<Self as #library::Catalog>::EVENT_TYPES[#at])
}

fn variant_index(variants: &[(Ident, EventType)], library: &TokenStream) -> TokenStream {
    if let [_] = variants {
        return index(0, library);
    }
    let numbers = (0..variants.len()).map(Literal::usize_unsuffixed);
    let idents = variants.iter().map(|(ident, _)| ident);
    quote! {
        &<Self as #library::Catalog>::EVENT_TYPES[match self { #(Self::#idents { .. } => #numbers),* }]
    }
}

fn variant_bodies(variants: &[(Ident, EventType)], library: &TokenStream) -> TokenStream {
    let arms = variants.iter().enumerate().map(|(at, (ident, event_type))| {
        // A binding reads the field, so those that the body does not read are bound as well.
        let members = event_type.fields.iter().map(|field| &field.member).chain(&event_type.skipped);
        let bindings = members.map(|member| {
            let binding = binding(member);
            quote!(#member: #binding,)
        });
        let body = body(event_type, Some(at), Access::Bound, library);
        quote!(Self::#ident { #(#bindings)* .. } => #body)
    });
    quote!(match self { #(#arms,)* })
}

/// The calls that write an event. The catalog has the keys, in the same order.
fn body(event_type: &EventType, at: Option<usize>, access: Access, library: &TokenStream) -> TokenStream {
    let fields = in_order(event_type);
    let literal = |field: &&Field| !matches!(field.key, Some(Text::Const(_)));
    let begin = match at.map(Literal::usize_unsuffixed) {
        // Constants may hold the same key twice; literals have been compared.
        _ if !fields.iter().all(literal) => {
            let index = index(at.unwrap_or_default(), library);
            quote!(of_type(#index))
        }
        None => quote!(of(self)),
        Some(at) => quote!(of_variant(self, #at)),
    };
    let mut tokens = quote!(__d.#begin);
    // The name comes before the id.
    let (name, rest) = fields.split_at(fields.partition_point(|field| field.role < Role::Id));
    calls(name, access, library, &mut tokens);
    if event_type.generate_id {
        method("generate_id", TokenStream::new(), &mut tokens);
    }
    let (rest, _) = rest.split_at(rest.partition_point(|field| field.role < Role::Target));
    calls(rest, access, library, &mut tokens);
    for field in &event_type.fields {
        if let Some(target) = &field.target {
            let mut arguments = quote!(#target,);
            value(field, access, library, &mut arguments);
            method(Role::Target.row().method, arguments, &mut tokens);
        }
    }
    method("done", TokenStream::new(), &mut tokens);
    tokens
}

/// Adds the calls for some fields. Neighbours that are written as they are share a call.
fn calls(mut fields: &[&Field], access: Access, library: &TokenStream, tokens: &mut TokenStream) {
    while let Some(first) = fields.first() {
        let plain = fields.iter().take_while(|field| is_plain(field)).take(PUT.len()).count();
        if plain == 0 {
            call(first, access, library, tokens);
            fields = &fields[1..];
            continue;
        }
        let (together, others) = fields.split_at(plain);
        let mut arguments = TokenStream::new();
        for (at, field) in together.iter().enumerate() {
            if at > 0 {
                arguments.extend([TokenTree::from(Punct::new(',', Spacing::Alone))]);
            }
            value(field, access, library, &mut arguments);
        }
        method(PUT[plain - 1], arguments, tokens);
        fields = others;
    }
}

/// What writes one field, two at once, and so on.
const PUT: [&str; 6] = ["put", "put2", "put3", "put4", "put5", "put6"];

/// Whether the field is written under a key, without a change.
fn is_plain(field: &Field) -> bool {
    field.form == Form::Plain && field.role.has_keys()
}

/// Adds the call of a method.
fn method(name: &str, arguments: TokenStream, tokens: &mut TokenStream) {
    tokens.extend([
        TokenTree::from(Punct::new('.', Spacing::Alone)),
        Ident::new(name, Span::call_site()).into(),
        Group::new(Delimiter::Parenthesis, arguments).into(),
    ]);
}

/// The fields in the order of the JSON; those of one role as declared.
fn in_order(event_type: &EventType) -> Vec<&Field> {
    let mut fields: Vec<&Field> = event_type.fields.iter().collect();
    fields.sort_by_key(|field| field.role);
    fields
}

fn call(field: &Field, access: Access, library: &TokenStream, tokens: &mut TokenStream) {
    if field.form == Form::Redacted {
        return method("redact", skipped(field, access), tokens);
    }
    let name = match field.form {
        Form::Flattened => "flatten",
        Form::Hmac => "hmac",
        _ => field.role.row().method,
    };
    let mut argument = TokenStream::new();
    value(field, access, library, &mut argument);
    method(name, argument, tokens);
}

/// The catalog as texts, which the compiler has the least work with. `None` if a text cannot express one of them.
fn texts(event: &Event, library: &TokenStream) -> Option<TokenStream> {
    let texts = event.types().map(|event_type| text(event_type, library)).collect::<Option<Vec<_>>>()?;
    let fields = event.types().map(|event_type| event_type.fields.len()).sum();
    // For a struct, the library has a default.
    let event_types = (texts.len() != 1 || fields > 32).then(|| {
        if fields > FIELDS_READ_AT_ONCE {
            let each = event.types().enumerate().map(|(at, event_type)| {
                let (at, fields) = (index_of(at), index_of(event_type.fields.len()));
                quote!(#library::type_at::<Self, #at, #fields>())
            });
            // It is a constant, and on no stack.
            return quote! {
                #[allow(clippy::large_stack_arrays)]
                const EVENT_TYPES: #library::Types = &[#(#each),*];
            };
        }
        let (types, fields) = (index_of(texts.len()), index_of(fields));
        quote!(const EVENT_TYPES: #library::Types = #library::types::<Self, #types, #fields>();)
    });
    Some(quote!(const __TEXTS: #library::Texts = &[#(#texts),*]; #event_types))
}

/// The compiler refuses a constant that takes long to evaluate. Where an enum has more fields than these, each of its event types is
/// a constant of its own.
const FIELDS_READ_AT_ONCE: usize = 500;

fn index_of(at: usize) -> Literal {
    Literal::usize_unsuffixed(at)
}

/// An event type as a text: a literal, or a call of `concat!` where macros make parts of the doc comment.
fn text(event_type: &EventType, library: &TokenStream) -> Option<TokenStream> {
    let EventType { source, name, version, doc, fields, .. } = event_type;
    let version = known(version)?;
    let version = if version == VERSION { "" } else { version };
    let mut text = format!("{}|{}|{}|{version}", fields.len(), known(source)?, known(name)?);
    for field in in_order(event_type) {
        text.push('|');
        piece(field, &mut text)?;
    }
    // Behind the last bar anything may stand.
    if text.matches('|').count() != fields.len() + 3 {
        return None;
    }
    match doc {
        Doc::Text(doc) if doc.is_empty() => {}
        Doc::Text(doc) => {
            text.push('|');
            text.push_str(doc);
        }
        Doc::Parts(parts) => {
            text.push('|');
            return Some(quote!(#library::concat!(#text, #(#parts),*)));
        }
    }
    Some(text.into_token_stream())
}

/// The catalog as values.
///
/// Where one has texts that only the compiler can read, it is a constant of its own: an associated constant is evaluated
/// only where it is used, a constant always, so that a text that breaks the contract never compiles.
fn values(event: &Event, constants: &mut TokenStream) -> TokenStream {
    let Event { item, .. } = event;
    let library = &item.library;
    let types = event.types().enumerate().map(|(at, event_type)| value_of(at, event_type, item, constants));
    quote!(const EVENT_TYPES: #library::Types = &[#(#types),*];)
}

fn value_of(at: usize, event_type: &EventType, item: &Item, constants: &mut TokenStream) -> TokenStream {
    let EventType { source, name, version, doc, .. } = event_type;
    let library = &item.library;
    let fields = in_order(event_type).into_iter().map(|field| field_type(field, library));
    let from_field = event_type.has(Role::EventName).then(|| quote!(.name_from_field()));
    let of_fields = event_type.fields.iter().filter_map(|field| field.target.as_ref());
    let texts: Vec<_> = [source, name, version].into_iter().chain(of_fields).collect();
    let doc = match doc {
        Doc::Text(doc) => doc.to_token_stream(),
        Doc::Parts(parts) => quote!(#library::doc(#library::concat!(#(#parts),*))),
    };
    let whole = |begin: TokenStream| quote!(#begin.doc(#doc).fields(&[#(#fields),*]) #from_field);
    let begin = quote!(#library::EventType::new(#source, #name).version(#version));
    let constant = texts.iter().find_map(|text| match text {
        Text::Const(path) => Some(path),
        Text::Literal(_) => None,
    });
    match constant {
        Some(constant) if !has_nested(event_type) && !texts.iter().any(|text| depends_on(text, &item.generics)) => {
            let (ident, whole) = (format_ident!("__AUDIT_{at}"), whole(spanned_like(constant, begin)));
            constants.extend(quote!(const #ident: #library::EventType = #whole;));
            ident.into_token_stream()
        }
        _ => whole(begin),
    }
}

/// A text that the macro knows.
fn known(text: &Text) -> Option<&str> {
    match text {
        Text::Literal(known) => Some(&known.value),
        Text::Const(_) => None,
    }
}

/// Whether the field may be left out, as far as a macro can see. A redacted value is never looked at, so it is there even
/// where it is a `None`.
pub(super) fn is_optional(field: &Field) -> bool {
    field.skip_if.is_some() || (field.form != Form::Redacted && is_option(&field.ty))
}

/// Adds what a text says of a field; `None` where its key is a constant, or has characters that mean something there.
fn piece(field: &Field, text: &mut String) -> Option<()> {
    if field.nested {
        return None;
    }
    let marks = [
        (is_optional(field), '?'),
        (field.with.is_some(), '~'),
        (field.form == Form::Redacted, '*'),
        (field.form == Form::Hmac, '#'),
        (field.personal, '!'),
    ];
    text.extend(marks.into_iter().filter(|(set, _)| *set).map(|(_, mark)| mark));
    if let Some(target) = &field.target {
        let target = known(target).filter(|target| !target.contains(' '))?;
        text.extend([">", target, " "]);
    }
    if field.role != Role::Request {
        text.push('@');
        text.push(field.role.row().letter);
        text.push(' ');
    }
    if field.role.has_keys() {
        match &field.key {
            None => {}
            Some(Text::Literal(key)) => {
                if key.value.bytes().any(|byte| b" @?~*#!>".contains(&byte)) {
                    return None;
                }
                text.push_str(&key.value);
            }
            Some(Text::Const(_)) => return None,
        }
        text.push(' ');
    }
    text_of(&field.ty, text);
    Some(())
}

fn has_nested(event_type: &EventType) -> bool {
    event_type.fields.iter().any(|field| field.nested)
}

/// The call that gives a field its protection.
pub(super) fn protection(field: &Field, library: &TokenStream) -> Option<TokenStream> {
    match field.form {
        Form::Redacted => Some(quote!(.protected(#library::Protection::Redact))),
        Form::Hmac => Some(quote!(.protected(#library::Protection::Hmac))),
        Form::Plain | Form::Flattened => None,
    }
}

/// The call that gives a field the form of its value.
pub(super) fn nested(field: &Field, library: &TokenStream) -> Option<TokenStream> {
    let ty = &field.ty;
    field.nested.then(|| quote!(.value(<#ty as #library::AuditValue>::TYPE)))
}

/// The call that says that a field's value is personal data.
pub(super) fn personal(field: &Field) -> Option<TokenStream> {
    field.personal.then(|| quote!(.personal()))
}

/// The field as a value.
fn field_type(field: &Field, library: &TokenStream) -> TokenStream {
    let key = field.key.as_ref().map_or_else(|| quote!(""), |key| quote!(#key));
    // The library's `Role` has the same names.
    let role = format_ident!("{}", format!("{:?}", field.role));
    let mut ty = String::new();
    text_of(&field.ty, &mut ty);
    let optional = is_optional(field).then(|| quote!(.optional()));
    let converted = field.with.is_some().then(|| quote!(.converted()));
    let (protected, nested, personal) = (protection(field, library), nested(field, library), personal(field));
    let begin = quote!(#library::FieldType::new(#key, #library::Role::#role, #ty));
    let whole = quote!(#begin #optional #converted #protected #nested #personal);
    match &field.target {
        None => whole,
        Some(target @ Text::Literal(_)) => quote!(#whole.target(#target)),
        Some(Text::Const(path)) => spanned_like(path, quote!(#library::FieldType::target(#whole, #path))),
    }
}
