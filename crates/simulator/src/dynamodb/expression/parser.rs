//! The parser: tokens to conditions and updates.

use super::super::invalid;
use super::Names;
use super::condition::{Comparison, Condition, Operand};
use super::lexer::{Token, syntax_error, tokens};
use super::path::{Path, Step};
use super::update::{Amount, Update};
use crate::service::{ServiceError, unsupported};

/// Reserved words, which an expression may not use as attribute names.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html>
const RESERVED: &str = include_str!("../reserved.txt");

/// Parses one expression by recursive descent. `OR` binds weakest, then `AND`, then `NOT`.
pub(super) struct Parser<'a> {
    kind: &'static str,
    tokens: std::vec::IntoIter<Token>,
    names: &'a mut Names,
}

impl<'a> Parser<'a> {
    pub(super) fn new(kind: &'static str, text: &str, names: &'a mut Names) -> Result<Parser<'a>, ServiceError> {
        let tokens = tokens(kind, text)?;
        if tokens.is_empty() {
            return Err(invalid(format!("Invalid {kind}: The expression can not be empty;")));
        }
        Ok(Parser { kind, tokens: tokens.into_iter(), names })
    }

    pub(super) fn condition(mut self) -> Result<Condition, ServiceError> {
        let condition = self.disjunction()?;
        self.end()?;
        Ok(condition)
    }

    fn disjunction(&mut self) -> Result<Condition, ServiceError> {
        let mut left = self.conjunction()?;
        while self.keyword("OR") {
            left = Condition::Or(Box::new(left), Box::new(self.conjunction()?));
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Condition, ServiceError> {
        let mut left = self.negation()?;
        while self.keyword("AND") {
            left = Condition::And(Box::new(left), Box::new(self.negation()?));
        }
        Ok(left)
    }

    fn negation(&mut self) -> Result<Condition, ServiceError> {
        if self.keyword("NOT") {
            return Ok(Condition::Not(Box::new(self.negation()?)));
        }
        if self.sign("(") {
            let inner = self.disjunction()?;
            self.expect(")")?;
            return Ok(inner);
        }
        match self.call() {
            Some(function) => self.function(&function),
            None => self.comparison(),
        }
    }

    fn function(&mut self, function: &str) -> Result<Condition, ServiceError> {
        let condition = match function {
            "attribute_exists" => Condition::Exists(self.path()?),
            "attribute_not_exists" => Condition::NotExists(self.path()?),
            "begins_with" => {
                let whole = self.operand()?;
                self.expect(",")?;
                Condition::BeginsWith(whole, self.operand()?)
            }
            other => return Err(unsupported(format_args!("the function {other} in a {}", self.kind))),
        };
        self.expect(")")?;
        Ok(condition)
    }

    fn comparison(&mut self) -> Result<Condition, ServiceError> {
        let left = self.operand()?;
        match self.tokens.next() {
            Some(Token::Sign(sign)) => {
                let comparison = Comparison::from_sign(sign).ok_or_else(|| syntax_error(self.kind, sign))?;
                Ok(Condition::Compare(left, comparison, self.operand()?))
            }
            Some(Token::Word(word)) => Err(unsupported(format_args!("{word} in a {}", self.kind))),
            _ => Err(syntax_error(self.kind, "<EOF>")),
        }
    }

    pub(super) fn update(mut self) -> Result<Update, ServiceError> {
        let mut update = Update::default();
        while let Some(token) = self.tokens.next() {
            let Token::Word(clause) = token else { return Err(syntax_error(self.kind, "a clause is expected")) };
            match clause.to_ascii_uppercase().as_str() {
                "SET" if update.sets.is_empty() => self.each(|parser| {
                    let path = parser.path()?;
                    parser.expect("=")?;
                    update.sets.push((path, parser.amount()?));
                    Ok(())
                })?,
                "REMOVE" if update.removes.is_empty() => self.each(|parser| {
                    update.removes.push(parser.path()?);
                    Ok(())
                })?,
                "SET" | "REMOVE" => {
                    return Err(invalid(format!(
                        "Invalid {}: The \"{clause}\" section can only be used once",
                        self.kind
                    )));
                }
                _ => return Err(unsupported(format_args!("{clause} in an {}", self.kind))),
            }
        }
        let paths: Vec<&Path> = update.sets.iter().map(|(path, _)| path).chain(&update.removes).collect();
        if paths.iter().enumerate().any(|(n, path)| paths[..n].iter().any(|other| overlap(path, other))) {
            return Err(invalid(format!("Invalid {}: Two document paths overlap with each other", self.kind)));
        }
        Ok(update)
    }

    fn each(&mut self, mut one: impl FnMut(&mut Self) -> Result<(), ServiceError>) -> Result<(), ServiceError> {
        one(self)?;
        while self.sign(",") {
            one(self)?;
        }
        Ok(())
    }

    fn amount(&mut self) -> Result<Amount, ServiceError> {
        let left = self.term()?;
        if self.sign("+") {
            return Ok(Amount::Sum(Box::new(left), Box::new(self.term()?)));
        }
        if self.sign("-") {
            return Ok(Amount::Difference(Box::new(left), Box::new(self.term()?)));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Amount, ServiceError> {
        let amount = match self.call().as_deref() {
            None => return Ok(Amount::Plain(self.operand()?)),
            Some("if_not_exists") => {
                let path = self.path()?;
                self.expect(",")?;
                Amount::IfNotExists(path, Box::new(self.term()?))
            }
            Some("list_append") => {
                let first = self.term()?;
                self.expect(",")?;
                Amount::ListAppend(Box::new(first), Box::new(self.term()?))
            }
            Some(other) => return Err(unsupported(format_args!("the function {other} in an {}", self.kind))),
        };
        self.expect(")")?;
        Ok(amount)
    }

    fn operand(&mut self) -> Result<Operand, ServiceError> {
        if let Some(Token::Value(placeholder)) = self.peek() {
            self.tokens.next();
            return Ok(Operand::Value(self.names.value(&placeholder)?));
        }
        self.path().map(Operand::Path)
    }

    fn path(&mut self) -> Result<Path, ServiceError> {
        let root = self.attribute()?;
        let mut steps = Vec::new();
        loop {
            if self.sign(".") {
                steps.push(Step::Member(self.attribute()?));
            } else if self.sign("[") {
                let Some(Token::Index(index)) = self.tokens.next() else { return Err(syntax_error(self.kind, "[")) };
                self.expect("]")?;
                steps.push(Step::Element(index));
            } else {
                return Ok(Path { root, steps });
            }
        }
    }

    fn attribute(&mut self) -> Result<String, ServiceError> {
        match self.tokens.next() {
            Some(Token::Name(placeholder)) => self.names.name(&placeholder),
            Some(Token::Word(word)) if reserved(&word) => Err(invalid(format!(
                "Invalid {}: Attribute name is a reserved keyword; reserved keyword: {word}",
                self.kind
            ))),
            Some(Token::Word(word)) => Ok(word),
            other => Err(syntax_error(self.kind, &format!("{other:?}"))),
        }
    }

    /// Consumes a word and an opening parenthesis if they come next, and returns the word.
    fn call(&mut self) -> Option<String> {
        let mut ahead = self.tokens.as_slice().iter();
        match (ahead.next(), ahead.next()) {
            (Some(Token::Word(word)), Some(Token::Sign("("))) => {
                let word = word.clone();
                self.tokens.nth(1);
                Some(word)
            }
            _ => None,
        }
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let next = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        if next {
            self.tokens.next();
        }
        next
    }

    fn sign(&mut self, sign: &str) -> bool {
        let next = matches!(self.peek(), Some(Token::Sign(found)) if found == sign);
        if next {
            self.tokens.next();
        }
        next
    }

    fn expect(&mut self, sign: &str) -> Result<(), ServiceError> {
        if self.sign(sign) { Ok(()) } else { Err(syntax_error(self.kind, sign)) }
    }

    fn end(&mut self) -> Result<(), ServiceError> {
        match self.tokens.next() {
            None => Ok(()),
            Some(token) => Err(syntax_error(self.kind, &format!("{token:?}"))),
        }
    }

    fn peek(&self) -> Option<Token> {
        self.tokens.as_slice().first().cloned()
    }
}

/// Whether the paths are equal or one leads to the other.
fn overlap(a: &Path, b: &Path) -> bool {
    a.root == b.root && a.steps.iter().zip(&b.steps).all(|(a, b)| a == b)
}

fn reserved(word: &str) -> bool {
    RESERVED.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests;
