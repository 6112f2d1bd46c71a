//! Why a text is not JSON, in the words of the service's parser, Jackson, as far as recorded executions show them: a word
//! that is no value, a name without quotes, and an end after a whole value. Anything else is told in serde_json's words.

use serde_json::Error;

/// What the parser says, and where.
pub(super) fn complaint(text: &str, error: &Error) -> String {
    let said = error.to_string();
    // serde_json counts bytes, and an end has the column of the last one.
    let lines_before = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let at = match error.is_eof() {
        true => text.len(),
        false => text.floor_char_boundary((lines_before + error.column()).saturating_sub(1)),
    };
    let (before, rest) = text.split_at(at);
    let state = State::after(before);
    let word_starts = before.trim_end_matches(is_of_word).len();
    let word_ends = at + rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
    let (_, from_word) = text.split_at(word_starts);
    let (word, _) = from_word.split_at(word_ends - word_starts);
    let value_wanted = ["expected value", "expected ident", "EOF while parsing a value", "trailing characters"];
    if !state.in_text
        && value_wanted.iter().any(|start| said.starts_with(start))
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
        (_, Some(c)) if said.starts_with("key must be a string") => format!(
            "Unexpected character ('{c}' (code {})): was expecting double-quote to start field name\n at {}",
            u32::from(c),
            location(text, at)
        ),
        _ => format!("{said}\n at {}", location(text, at)),
    }
}

/// What a part of a text has begun.
#[derive(Default)]
struct State {
    open: Vec<Container>,
    in_text: bool,
    /// Whether the last of what was read ends a value, or begins the innermost container.
    has_whole_value: bool,
}

struct Container {
    kind: &'static str,
    start: usize,
    /// Whether what comes next is a value, and not the name of a field.
    at_value: bool,
}

impl State {
    fn after(text: &str) -> State {
        let (mut state, mut escaped) = (State::default(), false);
        for (at, c) in text.char_indices() {
            if state.in_text {
                state.in_text = escaped || c != '"';
                escaped = !escaped && c == '\\';
                state.has_whole_value = !state.in_text && state.open.last().is_none_or(|open| open.at_value);
                continue;
            }
            match c {
                '"' => state.in_text = true,
                '{' => state.open.push(Container { kind: "Object", start: at, at_value: false }),
                '[' => state.open.push(Container { kind: "Array", start: at, at_value: true }),
                '}' | ']' => drop(state.open.pop()),
                ':' | ',' => {
                    if let Some(open) = state.open.last_mut() {
                        open.at_value = c == ':' || open.kind == "Array";
                    }
                }
                c if c.is_whitespace() => continue,
                _ => {}
            }
            state.has_whole_value = !state.in_text && !matches!(c, ':' | ',');
        }
        state
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// The place of a byte of the text.
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

    fn complaint_of(text: &str) -> String {
        complaint(text, &serde_json::from_str::<serde_json::Value>(text).unwrap_err())
    }

    #[test]
    fn what_is_recorded_is_told_as_recorded_and_nothing_else_is() {
        for (text, word) in
            [("undefined", "undefined"), ("nul", "nul"), ("[tru", "tru"), ("truex", "truex"), ("[1, b]", "b")]
        {
            assert!(complaint_of(text).starts_with(&format!("Unrecognized token '{word}': ")), "{text}");
        }
        for (text, kind) in
            [(r#"{"a":1"#, "Object"), (r#"[{"a":"}"}"#, "Array"), (r#"{"a":["#, "Array"), ("[1 ", "Array")]
        {
            let told = complaint_of(text);
            assert!(told.starts_with(&format!("Unexpected end-of-input: expected close marker for {kind}")), "{told}");
        }
        for text in
            ["[1 null]", r#"{"a" b}"#, r#"{"a":"b"#, r#"{"a""#, r#"{"a":1,"#, "[1,", r#"{"a":"#, r#""tru"#, "[1}", "-"]
        {
            let told = complaint_of(text);
            assert!(!told.starts_with("Un"), "{text}: {told}");
        }
        assert!(complaint_of("{\n ü: 1}").ends_with("line: 2, column: 2]"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(text in "[\\[\\]{}:,\"\\\\a-z0-9 \\n\\rüß€-]{0,12}") {
            if let Err(error) = serde_json::from_str::<serde_json::Value>(&text) {
                let _ = complaint(&text, &error);
            }
        }
    }
}
