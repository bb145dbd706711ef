//! One table of a TOML file, read key by key: whatever is wrong is noted with its place, and reading goes on.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};

use audit_core::EventTime;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::settings::Mistake;

/// The mistakes found so far, and the text that gives their lines.
pub(super) struct Mistakes<'t> {
    text: &'t str,
    found: Vec<(usize, String)>,
}

impl<'t> Mistakes<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new() }
    }

    /// Notes a mistake at a byte of the text.
    pub(super) fn note(&mut self, at: usize, message: impl Into<String>) {
        self.found.push((at, message.into()));
    }

    /// All of them in the order of the text.
    pub(super) fn into_sorted(mut self) -> Vec<Mistake> {
        self.found.sort_by_key(|(at, _)| *at);
        self.found
            .into_iter()
            .map(|(at, message)| {
                let before = self.text.get(..at).unwrap_or(self.text);
                let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
                Mistake {
                    line: before.matches('\n').count() + 1,
                    column: before[line_start..].chars().count() + 1,
                    message,
                }
            })
            .collect()
    }
}

/// A value and the bytes of the text where it stands.
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) at: usize,
}

/// A table being read.
pub(super) struct Section<'d, 'i> {
    name: String,
    table: &'d DeTable<'i>,
    span: Range<usize>,
    asked: Vec<&'static str>,
}

impl<'d, 'i> Section<'d, 'i> {
    pub(super) fn new(name: impl Into<String>, table: &'d DeTable<'i>, span: Range<usize>) -> Self {
        Self { name: name.into(), table, span, asked: Vec::new() }
    }

    /// Where the table begins.
    pub(super) fn at(&self) -> usize {
        self.span.start
    }

    fn value(&mut self, key: &'static str) -> Option<&'d Spanned<DeValue<'i>>> {
        self.asked.push(key);
        self.table.get(key)
    }

    fn wrong_type(&self, mistakes: &mut Mistakes<'_>, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        // The value itself is not shown: it may be a secret.
        let found = value.get_ref().type_str();
        mistakes.note(value.span().start, format!("`{key}` of {} must be {wanted}; it is of type {found}", self.name));
    }

