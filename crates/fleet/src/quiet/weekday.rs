//! Days of the week in their written form.

use jiff::civil::Weekday;

const DAYS: [(&str, &str, Weekday); 7] = [
    ("mon", "Monday", Weekday::Monday),
    ("tue", "Tuesday", Weekday::Tuesday),
    ("wed", "Wednesday", Weekday::Wednesday),
    ("thu", "Thursday", Weekday::Thursday),
    ("fri", "Friday", Weekday::Friday),
    ("sat", "Saturday", Weekday::Saturday),
    ("sun", "Sunday", Weekday::Sunday),
];

/// A text that is not a day of the week.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a day of the week: expected one of mon, tue, wed, thu, fri, sat, sun")]
pub struct InvalidWeekday(String);

/// Reads `sun`, in upper or lower case.
pub(super) fn parse(text: &str) -> Result<Weekday, InvalidWeekday> {
    let day = DAYS.iter().find(|(short, _, _)| short.eq_ignore_ascii_case(text));
    day.map(|(_, _, day)| *day).ok_or_else(|| InvalidWeekday(text.to_owned()))
}

/// The short form: `sun`.
pub(super) fn short(day: Weekday) -> &'static str {
    DAYS[usize::from(day.to_monday_zero_offset().unsigned_abs())].0
}

/// The long form: `Sunday`.
pub(super) fn long(day: Weekday) -> &'static str {
    DAYS[usize::from(day.to_monday_zero_offset().unsigned_abs())].1
}
