//! Parses an intrinsic function call.

use serde_json::Value;

use super::{Argument, Call, FUNCTIONS, Function, InvalidCall};
use crate::path::Path;

/// The maximum depth of nested calls that the service accepts.
pub(super) const NESTING_MAX: usize = 10;

pub(super) fn parse(text: &str) -> Result<Call, InvalidCall> {
    let mut reader = Reader { rest: text };
    let call = reader.call(1)?;
    match reader.rest.trim().is_empty() {
        true => Ok(call),
        false => Err(InvalidCall::TextAfterCall(reader.rest.trim().to_owned())),
    }
}

struct Reader<'t> {
    /// The text that is not parsed yet.
    rest: &'t str,
}

impl Reader<'_> {
    fn call(&mut self, depth: usize) -> Result<Call, InvalidCall> {
        if depth > NESTING_MAX {
            return Err(InvalidCall::NestedTooDeep);
        }
        let name_ends = self.rest.find('(').ok_or_else(|| InvalidCall::NotACall(self.rest.to_owned()))?;
        let (name, rest) = self.rest.split_at(name_ends);
        self.rest = rest.get(1..).unwrap_or_default();
        let name = name.trim();
        let (name, function) = FUNCTIONS
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| InvalidCall::UnknownFunction(name.to_owned()))?;
        Ok(Call { name, function: *function, arguments: self.arguments(*function, depth)? })
    }

    /// The arguments up to the closing parenthesis, which is consumed too.
    fn arguments(&mut self, function: Function, depth: usize) -> Result<Vec<Argument>, InvalidCall> {
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
                return Err(InvalidCall::MissingSeparator);
            }
        }
    }

    fn argument(&mut self, is_format: bool, depth: usize) -> Result<Argument, InvalidCall> {
        if self.take('\'') {
            return self.quoted(is_format).map(Argument::Literal);
        }
        if self.rest.starts_with("States.") {
            return self.call(depth + 1).map(Argument::Call);
        }
        let (word, rest) = self.rest.split_at(argument_ends(self.rest));
        self.rest = rest;
        let word = word.trim();
        if word.starts_with('$') {
            return Ok(Argument::Path(Path::parse(word)?));
        }
        match serde_json::from_str(word) {
            Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Null)) => Ok(Argument::Literal(value)),
            _ => Err(InvalidCall::NotAnArgument(word.to_owned())),
        }
    }

    /// The rest of a quoted string. In the template of a `States.Format`, only escaped quotes are resolved: the function
    /// itself must distinguish escaped braces from placeholders.
    fn quoted(&mut self, is_format: bool) -> Result<Value, InvalidCall> {
        let mut text = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\'' => {
                    self.rest = self.rest.get(at + 1..).unwrap_or_default();
                    return Ok(Value::String(text));
                }
                '\\' => match chars.next() {
                    Some((_, '\'')) => text.push('\''),
                    Some((_, c @ ('{' | '}' | '\\'))) if !is_format => text.push(c),
                    Some((_, c @ ('{' | '}' | '\\'))) => text.extend(['\\', c]),
                    Some((_, c)) => return Err(InvalidCall::UnknownEscape(c)),
                    None => break,
                },
                c => text.push(c),
            }
        }
        Err(InvalidCall::UnclosedString)
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, expected: char) -> bool {
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

/// The end of a path or a number: the first comma or closing parenthesis outside brackets and parentheses.
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