    /// A string, if it is there.
    pub(super) fn string(&mut self, mistakes: &mut Mistakes<'_>, key: &'static str) -> Option<At<&'d str>> {
        let value = self.value(key)?;
        if let DeValue::String(text) = value.get_ref() {
            return Some(At { value: text, at: value.span().start });
        }
        self.wrong_type(mistakes, key, value, "a string");
        None
    }

    /// A string that must be there.
    pub(super) fn required_string(&mut self, mistakes: &mut Mistakes<'_>, key: &'static str) -> Option<At<&'d str>> {
        if !self.table.contains_key(key) {
            self.asked.push(key);
            mistakes.note(self.at(), format!("{} needs `{key}`", self.name));
            return None;
        }
        self.string(mistakes, key)
    }

    /// A string that stands for something.
    pub(super) fn parsed<T>(&mut self, mistakes: &mut Mistakes<'_>, key: &'static str) -> Option<At<T>>
    where
        T: std::str::FromStr<Err: Display>,
    {
        let text = self.string(mistakes, key)?;
        convert(mistakes, key, &text)
    }

    /// A string that must be there and stands for something.
    pub(super) fn required_parsed<T>(&mut self, mistakes: &mut Mistakes<'_>, key: &'static str) -> Option<At<T>>
    where
        T: std::str::FromStr<Err: Display>,
    {
        let text = self.required_string(mistakes, key)?;
        convert(mistakes, key, &text)
    }

    /// A time, as a string or as TOML's own date-time.
    pub(super) fn time(&mut self, mistakes: &mut Mistakes<'_>, key: &'static str) -> Option<EventTime> {
        if let Some(value) = self.table.get(key)
            && let DeValue::Datetime(time) = value.get_ref()
        {
            self.asked.push(key);
            let text = time.to_string();
            return convert(mistakes, key, &At { value: &*text, at: value.span().start }).map(|time| time.value);
        }
        self.parsed(mistakes, key).map(|time| time.value)
    }

    /// One of a few words.
    pub(super) fn one_of<T: Copy>(
        &mut self,
        mistakes: &mut Mistakes<'_>,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let text = self.string(mistakes, key)?;
        let found = words.iter().find(|(word, _)| *word == text.value).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let words: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            mistakes.note(text.at, format!("`{key}` of {} must be one of {}", self.name, words.join(", ")));
        }
        found
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, mistakes: &mut Mistakes<'_>, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        if let DeValue::Boolean(boolean) = value.get_ref() {
            return Some(*boolean);
        }
        self.wrong_type(mistakes, key, value, "true or false");
        None
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &mut self,
        mistakes: &mut Mistakes<'_>,
        key: &'static str,
        bounds: RangeInclusive<u32>,
    ) -> Option<u32> {
        let value = self.value(key)?;
        let DeValue::Integer(integer) = value.get_ref() else {
            self.wrong_type(mistakes, key, value, "a whole number");
            return None;
        };
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.and_then(|number| u32::try_from(number).ok()).filter(|number| bounds.contains(number));
        if number.is_none() {
            let (least, most) = (bounds.start(), bounds.end());
            mistakes.note(value.span().start, format!("`{key}` of {} must be {least} to {most}", self.name));
        }
        number
    }

    /// A list of strings.
    pub(super) fn strings(&mut self, mistakes: &mut Mistakes<'_>, key: &'static str) -> Option<At<Vec<At<&'d str>>>> {
        let value = self.value(key)?;
        let DeValue::Array(elements) = value.get_ref() else {
            self.wrong_type(mistakes, key, value, "a list of strings");
            return None;
        };
        let mut strings = Vec::with_capacity(elements.len());
        for element in elements {
            match element.get_ref() {
                DeValue::String(text) => strings.push(At { value: &**text, at: element.span().start }),
                _ => self.wrong_type(mistakes, key, element, "a list of strings"),
            }
        }
        Some(At { value: strings, at: value.span().start })
    }

    /// A table of this table.
    pub(super) fn section(&mut self, mistakes: &mut Mistakes<'_>, key: &'static str) -> Option<Section<'d, 'i>> {
        let value = self.value(key)?;
        if let DeValue::Table(table) = value.get_ref() {
            return Some(Section::new(format!("[{key}]"), table, value.span()));
        }
        self.wrong_type(mistakes, key, value, "a table");
        None
    }

    /// A list of tables.
    pub(super) fn sections(
        &mut self,
        mistakes: &mut Mistakes<'_>,
        key: &'static str,
        header: &str,
    ) -> Vec<Section<'d, 'i>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Array(elements) = value.get_ref() else {
            self.wrong_type(mistakes, key, value, &format!("a list of tables: write [[{header}]]"));
            return Vec::new();
        };
        let mut sections = Vec::with_capacity(elements.len());
        for element in elements {
            match element.get_ref() {
                DeValue::Table(table) => sections.push(Section::new(format!("[[{header}]]"), table, element.span())),
                _ => self.wrong_type(mistakes, key, element, &format!("a list of tables: write [[{header}]]")),
            }
        }
        sections
    }

    /// Notes every unknown key.
    pub(super) fn finish(self, mistakes: &mut Mistakes<'_>) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if self.asked.contains(&name) {
                continue;
            }
            let near = self.asked.iter().map(|known| (strsim::osa_distance(known, name), *known)).min();
            let advice = match near {
                Some((distance, known)) if distance <= 2 => format!("did you mean `{known}`?"),
                _ => format!("it may hold {}", self.asked.join(", ")),
            };
            let shown = audit_core::shown(name);
            mistakes.note(key.span().start, format!("{} has no key `{shown}`; {advice}", self.name));
        }
    }
}

fn convert<T>(mistakes: &mut Mistakes<'_>, key: &str, text: &At<&str>) -> Option<At<T>>
where
    T: std::str::FromStr<Err: Display>,
{
    match text.value.parse() {
        Ok(value) => Some(At { value, at: text.at }),
        Err(error) => {
            mistakes.note(text.at, format!("`{key}`: {error}"));
            None
        }
    }
}
