//! Pages of an answer.

use crate::service::{ServiceError, refuse};
use crate::wire::form::Form;

/// The page that a call asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    from: usize,
    most: usize,
}

impl Page {
    /// Reads `MaxResults`, which must be within `limits`, and `NextToken`.
    pub(super) fn read(form: &mut Form, limits: std::ops::RangeInclusive<usize>) -> Result<Page, ServiceError> {
        let most = form.parsed::<usize>("MaxResults")?;
        if let Some(most) = most.filter(|most| !limits.contains(most)) {
            let (low, high) = limits.into_inner();
            let message = format!(
                "Value ( {most} ) for parameter maxResults is invalid. Expecting a value from {low} to {high}."
            );
            return Err(refuse("InvalidParameterValue", message));
        }
        let from = match form.take("NextToken") {
            None => 0,
            Some(token) => token
                .strip_prefix(TOKEN)
                .and_then(|from| from.parse().ok())
                .ok_or_else(|| refuse("InvalidParameterValue", "Unable to parse pagination token"))?,
        };
        Ok(Page { from, most: most.unwrap_or(usize::MAX) })
    }

    /// Whether the call set a page size.
    pub(super) fn limited(self) -> bool {
        self.most != usize::MAX
    }

    /// The indices of this page, out of all `admitted` in ascending order, and the token of the next page.
    pub(super) fn slice(self, admitted: impl Iterator<Item = usize>) -> (Vec<usize>, Option<String>) {
        let mut rest = admitted.skip_while(|index| *index < self.from);
        let page: Vec<usize> = rest.by_ref().take(self.most).collect();
        // The token is the index at which the next page begins. A resource that disappears in between shifts nothing.
        let next = rest.next().map(|index| format!("{TOKEN}{index}"));
        (page, next)
    }
}

const TOKEN: &str = "from-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let mut token = None;
        let mut seen = Vec::new();
        loop {
            let body = match &token {
                None => "MaxResults=2".to_owned(),
                Some(token) => format!("MaxResults=2&NextToken={token}"),
            };
            let page = Page::read(&mut Form::parse(body.as_bytes()), 1..=9).unwrap();
            let (indices, next) = page.slice([1, 4, 5, 8, 9].into_iter());
            seen.push(indices);
            token = next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(seen, [vec![1, 4], vec![5, 8], vec![9]]);
    }
}
