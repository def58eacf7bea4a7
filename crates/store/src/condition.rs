//! A `Filter` as the database's SQL. A property test in `evoke-tests` holds it to `Filter::matches`.

use evoke_message::Filter;

/// What a row must satisfy before it is ranked.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    pub filter: Filter,
    /// Folded phrases that `plain` must contain, and must not. Words are bounded by spaces there.
    pub phrases: Vec<String>,
    pub without: Vec<String>,
}

impl Condition {
    /// SQL that holds for messages and passages alike (passages repeat the columns of their message),
    /// or none where everything passes.
    pub(crate) fn sql(&self) -> Option<String> {
        let Filter { sources, kinds, people, conversations, company, has, from, until } = &self.filter;
        let mut parts = Vec::new();
        if !sources.is_empty() {
            parts.push(among("source", sources.iter()));
        }
        if !kinds.is_empty() {
            parts.push(among("kind", kinds.iter().map(|k| k.as_str())));
        }
        if let Some(people) = people {
            parts.push(among("person", people.iter().map(ToString::to_string)));
        }
        if let Some(conversations) = conversations {
            parts.push(among("conversation", conversations.iter().map(ToString::to_string)));
        }
        if let Some(company) = company {
            let people = among("person", company.people.iter().map(ToString::to_string));
            let talks = among("conversation", company.conversations.iter().map(ToString::to_string));
            parts.push(format!("({people} OR {talks})"));
        }
        parts.extend(has.iter().map(|h| format!("contains(has, {})", quoted(h.as_str()))));
        parts.extend(from.map(|t| format!("time >= {t}")));
        parts.extend(until.map(|t| format!("time < {t}")));
        parts.extend(self.phrases.iter().map(|p| format!("contains(plain, {})", quoted(p))));
        parts.extend(self.without.iter().map(|p| format!("NOT contains(plain, {})", quoted(p))));
        (!parts.is_empty()).then(|| parts.join(" AND "))
    }
}

/// `column IN ('a', 'b')`; an empty list matches nothing.
pub(crate) fn among<S: AsRef<str>>(column: &str, values: impl Iterator<Item = S>) -> String {
    let list: Vec<String> = values.map(|v| quoted(v.as_ref())).collect();
    if list.is_empty() { "false".to_owned() } else { format!("{column} IN ({})", list.join(", ")) }
}

/// An SQL string literal: quotes doubled, so that no text can leave it.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use evoke_message::PersonId;

    #[test]
    fn nothing_asked_is_no_condition_and_an_unknown_name_matches_nothing() {
        assert_eq!(Condition::default().sql(), None);
        let nobody = Filter { people: Some(vec![]), ..Filter::default() };
        assert_eq!(Condition { filter: nobody, ..Condition::default() }.sql().as_deref(), Some("false"));
    }

    #[test]
    fn text_cannot_leave_its_quotes() {
        let filter =
            Filter { sources: vec!["o'x'; --".into()], people: Some(vec![PersonId::me()]), ..Filter::default() };
        let sql = Condition { filter, ..Condition::default() }.sql().unwrap();
        assert!(sql.starts_with("source IN ('o''x''; --') AND person IN ('"), "{sql}");
    }
}
