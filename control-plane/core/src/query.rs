//! The read side: pages of resources by name, keys of a tenant.

use std::sync::Arc;

use breakwater_common::resource::Kind;
use breakwater_common::violation::Violation;

use crate::bounds;
use crate::state::{Key, Resource, State};

/// Resources on a page if the asker says nothing.
pub const PAGE_SIZE_DEFAULT: usize = 100;
/// Resources on a page at most.
pub const PAGE_SIZE_MAX: usize = 1_000;

/// A page of resources of one kind, by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The resources.
    pub resources: Vec<Arc<Resource>>,
    /// What to ask the next page with; empty if this is the last.
    pub next_page_token: String,
}

impl State {
    /// Returns a page of resources of a kind, by name. A size of 0 stands for [`PAGE_SIZE_DEFAULT`]; an empty token asks
    /// for the first page. The token is the last name of the page before: pages stay in order, with nothing shown twice,
    /// however the state changes in between.
    ///
    /// # Errors
    ///
    /// If the size is above [`PAGE_SIZE_MAX`] or the token is none that a page gave.
    pub fn page(&self, kind: Kind, page_size: u32, page_token: &str) -> Result<Page, Violation> {
        let size = usize::try_from(page_size).unwrap_or(usize::MAX);
        if size > PAGE_SIZE_MAX {
            return Err(Violation::at("page_size", format!("must be at most {PAGE_SIZE_MAX}")));
        }
        if !page_token.is_empty() && !bounds::is_name(page_token) {
            return Err(Violation::at("page_token", "must be the next_page_token of the page before"));
        }
        let size = if size == 0 { PAGE_SIZE_DEFAULT } else { size };
        let after = (kind, page_token.to_owned());
        let mut rest = self
            .resources
            .range(after.clone()..)
            .skip_while(|(key, _)| **key == after)
            .take_while(|((of, _), _)| *of == kind)
            .map(|(_, resource)| Arc::clone(resource));
        let resources: Vec<_> = rest.by_ref().take(size).collect();
        let last = resources.last().filter(|_| rest.next().is_some());
        let next_page_token = last.map(|resource| resource.name.clone()).unwrap_or_default();
        Ok(Page { resources, next_page_token })
    }

    /// Returns the keys of a tenant by id, ended ones included; of all tenants if the name is empty.
    pub fn keys_of<'a>(&'a self, tenant: &'a str) -> impl Iterator<Item = &'a Arc<Key>> {
        self.keys().filter(move |key| tenant.is_empty() || key.made.tenant == tenant)
    }
}
