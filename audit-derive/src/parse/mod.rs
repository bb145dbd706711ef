//! From tokens to what was written: the item, and the `#[audit(…)]` attributes of each of its parts.
//!
//! Knows the syntax and the attribute table; what the attributes mean together is for `check`.

mod item;
mod value;

pub(crate) use item::{CONSTANT, item};
pub(crate) use value::{Known, Text, Value};

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Meta, Token};

use crate::attributes::{self, Attribute, Place};
use crate::diagnostics::Diagnostics;
use crate::suggest;
use value::rest_of_item;

/// One attribute that was written: its row of the table, its name as written, its value.
pub(crate) struct Given {
    pub(crate) attribute: &'static Attribute,
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

/// The attributes of one place, each at most once.
#[derive(Default)]
pub(crate) struct Attributes {
    given: Vec<Given>,
    /// Attributes that were meant but miswritten: a second error, that they are missing, would not help.
    miswritten: Vec<&'static str>,
}

impl Attributes {
    pub(crate) fn get(&self, name: &str) -> Option<&Given> {
        self.given.iter().find(|given| given.attribute.name == name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Given> {
        self.given.iter()
    }

    /// The place of an attribute among those that were written.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.given.iter().position(|given| given.attribute.name == name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether the attribute is given here, right or wrong.
    pub(crate) fn meant(&self, name: &str) -> bool {
        self.has(name) || self.miswritten.contains(&name)
    }

    /// Whether an attribute here is wrong, so that a further error would not help.
    pub(crate) fn is_miswritten(&self) -> bool {
        !self.miswritten.is_empty()
    }

    pub(crate) fn text(&self, name: &str) -> Option<&Text> {
        match self.get(name).map(|given| &given.value) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
}

/// All `#[audit(…)]` among `attrs`, the attributes of `place`.
pub(crate) fn attributes(attrs: &[syn::Attribute], place: Place, diagnostics: &mut Diagnostics) -> Attributes {
    let mut found = Attributes::default();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("audit")) {
        match &attr.meta {
            Meta::List(list) => {
                let parser = |input: ParseStream<'_>| {
                    list_of(input, place, &mut found, diagnostics);
                    Ok(())
                };
                if let Err(error) = parser.parse2(list.tokens.clone()) {
                    diagnostics.push(error);
                }
            }
            Meta::Path(_) | Meta::NameValue(_) => {
                diagnostics.error(attr, format_args!("write `#[audit(…)]`\n{}", attributes::list_at(place)));
            }
        }
    }
    found
}

/// What `#[serde(…)]` does to the JSON of other types, and what does it here.
const OF_SERDE: [(&str, &str); 8] = [
    ("rename", "rename"),
    ("rename_all", "rename_all"),
    ("flatten", "flatten"),
    ("skip", "skip"),
    ("skip_serializing", "skip"),
    ("skip_serializing_if", "skip_if"),
    ("serialize_with", "with"),
    ("with", "with"),
];

/// A `#[serde(…)]` that would change the JSON has no effect here, also where the type derives `Serialize` beside it. A field that
/// someone believes to be skipped must not be written, so each needs an attribute of its own. `decided`: whether the attributes
/// say what becomes of the value.
pub(crate) fn serde_attributes(
    attrs: &[syn::Attribute],
    place: Place,
    found: &Attributes,
    decided: &dyn Fn(&str) -> bool,
    diagnostics: &mut Diagnostics,
) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        let Meta::List(list) = &attr.meta else { continue };
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                let name = input.call(Ident::parse_any)?;
                let value = rest_of_item(input);
                let meant = OF_SERDE.iter().find(|(of_serde, _)| name == of_serde).map(|(_, meant)| *meant);
                // A variant's `rename` gives its name.
                let is_variant = matches!(place, Place::Variant | Place::ValueVariant);
                let meant = if is_variant && meant == Some("rename") { Some("name") } else { meant };
                if let Some(meant) = meant
                    && attributes::find(meant).is_some_and(|row| row.places.contains(&place))
                    && !found.meant(meant)
                    && !decided(meant)
                    // Events leave a `None` out.
                    && !value.to_string().replace(' ', "").ends_with("\"Option::is_none\"")
                {
                    let value = value.to_string();
                    let value = value.strip_prefix("= ").unwrap_or(&value);
                    let value = match &*name.to_string() {
                        "skip" | "skip_serializing" | "flatten" => String::new(),
                        // serde's `with` names a module.
                        "with" => format!(" = {}::serialize", value.trim_matches('"')),
                        _ if value.starts_with('"') => format!(" = {value}"),
                        _ => " = \"…\"".to_owned(),
                    };
                    let message = format!(
                        "audit events do not read `#[serde(…)]`: write `#[audit({meant}{value})]` for what `{name}` does"
                    );
                    diagnostics.error(&name, message);
                }
                let _: Option<Token![,]> = input.parse()?;
            }
            Ok(())
        };
        // What serde cannot read, serde reports.
        let _: syn::Result<()> = parser.parse2(list.tokens.clone());
    }
}

