//! Reads a trace from a CSV file with the columns `timestamp` and `value`.

use super::trace::{Row, Trace, TraceError};
use csv::{Position, ReaderBuilder, StringRecord, Trim};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

impl Trace {
    /// Reads a trace in CSV: a first row `timestamp,value`, then one row for each step, in order. A timestamp is the start of the
    /// step, as `YYYY-MM-DD HH:MM:SS` in UTC or in RFC 3339. A value is the step's count of requests.
    ///
    /// # Errors
    /// [`TraceError`] with row, column and what would be right.
    pub fn from_csv(text: &str) -> Result<Self, TraceError> {
        let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text.as_bytes());
        let columns = reader.headers().map_err(|error| malformed(text, &error))?;
        if columns != ["timestamp", "value"].as_slice() {
            let found = columns.iter().collect::<Vec<_>>().join(",");
            return Err(TraceError::Columns { found });
        }
        let rows = reader.records().map(|record| row(text, &record.map_err(|error| malformed(text, &error))?));
        Self::from_rows(&rows.collect::<Result<Vec<_>, _>>()?)
    }
}

/// The line on which a record begins. The reader's position is before empty lines that the reader has yet to skip.
fn line(text: &str, position: Option<&Position>) -> u64 {
    let Some(position) = position else { return 1 };
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let ahead = text.as_bytes().get(from..).unwrap_or_default().iter();
    let skipped = ahead.take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n').count();
    position.line() + skipped as u64
}

fn malformed(text: &str, error: &csv::Error) -> TraceError {
    let row = line(text, error.position());
    let problem = match error.kind() {
        csv::ErrorKind::UnequalLengths { len: 1, .. } => "1 field".to_owned(),
        csv::ErrorKind::UnequalLengths { len, .. } => format!("{len} fields"),
        _ => error.to_string(),
    };
    TraceError::Malformed { row, problem }
}

fn row(text: &str, record: &StringRecord) -> Result<Row, TraceError> {
    let row = line(text, record.position());
    let wrong = |column, problem| TraceError::Field { row, column, problem };
    let (at, value) = (&record[0], &record[1]);
    let at = instant(at).ok_or_else(|| {
        let right = "expected a time such as '2026-03-01 04:05:00', which is UTC, or '2026-03-01T04:05:00+01:00'";
        wrong(
            "timestamp",
            if at.is_empty() { format!("missing: {right}") } else { format!("'{at}' is not a time: {right}") },
        )
    })?;
    let requests = value.parse().map_err(|_| {
        let problem = match value.is_empty() {
            true => "missing: leave out the row if its count is unknown".to_owned(),
            false => format!("'{value}' is not a number: expected a count of requests"),
        };
        wrong("value", problem)
    })?;
    Ok(Row { row, at, requests })
}

fn instant(text: &str) -> Option<Timestamp> {
    let utc = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok().and_then(|utc| Offset::UTC.to_timestamp(utc).ok());
    utc.or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_timestamp_are_read() {
        let utc = Trace::from_csv("timestamp,value\n2026-03-01 00:00:00,1.5\n2026-03-01 00:05:00,2\n").unwrap();
        let offset = "timestamp,value\r\n2026-03-01T01:00:00+01:00,1.5\r\n\"2026-03-01T00:05:00Z\", 2\r\n";
        assert_eq!(Trace::from_csv(offset).unwrap(), utc);
        assert_eq!((utc.step_seconds(), utc.end()), (300, "2026-03-01T00:10:00Z".parse().unwrap()));
    }

    #[test]
    fn errors_name_row_and_column() {
        let check = |rows: &str, says: &str| {
            let error = Trace::from_csv(rows).unwrap_err().to_string();
            assert!(error.contains(says), "'{says}' is not in: {error}");
        };
        let after = |row: &str| format!("timestamp,value\n2026-03-01 00:00:00,1\n2026-03-01 00:05:00,1\n{row}\n");
        check("", "row 1: the columns are ''");
        check("time,count\n2026-03-01 00:00:00,1\n", "row 1: the columns are 'time,count': expected 'timestamp,value'");
        check("timestamp,value,host\n", "row 1: the columns are 'timestamp,value,host'");
        check("timestamp,value\n", "no rows");
        check("timestamp,value\n2026-03-01 00:00:00,1\n", "a single row");
        check(&after("2026-03-01 00:10:00"), "row 4: 1 field: expected two fields");
        check(&after("2026-03-01 00:10:00,1,2"), "row 4: 3 fields: expected two fields");
        check(&after("2026-03-01 00:10:00,"), "row 4, value: missing");
        check(&after(",1"), "row 4, timestamp: missing");
        check(&after("2026-03-01 00:10:00,many"), "row 4, value: 'many' is not a number");
        check(&after("2026-03-01 00:10:00,-1"), "row 4, value: -1 is not a count");
        check(&after("2026-03-01 00:10:00,inf"), "row 4, value: inf is not a count");
        check(&after("2026-03-01T00:10:00,1"), "row 4, timestamp: '2026-03-01T00:10:00' is not a time");
        check(&after("2026-02-30 00:10:00,1"), "row 4, timestamp: '2026-02-30 00:10:00' is not a time");
        check(&after("2026-03-01 00:05:00,1"), "row 4, timestamp: 2026-03-01T00:05:00Z is the time of row 3 as well");
        check(&after("2026-02-28 00:05:00,1"), "row 4, timestamp: 2026-02-28T00:05:00Z is before 2026-03-01T00:05:00Z");
        let off = "timestamp,value\n2026-03-01 00:00:00,1\n2026-03-01 00:05:00,1\n2026-03-01 00:10:00,1\n2026-03-01 00:17:00,1\n";
        check(off, "row 5, timestamp: 2026-03-01T00:17:00Z is 420 s after row 4: expected a multiple of 300 s");
    }

    #[test]
    fn rows_are_counted_as_lines_of_the_file() {
        for end in ["\n", "\r\n"] {
            for (last, says) in [("soon,1", "row 5, timestamp: 'soon'"), ("soon", "row 5: 1 field")] {
                let text = ["timestamp,value", "", "2026-03-01 00:00:00,1", "", last, ""].join(end);
                let error = Trace::from_csv(&text).unwrap_err();
                assert!(error.to_string().starts_with(says), "{error}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(timestamp,value\n)?([-0-9T:+Z, .\n\"a-z]{0,200}|\\PC{0,50})") {
            if let Ok(trace) = Trace::from_csv(&text) {
                proptest::prop_assert!(trace.known() >= 2);
            }
        }
    }
}
