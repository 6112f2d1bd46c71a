//! Lengths of time, as people read and type them.

use fleet::Span;

/// Reads a length of time from the command line, such as `90s` or `2h`.
///
/// # Errors
/// Says what form was expected.
pub(crate) fn parse_span(text: &str) -> Result<Span, String> {
    Span::try_from(text.to_owned()).map_err(|error| error.to_string())
}

/// A length in minutes and seconds, such as `3m 05s`.
pub(crate) fn length(seconds: f64) -> String {
    let whole = seconds.round().max(0.0) as u64;
    match (whole / 60, whole % 60) {
        (0, s) => format!("{s}s"),
        (m, s) => format!("{m}m {s:02}s"),
    }
}

/// The time since a start in hours, minutes and seconds, such as `00:03:05`.
pub(crate) fn clock(seconds: i64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
