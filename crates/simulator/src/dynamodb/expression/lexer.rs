//! The lexer: text to tokens.

use super::super::invalid;
use crate::service::ServiceError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// An attribute, a keyword or a function.
    Word(String),
    /// `#name`
    Name(String),
    /// `:value`
    Value(String),
    Index(usize),
    /// `= <> < <= > >= ( ) , . [ ] + -`
    Sign(&'static str),
}

const SIGNS: [&str; 14] = ["<>", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "[", "]", "+", "-"];

pub(super) fn tokens(kind: &str, text: &str) -> Result<Vec<Token>, ServiceError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '#' | ':' => {
                let length = 1 + word_length(&rest[1..]);
                let placeholder = rest[..length].to_owned();
                (if first == '#' { Token::Name(placeholder) } else { Token::Value(placeholder) }, length)
            }
            '0'..='9' => {
                let length = rest.bytes().take_while(u8::is_ascii_digit).count();
                let index = rest[..length].parse().map_err(|_| syntax_error(kind, rest))?;
                (Token::Index(index), length)
            }
            first if first.is_ascii_alphabetic() || first == '_' => {
                let length = word_length(rest);
                (Token::Word(rest[..length].to_owned()), length)
            }
            _ => {
                let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
                let sign = sign.ok_or_else(|| syntax_error(kind, rest))?;
                (Token::Sign(sign), sign.len())
            }
        };
        if matches!(token, Token::Name(_) | Token::Value(_)) && length == 1 {
            return Err(syntax_error(kind, rest));
        }
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn word_length(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

pub(super) fn syntax_error(kind: &str, near: &str) -> ServiceError {
    let near: String = near.chars().take(20).collect();
    invalid(format!("Invalid {kind}: Syntax error; token: \"{near}\", near: \"{near}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_split_into_tokens() {
        let found = tokens("ConditionExpression", "#a.b[0]<>:v_1 AND(c<=:w)").unwrap();
        let expected = [
            Token::Name("#a".into()),
            Token::Sign("."),
            Token::Word("b".into()),
            Token::Sign("["),
            Token::Index(0),
            Token::Sign("]"),
            Token::Sign("<>"),
            Token::Value(":v_1".into()),
            Token::Word("AND".into()),
            Token::Sign("("),
            Token::Word("c".into()),
            Token::Sign("<="),
            Token::Value(":w".into()),
            Token::Sign(")"),
        ];
        assert_eq!(found, expected);
        assert!(tokens("ConditionExpression", "a = 'x'").is_err());
        assert!(tokens("ConditionExpression", "a = :").is_err());
    }
}
