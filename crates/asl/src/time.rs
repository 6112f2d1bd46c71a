//! Timestamps in the format of the language: RFC 3339 with an upper-case `T`, and `Z` or an offset.

use jiff::Timestamp;

/// The instant of a timestamp. `None` if the text is not a timestamp.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    // jiff accepts more formats than the service: a space instead of the `T`, no seconds, a time zone in brackets.
    let (date, time) = text.split_once('T')?;
    let zone_starts = time.find(['Z', '+', '-'])?;
    let (clock, zone) = time.split_at(zone_starts);
    let (seconds, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let well_formed = shaped_like(date, "0000-00-00")
        && shaped_like(seconds, "00:00:00")
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && (zone == "Z" || shaped_like(zone, "+00:00") || shaped_like(zone, "-00:00"));
    match well_formed {
        true => text.parse().ok(),
        false => None,
    }
}

/// Whether a text has digits where the pattern has zeros, and equals the pattern elsewhere.
fn shaped_like(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(byte, like)| match like {
            b'0' => byte.is_ascii_digit(),
            like => byte == like,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_timestamps_parse() {
        for text in ["2016-03-14T01:59:00Z", "2016-03-14T01:59:00.123456789Z", "2016-03-14T01:59:00+02:00"] {
            assert!(parse(text).is_some(), "{text}");
        }
        let others = [
            "2016-03-14T01:59:00",
            "2016-03-14 01:59:00Z",
            "2016-03-14t01:59:00Z",
            "2016-03-14T01:59Z",
            "2016-03-14",
            "2016-13-14T01:59:00Z",
            "2016-03-14T01:59:00.Z",
            "2016-03-14T01:59:00+0200",
            "",
        ];
        for text in others {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_offset_does_not_change_the_instant() {
        assert_eq!(parse("2016-03-14T03:59:00+02:00"), parse("2016-03-14T01:59:00Z"));
    }
}
