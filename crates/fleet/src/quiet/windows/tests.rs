use super::*;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use proptest::prelude::*;

#[derive(Deserialize)]
struct Configured {
    windows: Windows,
}

fn windows(toml: &str) -> Windows {
    toml::from_str::<Configured>(&format!("windows = [{toml}]")).unwrap().windows
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const WEEKEND: &str = r#"{ days = ["sat", "sun"], from = "02:00", to = "05:00", time_zone = "Europe/Berlin" }"#;

#[test]
fn without_windows_a_run_may_start_at_any_time() {
    assert_eq!(Windows::default().permits(at("2026-11-25T12:00:00Z"), Span::minutes(600)), Ok(()));
}

#[test]
fn a_run_must_end_inside_a_window() {
    let weekend = windows(WEEKEND);
    let permits = |from: &str, minutes: u32| weekend.permits(at(from), Span::minutes(minutes));
    assert_eq!(permits("2026-11-28T01:00:00Z", 180), Ok(()), "from the opening to the close");
    assert_eq!(permits("2026-11-28T03:15:00Z", 45), Ok(()));
    let sunday = at("2026-11-29T01:00:00Z");
    let late = permits("2026-11-28T03:15:01Z", 45).unwrap_err();
    assert_eq!(late.next(), Some(sunday));
    assert_eq!(
        late.to_string(),
        "a run of 45m from 2026-11-28T03:15:01Z would end after its window closes at 2026-11-28T04:00:00Z: the next window that it fits into opens at 2026-11-29T01:00:00Z"
    );
    let closed = permits("2026-11-28T04:00:00Z", 45).unwrap_err();
    assert_eq!(
        closed,
        NotPermitted::Closed { at: at("2026-11-28T04:00:00Z"), length: Span::minutes(45), next: sunday }
    );
    let never = permits("2026-11-28T01:00:00Z", 181).unwrap_err();
    assert_eq!((never.next(), never.to_string().contains("the longest is open for 3h;")), (None, true), "{never}");
}

#[test]
fn a_week_in_which_a_window_does_not_open_is_skipped() {
    let hour = windows(r#"{ days = ["sun"], from = "02:00", to = "03:00", time_zone = "Europe/Berlin" }"#);
    let refused = hour.permits(at("2027-03-22T00:00:00Z"), Span::minutes(30)).unwrap_err();
    assert_eq!(refused.next(), Some(at("2027-04-04T00:00:00Z")));
}

#[test]
fn windows_that_touch_count_as_one() {
    let nights = windows(
        r#"{ days = ["sat"], from = "20:00", to = "24:00", time_zone = "UTC" },
           { days = ["sun"], from = "00:00", to = "02:00", time_zone = "UTC" }"#,
    );
    assert_eq!(nights.permits(at("2026-11-28T20:00:00Z"), Span::minutes(360)), Ok(()));
    assert!(nights.permits(at("2026-11-28T20:00:00Z"), Span::minutes(361)).is_err());
    let always = r#"{ days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], from = "00:00", to = "24:00", time_zone = "Europe/Berlin" }"#;
    assert_eq!(windows(always).permits(at("2026-10-20T12:34:56Z"), Span::minutes(60 * 24 * 60)), Ok(()));
}

/// Whether a local time is inside the window. `permits` must agree with this for each minute.
fn open(days: &[Weekday], from: i32, to: i32, local: &Zoned) -> bool {
    let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
    let (today, yesterday) = (local.weekday(), local.weekday().previous());
    if from < to {
        days.contains(&today) && (from..to).contains(&minute)
    } else {
        days.contains(&today) && minute >= from || days.contains(&yesterday) && minute < to
    }
}

proptest! {
    /// In a zone without summer time, `permits` agrees with the local time. A run may start at the next start that `permits`
    /// returns, and at no earlier minute.
    #[test]
    fn permits_agrees_with_the_local_time(
        days in proptest::sample::subsequence(vec!["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 1..4),
        from in 0..1440_i32, to in 0..1440_i32, start in 0..10_080_i64, length in 1..200_u32,
    ) {
        prop_assume!(from != to);
        let named: Vec<_> = days.iter().map(|day| format!("\"{day}\"")).collect();
        let clock = |minute: i32| format!("{:02}:{:02}", minute / 60, minute % 60);
        let windows = windows(&format!(
            "{{ days = [{}], from = \"{}\", to = \"{}\", time_zone = \"Asia/Kolkata\" }}",
            named.join(", "), clock(from), clock(to),
        ));
        let days: Vec<_> = days.iter().map(|day| super::super::weekday::parse(day).unwrap()).collect();
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let is_open = |at: Timestamp| open(&days, from, to, &at.to_zoned(zone.clone()));
        let start = at("2026-11-02T00:00:00Z") + start.minutes();
        let whole = |start: Timestamp| (0..i64::from(length)).all(|minute| is_open(start + minute.minutes()));
        match windows.permits(start, Span::minutes(length)) {
            Ok(()) => prop_assert!(whole(start)),
            Err(refused) => {
                prop_assert!(!whole(start));
                if let Some(next) = refused.next() {
                    prop_assert_eq!(windows.permits(next, Span::minutes(length)), Ok(()));
                    let mut before = start;
                    while before < next {
                        prop_assert!(!whole(before), "{} is before {}", before, next);
                        before += 7.minutes();
                    }
                }
            }
        }
    }
}
