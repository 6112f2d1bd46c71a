//! XML answers of EC2, Elastic Load Balancing and RDS.

use std::borrow::Cow;

use crate::service::ServiceError;

/// An answer that is being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Xml {
    out: String,
}

impl Xml {
    /// The answer of EC2 to an operation.
    pub(crate) fn ec2(operation: &str, write: impl FnOnce(&mut Xml)) -> Vec<u8> {
        let mut xml = Xml::default();
        xml.element(&format!("{operation}Response"), write);
        xml.out.into_bytes()
    }

    /// The answer of Elastic Load Balancing or RDS to an operation.
    pub(crate) fn query(operation: &str, write: impl FnOnce(&mut Xml)) -> Vec<u8> {
        Xml::ec2(operation, |xml| {
            xml.element(&format!("{operation}Result"), write);
        })
    }

    /// An element with child elements.
    pub(crate) fn element(&mut self, name: &str, write: impl FnOnce(&mut Xml)) -> &mut Xml {
        self.tag("<", name);
        write(self);
        self.tag("</", name);
        self
    }

    /// A list: one element `item` for each of `items`. Its name is `item` in EC2 and `member` in Elastic Load
    /// Balancing.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        item: &str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Xml, T),
    ) -> &mut Xml {
        self.element(name, |xml| {
            for one in items {
                xml.element(item, |xml| write(xml, one));
            }
        })
    }

    /// An element with text.
    pub(crate) fn text(&mut self, name: &str, text: impl AsRef<str>) -> &mut Xml {
        self.tag("<", name);
        self.out.push_str(&escaped(text.as_ref()));
        self.tag("</", name);
        self
    }

    /// An element with text, if there is one.
    pub(crate) fn optional(&mut self, name: &str, text: Option<impl AsRef<str>>) -> &mut Xml {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    fn tag(&mut self, open: &str, name: &str) {
        self.out.push_str(open);
        self.out.push_str(name);
        self.out.push('>');
    }
}

/// The body of an EC2 error.
pub(crate) fn ec2_error(error: &ServiceError) -> Vec<u8> {
    let mut xml = Xml::default();
    xml.element("Response", |xml| {
        xml.element("Errors", |xml| {
            xml.element("Error", |xml| {
                xml.text("Code", &error.code).text("Message", &error.message);
            });
        });
    });
    xml.out.into_bytes()
}

/// The body of an Elastic Load Balancing or RDS error.
pub(crate) fn query_error(error: &ServiceError) -> Vec<u8> {
    let mut xml = Xml::default();
    xml.element("ErrorResponse", |xml| {
        xml.element("Error", |xml| {
            let at_fault = if error.status < 500 { "Sender" } else { "Receiver" };
            xml.text("Type", at_fault).text("Code", &error.code).text("Message", &error.message);
        });
    });
    xml.out.into_bytes()
}

fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '>', '&']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_nested_and_text_is_escaped() {
        let body = Xml::ec2("Describe", |xml| {
            xml.list("set", "item", ["a<b", "&"], |xml, text| {
                xml.text("name", text);
            });
        });
        let expected = "<DescribeResponse><set><item><name>a&lt;b</name></item><item><name>&amp;</name></item></set></DescribeResponse>";
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }
}
