//! Patterns: `*` stands for any characters, `?` for one.

/// Whether `text` is of `pattern`.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where the last star stood, and how far the text had come: what it swallows grows until the rest fits.
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
                Some((at, swallowed)) => {
                    *swallowed += 1 + rest_of_character(&text[*swallowed + 1..]);
                    (p, t) = (*at + 1, *swallowed);
                }
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// How many bytes of a character are left after its first.
fn rest_of_character(text: &[u8]) -> usize {
    text.iter().take_while(|byte| **byte & 0xc0 == 0x80).count()
}

/// The six fields of an ARN, or of a pattern of one.
pub(crate) fn arn_fields(arn: &str) -> Option<[&str; 6]> {
    let mut fields = arn.splitn(6, ':');
    let fields: [Option<&str>; 6] = std::array::from_fn(|_| fields.next());
    let [Some("arn"), Some(partition), Some(service), Some(region), Some(account), Some(resource)] = fields else {
        return None;
    };
    Some(["arn", partition, service, region, account, resource])
}

/// Whether `arn` is of `pattern`, field by field: no `*` reaches beyond its field, but in the last one over colons.
pub(crate) fn arn_like(pattern: &str, arn: &str) -> bool {
    let (Some(pattern), Some(arn)) = (arn_fields(pattern), arn_fields(arn)) else { return false };
    pattern.iter().zip(arn).all(|(pattern, field)| like(pattern, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_characters_and_a_question_mark_is_one() {
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
    fn no_star_reaches_beyond_its_field_of_an_arn() {
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
