//! XML answers: EC2's and load balancing's.

use std::borrow::Cow;

use crate::service::ServiceError;

/// An answer being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Xml {
    out: String,
}

impl Xml {
    /// EC2's answer to an operation.
    pub(crate) fn ec2(operation: &str, write: impl FnOnce(&mut Xml)) -> Vec<u8> {
        let mut xml = Xml::default();
        xml.element(&format!("{operation}Response"), write);
        xml.out.into_bytes()
    }

    /// Load balancing's answer to an operation.
    pub(crate) fn query(operation: &str, write: impl FnOnce(&mut Xml)) -> Vec<u8> {
        Xml::ec2(operation, |xml| {
            xml.element(&format!("{operation}Result"), write);
        })
    }

    /// An element with elements in it.
    pub(crate) fn element(&mut self, name: &str, write: impl FnOnce(&mut Xml)) -> &mut Xml {
        self.tag("<", name);
        write(self);
        self.tag("</", name);
        self
    }

    /// An element with one `item` for each of `items`: EC2's lists (load balancing's name is `member`).
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

    /// An element with text in it.
    pub(crate) fn text(&mut self, name: &str, text: impl AsRef<str>) -> &mut Xml {
        self.tag("<", name);
        self.out.push_str(&escaped(text.as_ref()));
        self.tag("</", name);
        self
    }

    /// The same, if there is a text.
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

/// EC2's refusal.
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

/// Load balancing's refusal.
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
    fn elements_nest_and_text_is_escaped() {
        let body = Xml::ec2("Describe", |xml| {
            xml.list("set", "item", ["a<b", "&"], |xml, text| {
                xml.text("name", text);
            });
        });
        let expected = "<DescribeResponse><set><item><name>a&lt;b</name></item><item><name>&amp;</name></item></set></DescribeResponse>";
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }
}
