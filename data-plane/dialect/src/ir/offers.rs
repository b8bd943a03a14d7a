//! What a caller offers the model beyond plain tools: tools kept in a namespace, which every format but their own knows by
//! one name each, and a provider's search that the model may use but need not.

use std::collections::BTreeMap;

use super::{Dropped, Json, Refused, Request, Tool, ToolChoice, ToolIdShape, ToolKind, tool_id};
use crate::Format;

/// Tools that their caller keeps together (OpenAI responses, type `namespace`). Each also stands in [`Request::tools`], under
/// its one name.
#[derive(Debug, Clone, Default)]
pub struct Namespaces {
    /// The namespaces, as they came.
    pub sources: Vec<Json>,
    /// Their tools, by their names in [`Request::tools`].
    pub members: BTreeMap<String, Member>,
}

/// A tool of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The namespace.
    pub namespace: String,
    /// Its name there.
    pub name: String,
}

/// Returns the one name of a namespace's tool: always the same from the same, and of a shape that every format takes. It is
/// read back by looking it up, never by cutting it.
#[must_use]
pub fn member_name(namespace: &str, name: &str) -> String {
    let plain = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    // With the 24 letters of a digest 64: what OpenAI, Anthropic and Bedrock take.
    let prefix: String = name.chars().filter(plain).take(39).chain(['_']).collect();
    tool_id(&format!("{namespace}__{name}"), ToolIdShape::Word, &prefix)
}

impl Request {
    /// Returns the name among the tools of one that its caller knows by namespace and name. Providers also say a namespace of
    /// a tool that a search found: its own name again, and then that is enough.
    #[must_use]
    pub fn tool_of(&self, namespace: &str, name: &str) -> String {
        let made = member_name(namespace, name);
        if namespace != name || self.namespaces.members.contains_key(&made) { made } else { name.to_owned() }
    }

    /// Takes out the searches that the provider would run and the model need not use. A search that is all there is, or that
    /// must be used, stays: without it the answer would be another one.
    pub(crate) fn leave_out_searches(&mut self, provider: Format) -> Vec<Dropped> {
        let free = matches!(self.tool_choice, None | Some(ToolChoice::Auto | ToolChoice::None));
        let own = |tool: &Tool| !matches!(tool.kind, ToolKind::Foreign { .. });
        let search = |tool: &Tool| {
            let theirs = matches!(tool.kind, ToolKind::Foreign { format: Format::Responses, .. });
            theirs && tool.name.starts_with("web_search")
        };
        let some = |which: &dyn Fn(&Tool) -> bool| self.tools.iter().any(which);
        if !free || provider == Format::Responses || !some(&own) || !some(&search) {
            return Vec::new();
        }
        let places: Vec<String> = (0..self.tools.len()).map(|index| self.tool_place(index)).collect();
        let (mut kept, mut dropped) = (Vec::new(), Vec::new());
        let mut places = places.into_iter();
        self.tools.retain(|tool| {
            let place = places.next().unwrap_or_default();
            let left_out = search(tool);
            if left_out {
                dropped.push(place)
            } else {
                kept.push(place)
            }
            !left_out
        });
        self.tool_places = kept;
        dropped
    }

    /// Returns where a tool stands in what the caller sent.
    fn tool_place(&self, index: usize) -> String {
        self.tool_places.get(index).cloned().unwrap_or_else(|| format!("tools[{index}]"))
    }

    /// Names a member of a tool as the caller sent it: writers count the tools as they stand here.
    pub(crate) fn as_sent(&self, param: String) -> String {
        let place = param.strip_prefix("tools[").and_then(|rest| rest.split_once(']'));
        match place.and_then(|(index, rest)| Some((index.parse().ok()?, rest))) {
            Some((index, rest)) => self.tool_place(index) + rest,
            None => param,
        }
    }

    /// See [`Self::as_sent`].
    pub(crate) fn refused_as_sent(&self, refused: Refused) -> Refused {
        Refused { param: self.as_sent(refused.param), ..refused }
    }
}
