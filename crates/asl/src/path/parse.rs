//! Parses a [`Path`].

use std::str::Chars;

use super::query::Query;
use super::{InvalidPath, Path, PathDefect, Root, Step};

pub(super) fn parse(text: &str) -> Result<Path, InvalidPath> {
    let after_dollar = text.strip_prefix('$').ok_or_else(|| InvalidPath::NoDollar(text.to_owned()))?;
    parse_after_dollar(text, after_dollar).map_err(|defect| InvalidPath::Malformed { text: text.to_owned(), defect })
}

fn parse_after_dollar(text: &str, after_dollar: &str) -> Result<Path, PathDefect> {
    let (root, segments) = root(after_dollar);
    let without_length = segments.strip_suffix(".length()");
    let (segments, length) = (without_length.unwrap_or(segments), without_length.is_some());
    let mut reader = Reader { rest: segments };
    let mut steps = Vec::new();
    let mut rest = Vec::new();
    while let Some(segment) = reader.next()? {
        match segment {
            Segment::Plain(step) if rest.is_empty() => steps.push(step),
            Segment::Plain(step) => rest.push(in_brackets(&step)),
            Segment::Query(query) => rest.push(query),
        }
    }
    let rest = match rest.is_empty() {
        true => None,
        false => {
            let before: String = steps.iter().map(in_brackets).collect();
            Some(Query::parse(&before, &rest)?)
        }
    };
    if length && rest.is_some() {
        return Err(PathDefect::LengthOfIndefinite);
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
    /// Any other segment, in the syntax of `serde_json_path`.
    Query(String),
}

struct Reader<'t> {
    /// The text that is not parsed yet.
    rest: &'t str,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Option<Segment>, PathDefect> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        if let Some(rest) = self.rest.strip_prefix("..") {
            self.rest = rest;
            return self.deep_scan().map(Some);
        }
        if let Some(rest) = self.rest.strip_prefix('.') {
            self.rest = rest;
            if let Some(rest) = self.rest.strip_prefix('*') {
                self.rest = rest;
                return Ok(Some(Segment::Query("[*]".to_owned())));
            }
            // An example in the documentation has a dot before a bracket.
            if self.rest.starts_with('[') {
                return self.brackets().map(Some);
            }
            return self.name().map(|name| Some(Segment::Plain(Step::Name(name))));
        }
        if self.rest.starts_with('[') {
            return self.brackets().map(Some);
        }
        Err(PathDefect::Unexpected(self.rest.to_owned()))
    }

    /// The part after `..`: a name, `*` or brackets.
    fn deep_scan(&mut self) -> Result<Segment, PathDefect> {
        if let Some(rest) = self.rest.strip_prefix('*') {
            self.rest = rest;
            return Ok(Segment::Query("..*".to_owned()));
        }
        let inside = if self.rest.starts_with('[') {
            match self.brackets()? {
                Segment::Plain(step) => in_brackets(&step),
                Segment::Query(query) => query,
            }
        } else {
            bracket(&self.name()?)
        };
        Ok(Segment::Query(format!("..{inside}")))
    }

    /// A name after a dot. The service's library accepts everything up to the next dot or bracket, hyphens included, but no
    /// spaces or parentheses.
    fn name(&mut self) -> Result<String, PathDefect> {
        let end = self.rest.find(['.', '[']).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        let not_allowed =
            |c: char| c.is_whitespace() || matches!(c, '(' | ')' | ']' | ',' | '\'' | '"' | '*' | '?' | '@' | '$');
        if name.is_empty() || name.contains(not_allowed) {
            return Err(PathDefect::NotAName(name.to_owned()));
        }
        self.rest = rest;
        Ok(name.to_owned())
    }

    fn brackets(&mut self) -> Result<Segment, PathDefect> {
        let end = closing_bracket(self.rest).ok_or(PathDefect::UnclosedBracket)?;
        let (whole, rest) = self.rest.split_at(end);
        self.rest = rest;
        let inside = whole.get(1..whole.len().saturating_sub(1)).unwrap_or_default().trim();
        if let Ok(index) = inside.parse::<i64>() {
            return Ok(Segment::Plain(Step::Index(index)));
        }
        match quoted(inside) {
            Some(name) => Ok(Segment::Plain(Step::Name(name))),
            // The service's library gives an object with these fields. No other library does.
            None if inside.starts_with(['\'', '"']) => Err(PathDefect::SeveralNames),
            None => Ok(Segment::Query(format!("[{inside}]"))),
        }
    }
}

/// The length of the text up to the bracket that closes the first one, including it.
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

/// The string, if the text is one quoted string.
fn quoted(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inside = text.get(1..)?.strip_suffix(quote)?;
    let mut name = String::new();
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => name.push(unescaped(chars.next()?, &mut chars)?),
            // The text is a union of several quoted names.
            c if c == quote => return None,
            c => name.push(c),
        }
    }
    Some(name)
}

/// The character that an escape sequence in quotes gives. After a backslash, any other character gives itself.
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

/// A step in the syntax of `serde_json_path`.
fn in_brackets(step: &Step) -> String {
    match step {
        Step::Name(name) => bracket(name),
        Step::Index(index) => format!("[{index}]"),
    }
}

fn bracket(name: &str) -> String {
    format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))
}
