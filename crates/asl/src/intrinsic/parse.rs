//! From text to calls.

use serde_json::Value;

use super::{Argument, Call, FUNCTIONS, Function};
use crate::path::Path;

/// Calls within calls that the service takes.
const NESTING_MAX: usize = 10;

pub(super) fn parse(text: &str) -> Result<Call, String> {
    let mut reader = Reader { left: text };
    let call = reader.call(1)?;
    match reader.left.trim().is_empty() {
        true => Ok(call),
        false => Err(format!("unexpected '{}' after the function call", reader.left.trim())),
    }
}

struct Reader<'t> {
    left: &'t str,
}

impl Reader<'_> {
    fn call(&mut self, depth: usize) -> Result<Call, String> {
        if depth > NESTING_MAX {
            return Err(format!("more than {NESTING_MAX} function calls within each other"));
        }
        let name_ends = self.left.find('(').ok_or_else(|| format!("'{}' is no function call", self.left))?;
        let (name, left) = self.left.split_at(name_ends);
        self.left = left.get(1..).unwrap_or_default();
        let name = name.trim();
        let (name, function) = FUNCTIONS
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| format!("there is no function '{name}'"))?;
        Ok(Call { name, function: *function, arguments: self.arguments(*function, depth)? })
    }

    /// Up to and with the closing parenthesis.
    fn arguments(&mut self, function: Function, depth: usize) -> Result<Vec<Argument>, String> {
        let mut arguments = Vec::new();
        self.skip_spaces();
        if self.take(')') {
            return Ok(arguments);
        }
        loop {
            self.skip_spaces();
            let is_format = function == Function::Format && arguments.is_empty();
            arguments.push(self.argument(is_format, depth)?);
            self.skip_spaces();
            if self.take(')') {
                return Ok(arguments);
            }
            if !self.take(',') {
                return Err("a ',' or ')' is missing between arguments".to_owned());
            }
        }
    }

    fn argument(&mut self, is_format: bool, depth: usize) -> Result<Argument, String> {
        if self.take('\'') {
            return self.quoted(is_format).map(Argument::Literal);
        }
        if self.left.starts_with("States.") {
            return self.call(depth + 1).map(Argument::Call);
        }
        let (word, left) = self.left.split_at(argument_ends(self.left));
        self.left = left;
        let word = word.trim();
        if word.starts_with('$') {
            return Path::parse(word).map(Argument::Path);
        }
        match serde_json::from_str(word) {
            Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Null)) => Ok(Argument::Literal(value)),
            _ => Err(format!(
                "'{word}' is no argument: expected a path, a function, a number or a text in single quotes"
            )),
        }
    }

    /// The rest of a quoted text. A format keeps its escapes but for quotes, for `States.Format` to tell braces apart.
    fn quoted(&mut self, is_format: bool) -> Result<Value, String> {
        let mut text = String::new();
        let mut chars = self.left.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\'' => {
                    self.left = self.left.get(at + 1..).unwrap_or_default();
                    return Ok(Value::String(text));
                }
                '\\' => match chars.next() {
                    Some((_, '\'')) => text.push('\''),
                    Some((_, c @ ('{' | '}' | '\\'))) if !is_format => text.push(c),
                    Some((_, c @ ('{' | '}' | '\\'))) => text.extend(['\\', c]),
                    Some((_, c)) => return Err(format!("'\\{c}' is no escape: a text has \\', \\{{, \\}} and \\\\")),
                    None => break,
                },
                c => text.push(c),
            }
        }
        Err("a text is not closed with a single quote".to_owned())
    }

    fn skip_spaces(&mut self) {
        self.left = self.left.trim_start();
    }

    fn take(&mut self, wanted: char) -> bool {
        match self.left.strip_prefix(wanted) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

/// Where a path or a number ends: at the first comma or closing parenthesis that is not within others.
fn argument_ends(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') if depth > 0 => quote = Some(c),
            (None, '[' | '(') => depth += 1,
            (None, ',' | ')') if depth == 0 => return at,
            (None, ']' | ')') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
    }
    text.len()
}
