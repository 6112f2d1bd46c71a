//! Form-encoded requests of EC2, Elastic Load Balancing and RDS. The code that serves a call consumes the parameters
//! one by one.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::service::{ServiceError, refuse, unsupported};

/// The parameters of a request, or of one entry of a list in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    /// The prefix of these parameters in the request, for messages: empty, or for example `Filter.1.`.
    place: String,
    pairs: BTreeMap<String, String>,
}

impl Form {
    pub(crate) fn parse(body: &[u8]) -> Form {
        Form { place: String::new(), pairs: form_urlencoded::parse(body).into_owned().collect() }
    }

    /// All parameters that are left, by name. Two requests are the same if these are.
    pub(crate) fn pairs(&self) -> &BTreeMap<String, String> {
        &self.pairs
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.pairs.remove(name)
    }

    pub(crate) fn required(&mut self, name: &str) -> Result<String, ServiceError> {
        let taken = self.take(name);
        let missing = || format!("The request must contain the parameter {}{name}", self.place);
        taken.ok_or_else(|| refuse("MissingParameter", missing()))
    }

    /// Consumes a number or a boolean.
    pub(crate) fn parsed<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, ServiceError> {
        self.take(name)
            .map(|text| {
                text.parse().map_err(|_| {
                    refuse("InvalidParameterValue", format!("Invalid value '{text}' for {}{name}", self.place))
                })
            })
            .transpose()
    }

    /// Consumes the values `name.1`, `name.2`, …
    pub(crate) fn list(&mut self, name: &str) -> Vec<String> {
        (1..).map_while(|n| self.take(&format!("{name}.{n}"))).collect()
    }

    /// Consumes the structures `name.1.…`, `name.2.…`, …. In Elastic Load Balancing the name ends in `.member`.
    pub(crate) fn structures(&mut self, name: &str) -> Vec<Form> {
        (1..).map_while(|n| self.structure(&format!("{name}.{n}"))).collect()
    }

    /// Consumes the structure `name.…`, if any of its parameters is there.
    pub(crate) fn structure(&mut self, name: &str) -> Option<Form> {
        // In ASCII, a slash follows the dot.
        let (prefix, beyond) = (format!("{name}."), format!("{name}/"));
        let taken = self.pairs.extract_if(prefix.clone()..beyond, |_, _| true);
        let pairs: BTreeMap<_, _> = taken.map(|(key, value)| (key[prefix.len()..].to_owned(), value)).collect();
        (!pairs.is_empty()).then(|| Form { place: format!("{}{prefix}", self.place), pairs })
    }

    /// Refuses parameters that no code consumed.
    pub(crate) fn finish(&self) -> Result<(), ServiceError> {
        match self.pairs.first_key_value() {
            Some((name, value)) => Err(unsupported(format_args!("the parameter {}{name}={value}", self.place))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_structures_are_consumed_and_the_rest_is_refused() {
        let mut form =
            Form::parse(b"InstanceId.1=i-1&InstanceId.2=i-2&Filter.1.Name=tag%3Aa&Filter.1.Value.1=b+c&Force=true");
        assert_eq!(form.list("InstanceId"), ["i-1", "i-2"]);
        let mut filters = form.structures("Filter");
        assert_eq!(filters.len(), 1);
        assert_eq!(filters[0].required("Name").unwrap(), "tag:a");
        assert_eq!(
            filters[0].finish().unwrap_err().message,
            "the simulator does not support the parameter Filter.1.Value.1=b c"
        );
        assert_eq!(filters[0].list("Value"), ["b c"]);
        assert_eq!(filters[0].finish(), Ok(()));
        assert_eq!(form.finish().unwrap_err().code, crate::service::UNSUPPORTED);
    }

    #[test]
    fn a_malformed_number_is_refused() {
        let mut form = Form::parse(b"MaxCount=many");
        assert_eq!(form.parsed::<u32>("MaxCount").unwrap_err().code, "InvalidParameterValue");
    }
}
