//! Patterns. `*` matches any number of characters, `?` matches one.

/// Whether `text` matches `pattern`.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // The position of the last star, and the end of the text that it matches. That text grows until the rest matches.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'?') => {
                p += 1;
                t += 1 + rest_of_character(&text[t + 1..]);
            }
            Some(byte) if *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match &mut star {
                None => return false,
                Some((at, matched_end)) => {
                    *matched_end += 1 + rest_of_character(&text[*matched_end + 1..]);
                    (p, t) = (*at + 1, *matched_end);
                }
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// The number of bytes of a character after its first byte.
fn rest_of_character(text: &[u8]) -> usize {
    text.iter().take_while(|byte| **byte & 0xc0 == 0x80).count()
}

/// The six fields of an ARN or of an ARN pattern.
pub(crate) fn arn_fields(arn: &str) -> Option<[&str; 6]> {
    let mut fields = arn.splitn(6, ':');
    let fields: [Option<&str>; 6] = std::array::from_fn(|_| fields.next());
    let [Some("arn"), Some(partition), Some(service), Some(region), Some(account), Some(resource)] = fields else {
        return None;
    };
    Some(["arn", partition, service, region, account, resource])
}

/// Whether `arn` matches `pattern`, field by field. A `*` matches within its field only. In the last field, it also matches
/// colons.
pub(crate) fn arn_like(pattern: &str, arn: &str) -> bool {
    let (Some(pattern), Some(arn)) = (arn_fields(pattern), arn_fields(arn)) else { return false };
    pattern.iter().zip(arn).all(|(pattern, field)| like(pattern, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_any_characters_and_a_question_mark_matches_one() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("?*", "", false),
            ("?*", "é", true),
            ("?", "é", true),
            ("?", "éé", false),
            ("*??b", "éxéb", true),
            ("*??b", "éb", false),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("*ab*ab", "xababab", true),
            ("*ab*abx", "xababab", false),
            ("fleetwright:*", "fleetwright:fleet", true),
            ("fleetwright:*", "Fleetwright:fleet", false),
            ("fleetwright:*", "fleetwright", false),
        ] {
            assert_eq!(like(pattern, text), expected, "{text} like {pattern}");
        }
    }

    #[test]
    fn a_star_matches_within_its_field_of_an_arn_only() {
        let instance = "arn:aws:ec2:eu-central-1:123456789012:instance/i-1";
        for (pattern, expected) in [
            ("arn:aws:ec2:eu-central-1:123456789012:instance/*", true),
            ("arn:aws:ec2:*:*:*", true),
            ("arn:aws:ec2:*:instance/*", false),
            ("arn:aws:ec2::123456789012:instance/*", false),
            ("arn:aws:ec2:eu-central-1:*:volume/*", false),
        ] {
            assert_eq!(arn_like(pattern, instance), expected, "{pattern}");
        }
        assert!(arn_like("arn:aws:logs:r:a:log-group:*", "arn:aws:logs:r:a:log-group:name:log-stream:s"));
    }
}
