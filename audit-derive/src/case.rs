//! serde's eight ways to turn a field's name into a key.

/// A rule of `rename_all`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

/// Each rule by the name that shows what it does.
pub(crate) const CASES: [(&str, Case); 8] = [
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
    ("PascalCase", Case::Pascal),
    ("camelCase", Case::Camel),
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
    ("SCREAMING-KEBAB-CASE", Case::ScreamingKebab),
];

impl Case {
    /// The rule of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        CASES.iter().find(|(known, _)| *known == name).map(|(_, case)| *case)
    }

    /// The key of a field: as serde makes it, but for names that begin with a letter outside ASCII, at which serde panics,
    /// and names of underscores alone, which serde would make empty.
    pub(crate) fn apply(self, field: &str) -> String {
        let key = match self {
            Self::Lower | Self::Snake => field.to_owned(),
            Self::Upper | Self::ScreamingSnake => field.to_ascii_uppercase(),
            Self::Pascal => pascal(field),
            Self::Camel => {
                let pascal = pascal(field);
                let mut letters = pascal.chars();
                letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
            }
            Self::Kebab => field.replace('_', "-"),
            Self::ScreamingKebab => field.to_ascii_uppercase().replace('_', "-"),
        };
        if key.is_empty() { field.to_owned() } else { key }
    }
}

fn pascal(field: &str) -> String {
    let mut key = String::with_capacity(field.len());
    let mut capital = true;
    for letter in field.chars() {
        if letter == '_' {
            capital = true;
        } else if capital {
            key.push(letter.to_ascii_uppercase());
            capital = false;
        } else {
            key.push(letter);
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_case_makes_the_key_that_serde_makes() {
        let expected = [
            "order_id_2",
            "ORDER_ID_2",
            "OrderId2",
            "orderId2",
            "order_id_2",
            "ORDER_ID_2",
            "order-id-2",
            "ORDER-ID-2",
        ];
        for ((_, case), key) in CASES.iter().zip(expected) {
            assert_eq!(case.apply("order_id_2"), key);
        }
    }

    #[test]
    fn names_outside_ascii_and_odd_underscores_are_kept_whole() {
        assert_eq!(Case::Camel.apply("größe_in_cm"), "größeInCm");
        assert_eq!(Case::Camel.apply("été_2"), "été2");
        assert_eq!(Case::Camel.apply("_private"), "private");
        assert_eq!(Case::Camel.apply("__"), "__");
        assert_eq!(Case::Pascal.apply("größe"), "Größe");
    }
}