/// `a, b = "c", …`: a mistake in one does not hide those behind the next comma.
fn list_of(input: ParseStream<'_>, place: Place, found: &mut Attributes, diagnostics: &mut Diagnostics) {
    while !input.is_empty() {
        match one(input, place, found, &mut diagnostics.names) {
            Ok(given) => {
                if let Some(first) = found.get(given.attribute.name) {
                    let name = given.attribute.name;
                    let (first, second) = (first.name.clone(), &given.name);
                    diagnostics.error(first, format_args!("`{name}` stands here first"));
                    diagnostics
                        .error(second, format_args!("`{name}` stands here a second time; one of the two has to go"));
                } else {
                    found.given.push(given);
                }
            }
            Err(error) => {
                diagnostics.push(error);
                skip_to_comma(input);
            }
        }
        if input.is_empty() {
            break;
        }
        if let Err(error) = input.parse::<Token![,]>() {
            let rest = rest_of_item(input);
            diagnostics.push(if rest.is_empty() {
                error
            } else {
                syn::Error::new_spanned(rest, "a comma, or the end, is expected here")
            });
            let _: syn::Result<Option<Token![,]>> = input.parse();
        }
    }
}

/// One attribute, or why it is none.
fn one(
    input: ParseStream<'_>,
    place: Place,
    found: &mut Attributes,
    names: &mut Vec<(Place, Ident)>,
) -> syn::Result<Given> {
    let ahead = input.fork();
    let Ok(name) = input.call(Ident::parse_any) else {
        if let Ok(quoted) = input.fork().parse::<syn::LitStr>()
            && let Some(attribute) = attributes::find(&quoted.value())
        {
            found.miswritten.push(attribute.name);
            return Err(syn::Error::new_spanned(quoted, format_args!("write `{}` without quotes", attribute.name)));
        }
        let rest = rest_of_item(input);
        let message = format!("the name of an attribute is expected here\n{}", attributes::list_at(place));
        return Err(if rest.is_empty() { ahead.error(message) } else { syn::Error::new_spanned(rest, message) });
    };
    names.push((place, name.clone()));
    let written = name.unraw().to_string();
    let Some(attribute) = attributes::find(&written) else {
        let meant = suggest::nearest(&written, place);
        found.miswritten.extend(meant.map(|meant| meant.name));
        return Err(syn::Error::new_spanned(&name, unknown(&written, meant, place)));
    };
    if !attribute.places.contains(&place) {
        found.miswritten.push(attribute.name);
        let message = format!(
            "`{written}` is valid on {}, not on {}\n{}",
            attributes::places_of(attribute),
            place.name(),
            attributes::list_at(place)
        );
        return Err(syn::Error::new_spanned(&name, message));
    }
    match value::parse(input, attribute, &name) {
        Ok(value) => Ok(Given { attribute, name, value }),
        Err(error) => {
            found.miswritten.push(attribute.name);
            Err(error)
        }
    }
}

fn unknown(written: &str, meant: Option<&'static Attribute>, place: Place) -> String {
    let list = attributes::list_at(place);
    match meant {
        Some(meant) if meant.places.contains(&place) => {
            format!("unknown attribute `{written}`: did you mean `{}`?\n{list}", meant.name)
        }
        Some(meant) => format!(
            "unknown attribute `{written}`: `{}` is valid on {}, not on {}\n{list}",
            meant.name,
            attributes::places_of(meant),
            place.name()
        ),
        None => format!("unknown attribute `{written}`\n{list}"),
    }
}

fn skip_to_comma(input: ParseStream<'_>) {
    let _: TokenStream = rest_of_item(input);
}
