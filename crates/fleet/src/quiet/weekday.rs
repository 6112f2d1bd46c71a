//! Days of the week as people write them.

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

/// Reads `sun`; capitals are taken as well.
pub(super) fn parse(text: &str) -> Result<Weekday, String> {
    let day = DAYS.iter().find(|(short, _, _)| short.eq_ignore_ascii_case(text));
    day.map(|(_, _, day)| *day)
        .ok_or_else(|| format!("'{text}' is not a day of the week: expected one of mon, tue, wed, thu, fri, sat, sun"))
}

/// `sun`.
pub(super) fn short(day: Weekday) -> &'static str {
    DAYS[usize::from(day.to_monday_zero_offset().unsigned_abs())].0
}

/// `Sunday`.
pub(super) fn long(day: Weekday) -> &'static str {
    DAYS[usize::from(day.to_monday_zero_offset().unsigned_abs())].1
}
