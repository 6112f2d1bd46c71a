//! From text to [`Path`].

use std::str::Chars;

use super::query::Query;
use super::{Path, Root, Step};

pub(super) fn parse(text: &str) -> Result<Path, String> {
    let after_dollar =
        text.strip_prefix('$').ok_or_else(|| format!("'{text}' is not a path: it must start with '$'"))?;
    let (root, segments) = root(after_dollar);
    let without_length = segments.strip_suffix(".length()");
    let (segments, length) = (without_length.unwrap_or(segments), without_length.is_some());
    let mut reader = Reader { text, left: segments };
    let mut steps = Vec::new();
    let mut rest = Vec::new();
    while let Some(segment) = reader.next()? {
        match segment {
            Segment::Plain(step) if rest.is_empty() => steps.push(step),
            Segment::Plain(step) => rest.push(written(&step)),
            Segment::Query(query) => rest.push(query),
        }
    }
    let rest = match rest.is_empty() {
        true => None,
        false => {
            let before: String = steps.iter().map(written).collect();
            Some(Query::parse(&before, &rest).map_err(|error| format!("'{text}' is not a valid path: {error}"))?)
        }
    };
    if length && rest.is_some() {
        return Err(format!("'{text}' is not a valid path: a length is that of one place"));
    }
    Ok(Path { text: text.to_owned(), root, steps, rest, length })
}

fn root(after_dollar: &str) -> (Root, &str) {
    if let Some(segments) = after_dollar.strip_prefix('$') {
        return (Root::Context, segments);
    }
    let name_ends = after_dollar.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(after_dollar.len());
    match after_dollar.split_at(name_ends) {
        (name, segments) if name.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
            (Root::Variable(name.to_owned()), segments)
        }
        _ => (Root::Data, after_dollar),
    }
}

/// One segment of a path.
enum Segment {
    Plain(Step),
    /// Anything else, in the form that `serde_json_path` reads.
    Query(String),
}

struct Reader<'t> {
    text: &'t str,
    left: &'t str,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Option<Segment>, String> {
        if self.left.is_empty() {
            return Ok(None);
        }
        if let Some(left) = self.left.strip_prefix("..") {
            self.left = left;
            return self.deep_scan().map(Some);
        }
        if let Some(left) = self.left.strip_prefix('.') {
            self.left = left;
            if let Some(left) = self.left.strip_prefix('*') {
                self.left = left;
                return Ok(Some(Segment::Query("[*]".to_owned())));
            }
            // The documentation's own example has a dot before a bracket.
            if self.left.starts_with('[') {
                return self.brackets().map(Some);
            }
            return self.name().map(|name| Some(Segment::Plain(Step::Name(name))));
        }
        if self.left.starts_with('[') {
            return self.brackets().map(Some);
        }
        Err(self.wrong(&format!("unexpected '{}'", self.left)))
    }

    /// What follows `..`: a name, `*` or brackets.
    fn deep_scan(&mut self) -> Result<Segment, String> {
        if let Some(left) = self.left.strip_prefix('*') {
            self.left = left;
            return Ok(Segment::Query("..*".to_owned()));
        }
        let inside = if self.left.starts_with('[') {
            match self.brackets()? {
                Segment::Plain(step) => written(&step),
                Segment::Query(query) => query,
            }
        } else {
            bracket(&self.name()?)
        };
        Ok(Segment::Query(format!("..{inside}")))
    }

    /// A name after a dot. The service's library takes anything there up to the next dot or bracket but spaces and
    /// parentheses, hyphens included.
    fn name(&mut self) -> Result<String, String> {
        let end = self.left.find(['.', '[']).unwrap_or(self.left.len());
        let (name, left) = self.left.split_at(end);
        let odd =
            |c: char| c.is_whitespace() || matches!(c, '(' | ')' | ']' | ',' | '\'' | '"' | '*' | '?' | '@' | '$');
        if name.is_empty() || name.contains(odd) {
            return Err(self.wrong(&format!("'{name}' is no name")));
        }
        self.left = left;
        Ok(name.to_owned())
    }

    fn brackets(&mut self) -> Result<Segment, String> {
        let end = closing_bracket(self.left).ok_or_else(|| self.wrong("a bracket is not closed"))?;
        let (whole, left) = self.left.split_at(end);
        self.left = left;
        let inside = whole.get(1..whole.len().saturating_sub(1)).unwrap_or_default().trim();
        if let Ok(index) = inside.parse::<i64>() {
            return Ok(Segment::Plain(Step::Index(index)));
        }
        match quoted(inside) {
            Some(name) => Ok(Segment::Plain(Step::Name(name))),
            // The service's library answers an object with these fields, which no other library does.
            None if inside.starts_with(['\'', '"']) => Err(self.wrong("several names in brackets are not supported")),
            None => Ok(Segment::Query(format!("[{inside}]"))),
        }
    }

    fn wrong(&self, what: &str) -> String {
        format!("'{}' is not a valid path: {what}", self.text)
    }
}

/// The length of the text up to and with the bracket that closes the first one.
fn closing_bracket(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (_, '\\') => escaped = true,
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            (None, _) => {}
        }
    }
    None
}

/// The text within one pair of quotes, if that is all there is.
fn quoted(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inside = text.get(1..)?.strip_suffix(quote)?;
    let mut name = String::new();
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => name.push(unescaped(chars.next()?, &mut chars)?),
            // A second quoted name follows: a union, not a name.
            c if c == quote => return None,
            c => name.push(c),
        }
    }
    Some(name)
}

/// What an escape in quotes stands for. Any other character stands for itself.
fn unescaped(escape: char, chars: &mut Chars<'_>) -> Option<char> {
    Some(match escape {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let digits: String = chars.by_ref().take(4).collect();
            char::from_u32(u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4)?)?
        }
        itself => itself,
    })
}

/// A step in the form that `serde_json_path` reads.
fn written(step: &Step) -> String {
    match step {
        Step::Name(name) => bracket(name),
        Step::Index(index) => format!("[{index}]"),
    }
}

fn bracket(name: &str) -> String {
    format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))
}
