//! Why a string is not JSON, as Jackson, the service's parser, reports it.
//!
//! Recorded executions show its messages for an unknown word, a field name without quotes, and an end of input after a
//! complete value. For any other error the message is that of serde_json.

use serde_json::Error;

/// The parser's message, with the location of the error.
pub(super) fn message(text: &str, error: &Error) -> String {
    let serde_message = error.to_string();
    // serde_json counts columns in bytes, and reports an end of input at the last byte.
    let lines_before = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let at = match error.is_eof() {
        true => text.len(),
        false => text.floor_char_boundary((lines_before + error.column()).saturating_sub(1)),
    };
    let (before, rest) = text.split_at(at);
    let state = State::after(before);
    let word_starts = before.trim_end_matches(is_word_char).len();
    let word_ends = at + rest.find(|c| !is_word_char(c)).unwrap_or(rest.len());
    let (_, from_word) = text.split_at(word_starts);
    let (word, _) = from_word.split_at(word_ends - word_starts);
    let value_expected = ["expected value", "expected ident", "EOF while parsing a value", "trailing characters"];
    if !state.in_string
        && value_expected.iter().any(|start| serde_message.starts_with(start))
        && word.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '$'))
    {
        return format!(
            "Unrecognized token '{word}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or \
             'false')\n at {}",
            location(text, word_ends)
        );
    }
    match (state.open.last(), rest.chars().next()) {
        (Some(container), None) if error.is_eof() && state.has_whole_value => format!(
            "Unexpected end-of-input: expected close marker for {} (start marker at {})\n at {}",
            container.kind,
            location(text, container.start),
            location(text, at)
        ),
        (_, Some(c)) if serde_message.starts_with("key must be a string") => format!(
            "Unexpected character ('{c}' (code {})): was expecting double-quote to start field name\n at {}",
            u32::from(c),
            location(text, at)
        ),
        _ => format!("{serde_message}\n at {}", location(text, at)),
    }
}

/// The state of a parser after a part of the text.
#[derive(Default)]
struct State {
    /// The containers that are not closed yet, the outermost first.
    open: Vec<Container>,
    in_string: bool,
    /// Whether the part ends after a value, or at the start of the innermost container.
    has_whole_value: bool,
}

struct Container {
    /// Jackson's name for it.
    kind: &'static str,
    start: usize,
    /// Whether a value comes next, as opposed to a field name.
    expects_value: bool,
}

impl State {
    fn after(text: &str) -> State {
        let (mut state, mut escaped) = (State::default(), false);
        for (at, c) in text.char_indices() {
            if state.in_string {
                state.in_string = escaped || c != '"';
                escaped = !escaped && c == '\\';
                state.has_whole_value = !state.in_string && state.open.last().is_none_or(|open| open.expects_value);
                continue;
            }
            match c {
                '"' => state.in_string = true,
                '{' => state.open.push(Container { kind: "Object", start: at, expects_value: false }),
                '[' => state.open.push(Container { kind: "Array", start: at, expects_value: true }),
                '}' | ']' => drop(state.open.pop()),
                ':' | ',' => {
                    if let Some(open) = state.open.last_mut() {
                        open.expects_value = c == ':' || open.kind == "Array";
                    }
                }
                c if c.is_whitespace() => continue,
                _ => {}
            }
            state.has_whole_value = !state.in_string && !matches!(c, ':' | ',');
        }
        state
    }
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// The line and column of a byte of the text, in Jackson's format.
fn location(text: &str, at: usize) -> String {
    let (before, _) = text.split_at(at);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!(
        "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}, column: {column}]"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message_for(text: &str) -> String {
        message(text, &serde_json::from_str::<serde_json::Value>(text).unwrap_err())
    }

    #[test]
    fn only_recorded_errors_have_jacksons_messages() {
        for (text, word) in
            [("undefined", "undefined"), ("nul", "nul"), ("[tru", "tru"), ("truex", "truex"), ("[1, b]", "b")]
        {
            assert!(message_for(text).starts_with(&format!("Unrecognized token '{word}': ")), "{text}");
        }
        for (text, kind) in
            [(r#"{"a":1"#, "Object"), (r#"[{"a":"}"}"#, "Array"), (r#"{"a":["#, "Array"), ("[1 ", "Array")]
        {
            let found = message_for(text);
            assert!(
                found.starts_with(&format!("Unexpected end-of-input: expected close marker for {kind}")),
                "{found}"
            );
        }
        for text in
            ["[1 null]", r#"{"a" b}"#, r#"{"a":"b"#, r#"{"a""#, r#"{"a":1,"#, "[1,", r#"{"a":"#, r#""tru"#, "[1}", "-"]
        {
            let found = message_for(text);
            assert!(!found.starts_with("Un"), "{text}: {found}");
        }
        assert!(message_for("{\n ü: 1}").ends_with("line: 2, column: 2]"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{}:,\"\\\\a-z0-9 \\n\\rüß€-]{0,12}") {
            if let Err(error) = serde_json::from_str::<serde_json::Value>(&text) {
                let _ = message(&text, &error);
            }
        }
    }
}
