//! The parts of Java that the service's results depend on: how a value becomes a string, the order of keys in a
//! `HashMap`, and the numbers of `java.util.Random`. Executions recorded on AWS show all three.

use serde_json::Value;

/// `toString`. Objects and arrays have the format of a Java map and list, `{a=1, b=[x, null]}`, and numbers that of JSON.
pub(crate) fn to_string(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(to_string).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| format!("{key}={}", to_string(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// `hashCode` of the value's Java type: Integer, Long, Double, Boolean, String, List or Map.
pub(crate) fn hash(value: &Value) -> i32 {
    match value {
        Value::Null => 0,
        Value::Bool(false) => 1237,
        Value::Bool(true) => 1231,
        Value::Number(number) => match number.as_i64() {
            Some(integer) => i32::try_from(integer).unwrap_or_else(|_| hash_of_long(integer as u64)),
            None => hash_of_long(number.as_f64().unwrap_or_default().to_bits()),
        },
        Value::String(text) => hash_of_string(text),
        Value::Array(items) => items.iter().fold(1, |sum, item| 31_i32.wrapping_mul(sum).wrapping_add(hash(item))),
        Value::Object(fields) => {
            fields.iter().fold(0, |sum, (key, value)| sum.wrapping_add(hash_of_string(key) ^ hash(value)))
        }
    }
}

/// `String.hashCode`.
pub(crate) fn hash_of_string(text: &str) -> i32 {
    text.encode_utf16().fold(0, |sum, unit| 31_i32.wrapping_mul(sum).wrapping_add(i32::from(unit)))
}

/// `Long.hashCode`.
fn hash_of_long(bits: u64) -> i32 {
    (bits ^ (bits >> 32)) as i32
}

/// The number of buckets of a new `HashMap` or `HashSet`.
pub(crate) const INITIAL_BUCKETS: usize = 16;

/// The number of buckets of a copy of a map with this number of entries.
pub(crate) fn buckets_of_copy(entries: usize) -> usize {
    (entries * 4 / 3 + 1).next_power_of_two()
}

/// Sorts items into the iteration order of a `HashMap` that got them in the given order. It does not imitate that a map
/// also grows when one bucket gets a ninth entry.
pub(crate) fn sort_in_hash_order<T>(items: &mut [T], mut buckets: usize, hash: impl Fn(&T) -> i32) {
    // https://docs.oracle.com/javase/8/docs/api/java/util/HashMap.html: the buckets double beyond a load factor of 0.75.
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
        // Numbers above the last multiple of the bound are drawn again: they would make small results more likely.
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
    fn hashes_match_java() {
        assert_eq!(hash_of_string(""), 0);
        assert_eq!(hash_of_string("hello"), 99_162_322);
        assert_eq!(hash_of_string("polygenelubricants"), i32::MIN);
        assert_eq!(hash(&json!([1, "a"])), 31 * (31 + 1) + 97);
    }

    #[test]
    fn objects_and_arrays_become_strings_as_java_maps_and_lists_do() {
        assert_eq!(to_string(&json!({"a": 1, "b": ["x", null, {"c": 1.5}]})), "{a=1, b=[x, null, {c=1.5}]}");
    }

    #[test]
    fn keys_have_the_order_of_a_hash_map() {
        let in_order = |names: &[&'static str]| {
            let mut names = names.to_vec();
            sort_in_hash_order(&mut names, INITIAL_BUCKETS, |name| hash_of_string(name));
            names
        };
        assert_eq!(in_order(&["name", "role", "isActive"]), ["role", "name", "isActive"]);
        assert_eq!(in_order(&["payload", "requestId", "original"]), ["original", "payload", "requestId"]);
        // Thirteen keys have 32 buckets. The recording of the context object is from
        // https://github.com/localstack/localstack.
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
    fn random_numbers_match_java() {
        assert_eq!([(99, 42), (999, 1), (999, 2)].map(|(bound, seed)| random_below(bound, seed)), [62, 105, 805]);
    }
}
