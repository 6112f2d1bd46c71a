//! What of the service's answers is Java's: how it prints a value, in which order a `HashMap` has its keys, and what
//! `java.util.Random` draws. Executions recorded on AWS show all three.

use serde_json::Value;

/// `toString`: objects and arrays as maps and lists have it, `{a=1, b=[x, null]}`; numbers as JSON has them.
pub(crate) fn print(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(print).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| format!("{key}={}", print(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// `hashCode` of an Integer, a Long, a Double, a Boolean, a String, a List or a Map, whichever the value becomes.
pub(crate) fn hash(value: &Value) -> i32 {
    match value {
        Value::Null => 0,
        Value::Bool(false) => 1237,
        Value::Bool(true) => 1231,
        Value::Number(number) => match number.as_i64() {
            Some(integer) => i32::try_from(integer).unwrap_or_else(|_| folded(integer as u64)),
            None => folded(number.as_f64().unwrap_or_default().to_bits()),
        },
        Value::String(text) => hash_of_text(text),
        Value::Array(items) => items.iter().fold(1, |sum, item| 31_i32.wrapping_mul(sum).wrapping_add(hash(item))),
        Value::Object(fields) => {
            fields.iter().fold(0, |sum, (key, value)| sum.wrapping_add(hash_of_text(key) ^ hash(value)))
        }
    }
}

/// `String.hashCode`.
pub(crate) fn hash_of_text(text: &str) -> i32 {
    text.encode_utf16().fold(0, |sum, unit| 31_i32.wrapping_mul(sum).wrapping_add(i32::from(unit)))
}

/// `Long.hashCode`.
fn folded(bits: u64) -> i32 {
    (bits ^ (bits >> 32)) as i32
}

/// How many buckets a `HashMap` has at first, and a `HashSet`.
pub(crate) const BUCKETS: usize = 16;

/// How many a copy of a map with so many entries has.
pub(crate) fn buckets_of_copy(entries: usize) -> usize {
    (entries * 4 / 3 + 1).next_power_of_two()
}

/// Puts items into the order in which a `HashMap` with their hashes has them that was filled in this order. That a map also
/// grows when one bucket gets a ninth entry is left out.
pub(crate) fn in_hash_order<T>(items: &mut [T], mut buckets: usize, hash: impl Fn(&T) -> i32) {
    // https://docs.oracle.com/javase/8/docs/api/java/util/HashMap.html: twice as many buckets beyond a load of 0.75.
    while items.len() * 4 > buckets * 3 {
        buckets *= 2;
    }
    items.sort_by_key(|item| {
        let hash = hash(item) as u32;
        (hash ^ (hash >> 16)) as usize & (buckets - 1)
    });
}

/// `new java.util.Random(seed).nextInt(bound)`, for a bound above 0.
pub(crate) fn random_below(bound: i32, seed: i64) -> i32 {
    const MULTIPLIER: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;
    let mut state = (seed as u64 ^ MULTIPLIER) & MASK;
    let mut next_31_bits = || {
        state = state.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        (state >> 17) as i32
    };
    if bound & (bound - 1) == 0 {
        return ((i64::from(bound) * i64::from(next_31_bits())) >> 31) as i32;
    }
    loop {
        let bits = next_31_bits();
        let drawn = bits % bound;
        // What is left beyond the last multiple of the bound would make its first numbers more likely.
        if bits.wrapping_sub(drawn).wrapping_add(bound - 1) >= 0 {
            return drawn;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hashes_are_javas() {
        assert_eq!(hash_of_text(""), 0);
        assert_eq!(hash_of_text("hello"), 99_162_322);
        assert_eq!(hash_of_text("polygenelubricants"), i32::MIN);
        assert_eq!(hash(&json!([1, "a"])), 31 * (31 + 1) + 97);
    }

    #[test]
    fn values_are_printed_as_maps_and_lists() {
        assert_eq!(print(&json!({"a": 1, "b": ["x", null, {"c": 1.5}]})), "{a=1, b=[x, null, {c=1.5}]}");
    }

    #[test]
    fn keys_come_as_a_hash_map_has_them() {
        let in_order = |names: &[&'static str]| {
            let mut names = names.to_vec();
            in_hash_order(&mut names, BUCKETS, |name| hash_of_text(name));
            names
        };
        assert_eq!(in_order(&["name", "role", "isActive"]), ["role", "name", "isActive"]);
        assert_eq!(in_order(&["payload", "requestId", "original"]), ["original", "payload", "requestId"]);
        // Thirteen keys have 32 buckets: the context object, of https://github.com/localstack/localstack's recordings.
        let context = [
            "context_object",
            "execution",
            "execution_id",
            "execution_input",
            "execution_name",
            "execution_rolearn",
            "execution_starttime",
            "state",
            "state_enteredtime",
            "state_name",
            "statemachine",
            "statemachine_id",
            "statemachine_name",
        ];
        let recorded = [
            "execution",
            "execution_rolearn",
            "execution_name",
            "statemachine_id",
            "execution_id",
            "execution_input",
            "execution_starttime",
            "state_name",
            "state_enteredtime",
            "statemachine",
            "state",
            "context_object",
            "statemachine_name",
        ];
        assert_eq!(in_order(&context), recorded);
    }

    #[test]
    fn draws_are_javas() {
        assert_eq!([(99, 42), (999, 1), (999, 2)].map(|(bound, seed)| random_below(bound, seed)), [62, 105, 805]);
    }
}
