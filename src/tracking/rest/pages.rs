//! Paged answers.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::RestStore;
use super::transport::{Ask, Failure};

/// More pages than this indicate a broken server.
const MOST_PAGES: usize = 100_000;
/// Most bytes that are read for one list.
const MOST_BYTES: usize = 4 << 30;

impl RestStore {
    /// Requests all items of a list, `page` of them per request, until `take` has enough. If an answer is too
    /// large, smaller pages are requested.
    pub(super) fn pages<T: DeserializeOwned>(
        &self,
        ask: &Ask,
        list: &str,
        mut page: usize,
        mut take: impl FnMut(T) -> bool,
    ) -> Result<(), Failure> {
        let mut ask = ask.clone();
        let mut bytes = 0;
        let mut token = String::new();
        for _ in 0..MOST_PAGES {
            ask.fields.insert("max_results".to_owned(), page.into());
            let body = match self.transport.ask(&ask) {
                Err(Failure::TooLarge) if page > 1 => {
                    page = page.div_ceil(8);
                    continue;
                }
                body => body?,
            };
            bytes += body.len();
            if bytes > MOST_BYTES {
                return Err(Failure::TooLarge);
            }
            let odd = |error| self.transport.odd(&ask, &error);
            let mut answer: std::collections::BTreeMap<String, Box<RawValue>> =
                serde_json::from_slice(&body).map_err(odd)?;
            drop(body);
            // The server omits an empty list.
            let items: Vec<T> = match answer.remove(list) {
                Some(items) => serde_json::from_str(items.get()).map_err(odd)?,
                None => Vec::new(),
            };
            let next: Option<String> = match answer.remove("next_page_token") {
                Some(next) => serde_json::from_str(next.get()).map_err(odd)?,
                None => None,
            };
            for item in items {
                if !take(item) {
                    return Ok(());
                }
            }
            match next.filter(|next| !next.is_empty()) {
                None => return Ok(()),
                Some(next) if next == token => break,
                Some(next) => token = next,
            }
            ask.fields.insert("page_token".to_owned(), token.clone().into());
        }
        let path = ask.path.trim_start_matches('/');
        Err(Failure::Other(format!("{path}: its list does not end: the same page comes again.")))
    }
}
