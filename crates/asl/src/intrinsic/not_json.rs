//! Why a text is not JSON, in the words of the service's parser, which is Jackson, as far as recorded executions show them.

use serde_json::Error;

/// What the parser says. Where its words are not known, they are those of serde_json.
pub(super) fn complaint(text: &str, error: &Error) -> String {
    // serde_json counts bytes, and the column of an end is that of the last byte.
    let lines_before = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let at = text.floor_char_boundary((lines_before + error.column()).saturating_sub(1));
    let (before, rest) = text.split_at(at);
    if error.is_eof() {
        return match open_containers(text).last() {
            Some((kind, start)) => format!(
                "Unexpected end-of-input: expected close marker for {kind} (start marker at {})\n at {}",
                location(text, *start),
                location(text, text.len())
            ),
            None => format!("{error}\n at {}", location(text, text.len())),
        };
    }
    let is_of_token = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    let token_starts = before.trim_end_matches(is_of_token).len();
    let token_length = text[token_starts..].find(|c| !is_of_token(c)).unwrap_or(text.len() - token_starts);
    let token = &text[token_starts..token_starts + token_length];
    match rest.chars().next() {
        Some(c) if error.to_string().starts_with("key must be a string") => format!(
            "Unexpected character ('{c}' (code {})): was expecting double-quote to start field name\n at {}",
            u32::from(c),
            location(text, at)
        ),
        _ if token.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && error.to_string().starts_with("expected") =>
        {
            format!(
                "Unrecognized token '{token}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or \
                 'false')\n at {}",
                location(text, token_starts + token_length)
            )
        }
        _ => format!("{error}\n at {}", location(text, at)),
    }
}

/// The objects and arrays that nothing closes, and where each starts.
fn open_containers(text: &str) -> Vec<(&'static str, usize)> {
    let (mut open, mut in_text, mut escaped) = (Vec::new(), false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            '{' if !in_text => open.push(("Object", at)),
            '[' if !in_text => open.push(("Array", at)),
            '}' | ']' if !in_text => drop(open.pop()),
            _ => {}
        }
    }
    open
}

/// The place of a byte of the text.
fn location(text: &str, at: usize) -> String {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!(
        "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}, column: {column}]"
    )
}
