//! The impls of `AuditEvent`, `EventCatalog` and `NamesActor`.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};

use super::bounds;
use super::constants::{depends_on, spanned_like};
use super::text_of_type::{is_option, text_of};
use super::value::{Access, binding, skipped, value};
use crate::model::{Event, EventType, Field, Form, Item, Role, Shape, VERSION};
use crate::parse::Text;

/// The code for an event.
pub(crate) fn event(event: &Event) -> TokenStream {
    let Event { item, shape } = event;
    let Item { ident, library, .. } = item;
    let (of_impl, of_type, own_where) = item.generics.split_for_impl();
    let clause = bounds::where_clause(item, event.types().flat_map(|event_type| &event_type.fields));
    let mut constants = TokenStream::new();
    let types: Vec<_> =
        event.types().enumerate().map(|(at, event_type)| catalog_entry(at, event_type, item, &mut constants)).collect();
    let (event_type, write) = match shape {
        Shape::Struct(event_type) => {
            let access = if item.packed { Access::Copied } else { Access::Own };
            (quote!(#library::ty(self)), body(event_type, None, access, library))
        }
        Shape::Enum(variants) if variants.is_empty() => (quote!(match *self {}), quote!(match *self {})),
        Shape::Enum(variants) => (variant_index(variants, library), variant_bodies(variants, library)),
    };
    let names_actor = event.types().all(|event_type| event_type.has(Role::UserIdentity)).then(|| {
        quote! {
            impl #of_impl #library::Names for #ident #of_type #own_where {}
        }
    });
    let impls = quote! {
            impl #of_impl #library::Catalog for #ident #of_type #own_where {
                const EVENT_TYPES: #library::Types = &[#(#types),*];
            }
            impl #of_impl #library::Event for #ident #of_type #clause {
                fn event_type(&self) -> #library::Type {
                    #event_type
                }
                fn write(&self, __d: &mut #library::Writer<'_>) -> #library::Done {
                    #write
                }
            }
            #names_actor
    };
    if constants.is_empty() { impls } else { quote!(const _: () = { #constants #impls };) }
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
        let used = event_type.fields.iter().filter(|field| reads(field));
        let bindings = used.map(|field| {
            let (member, binding) = (&field.member, binding(&field.member));
            quote!(#member: #binding,)
        });
        let body = body(event_type, Some(at), Access::Bound, library);
        quote!(Self::#ident { #(#bindings)* .. } => #body)
    });
    quote!(match self { #(#arms,)* })
}

/// Whether the generated code looks at the field.
fn reads(field: &Field) -> bool {
    field.form != Form::Redacted || field.skip_if.is_some()
}

/// The chain of calls that writes an event. The keys stand in the catalog, in the same order.
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
    let generated = event_type.generate_id.then(|| quote!(.generate_id()));
    // The name comes before the id.
    let (name, rest) = fields.split_at(fields.partition_point(|field| field.role < Role::Id));
    let (name, rest) =
        (name.iter().map(|field| call(field, access, library)), rest.iter().map(|field| call(field, access, library)));
    quote!(__d.#begin #(#name)* #generated #(#rest)* .done())
}

/// The fields in the order of the JSON; those of one role as declared.
fn in_order(event_type: &EventType) -> Vec<&Field> {
    let mut fields: Vec<&Field> = event_type.fields.iter().collect();
    fields.sort_by_key(|field| field.role);
    fields
}

fn call(field: &Field, access: Access, library: &TokenStream) -> TokenStream {
    if field.form == Form::Redacted {
        let skipped = skipped(field, access);
        return quote!(.redact(#skipped));
    }
    let method = match field.form {
        Form::Flattened => format_ident!("flatten"),
        Form::Hmac => format_ident!("hmac"),
        _ if field.role.has_keys() => format_ident!("put"),
        _ => format_ident!("{}", method_of(field.role)),
    };
    let value = value(field, access, library);
    quote!(.#method(#value))
}

/// The method that writes a role without keys: short, since it stands in every event.
fn method_of(role: Role) -> &'static str {
    match role {
        Role::UserIdentity => "actor",
        Role::SourceIp => "ip",
        role => role.attribute(),
    }
}

/// The expression for an event type of the catalog.
///
/// Where it has texts that only the compiler can read, it is a constant of its own: an associated constant is evaluated
/// only where it is used, a constant always, so that a text that breaks the contract never compiles.
fn catalog_entry(at: usize, event_type: &EventType, item: &Item, constants: &mut TokenStream) -> TokenStream {
    let EventType { source, name, version, doc, .. } = event_type;
    let library = &item.library;
    let fields = in_order(event_type);
    let from_field = event_type.has(Role::EventName).then(|| quote!(.name_from_field()));
    let lines: Option<Vec<_>> =
        [source, name, version].into_iter().map(one_line).chain(fields.iter().map(|field| line(field))).collect();
    if let Some(mut lines) = lines {
        if lines[2] == VERSION {
            lines[2].clear();
        }
        let count = Literal::usize_unsuffixed(fields.len());
        lines.extend((!doc.is_empty()).then(|| doc.clone()));
        let text = lines.join("\n");
        return quote!(#library::text::<#count>(#text).of() #from_field);
    }
    let fields = fields.iter().map(|field| field_type(field, library));
    let texts = [source, name, version];
    let whole = |begin: TokenStream| quote!(#begin.doc(#doc).fields(&[#(#fields),*]) #from_field);
    let begin = quote!(#library::EventType::new(#source, #name).version(#version));
    let constant = texts.iter().find_map(|text| match text {
        Text::Const(path) => Some(path),
        Text::Literal(_) => None,
    });
    match constant {
        Some(constant) if !texts.iter().any(|text| depends_on(text, &item.generics)) => {
            let (ident, whole) = (format_ident!("__AUDIT_{at}"), whole(spanned_like(constant, begin)));
            constants.extend(quote!(const #ident: #library::EventType = #whole;));
            ident.into_token_stream()
        }
        _ => whole(begin),
    }
}

/// A text that the macro knows and that is one line.
fn one_line(text: &Text) -> Option<String> {
    match text {
        Text::Literal(literal) => Some(literal.value()).filter(|text| !text.contains('\n')),
        Text::Const(_) => None,
    }
}

/// Whether the field may be left out, as far as a macro can see. A redacted value is never looked at, so it is there even
/// where it is a `None`.
fn is_optional(field: &Field) -> bool {
    field.skip_if.is_some() || (field.form != Form::Redacted && is_option(&field.ty))
}

/// The field as a line of text, which is what the compiler has the least work with; `None` where its key is a constant, or
/// has characters that would end it.
fn line(field: &Field) -> Option<String> {
    let key = match &field.key {
        None => String::new(),
        Some(Text::Literal(key)) => key.value(),
        Some(Text::Const(_)) => return None,
    };
    if key.contains([' ', '\n', '@', '?', '~', '*', '#']) {
        return None;
    }
    let marks = [
        (is_optional(field), "?"),
        (field.with.is_some(), "~"),
        (field.form == Form::Redacted, "*"),
        (field.form == Form::Hmac, "#"),
    ];
    let mut line: String = marks.iter().filter(|(set, _)| *set).map(|(_, mark)| *mark).collect();
    if field.role != Role::Request {
        line.push('@');
        line.push(field.role.letter());
        line.push(' ');
    }
    if field.role.has_keys() {
        line.push_str(&key);
        line.push(' ');
    }
    line.push_str(&text_of(&field.ty));
    Some(line)
}

/// The field as a value.
fn field_type(field: &Field, library: &TokenStream) -> TokenStream {
    let key = field.key.as_ref().map_or_else(|| quote!(""), |key| quote!(#key));
    // The library's `Role` has the same names.
    let role = format_ident!("{}", format!("{:?}", field.role));
    let ty = text_of(&field.ty);
    let optional = is_optional(field).then(|| quote!(.optional()));
    let converted = field.with.is_some().then(|| quote!(.converted()));
    let protected = match field.form {
        Form::Redacted => Some(quote!(.protected(#library::Protection::Redact))),
        Form::Hmac => Some(quote!(.protected(#library::Protection::Hmac))),
        Form::Plain | Form::Flattened => None,
    };
    quote!(#library::FieldType::new(#key, #library::Role::#role, #ty) #optional #converted #protected)
}
