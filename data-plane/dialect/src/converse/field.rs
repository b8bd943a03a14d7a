//! A value of a body, with the path that leads to it, so that a refusal can name the field.

use serde_json::Number;
use serde_json::value::RawValue;

use crate::ir::{Json, Refused};
use crate::json::Place;

/// A value and how it is called.
#[derive(Debug, Clone)]
pub(super) struct Field<'a> {
    place: Place<'a>,
    path: String,
}

impl<'a> Field<'a> {
    /// Returns the one value of a checked text.
    pub(super) fn root(text: &'a str) -> Self {
        Self { place: Place::root(text), path: String::new() }
    }

    /// Returns its name for refusals.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Returns its source.
    pub(super) fn source(&self) -> &'a str {
        self.place.source()
    }

    /// Returns a member; null counts as none.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        let place = self.place.get(key).filter(|place| !place.is_null())?;
        Some(Self { place, path: self.child(key) })
    }

    /// Returns a member that must be there.
    pub(super) fn need(&self, key: &str) -> Result<Self, Refused> {
        self.get(key).ok_or_else(|| refused(self.child(key), "is missing"))
    }

    /// Returns the members that are not null, in order.
    pub(super) fn members(&self) -> Result<Vec<(String, Self)>, Refused> {
        if !self.place.is_object() {
            return Err(refused(self.path.clone(), "must be an object"));
        }
        let members = self.place.members().filter(|member| !member.value.is_null());
        Ok(members
            .map(|member| {
                let path = self.child(&member.key);
                (member.key.into_owned(), Self { place: member.value, path })
            })
            .collect())
    }

    /// Returns the one member of a union, whatever it is called.
    pub(super) fn only(&self) -> Result<(String, Self), Refused> {
        self.members()?
            .into_iter()
            .next()
            .ok_or_else(|| refused(self.path.clone(), "must have a member that says what it is"))
    }

    /// Returns the elements of a list.
    pub(super) fn list(&self) -> Result<Vec<Self>, Refused> {
        if !self.place.is_array() {
            return Err(refused(self.path.clone(), "must be a list"));
        }
        let elements = self.place.elements().enumerate();
        Ok(elements.map(|(at, place)| Self { place, path: format!("{}[{at}]", self.path) }).collect())
    }

    /// Returns a text.
    pub(super) fn text(&self) -> Result<String, Refused> {
        let text = self.place.as_str().ok_or_else(|| refused(self.path.clone(), "must be a text"))?;
        Ok(text.into_owned())
    }

    /// Returns a member that is a text, if it is there.
    pub(super) fn text_of(&self, key: &str) -> Result<Option<String>, Refused> {
        self.get(key).map(|field| field.text()).transpose()
    }

    /// Returns a count.
    pub(super) fn count(&self) -> Result<u64, Refused> {
        self.source().parse().map_err(|_| refused(self.path.clone(), "must be a whole number"))
    }

    /// Returns a number.
    pub(super) fn number(&self) -> Result<Number, Refused> {
        serde_json::from_str(self.source()).map_err(|_| refused(self.path.clone(), "must be a number"))
    }

    /// Returns a truth value.
    pub(super) fn truth(&self) -> Result<bool, Refused> {
        self.place.as_bool().ok_or_else(|| refused(self.path.clone(), "must be true or false"))
    }

    /// Returns an object in source.
    pub(super) fn object(&self) -> Result<&'a str, Refused> {
        if self.place.is_object() {
            Ok(self.source())
        } else {
            Err(refused(self.path.clone(), "must be an object"))
        }
    }

    /// Whether it is a list or an object with nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.place.members().next().is_none() && self.place.elements().next().is_none()
    }

    /// Returns it as JSON.
    pub(super) fn json(&self) -> Result<Json, Refused> {
        json(self.source()).map_err(|()| refused(self.path.clone(), "must be JSON"))
    }

    fn child(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// Makes JSON of source.
pub(super) fn json(source: &str) -> Result<Json, ()> {
    RawValue::from_string(source.to_owned()).map_err(|_| ())
}

/// Makes a refusal.
pub(super) fn refused(param: impl Into<String>, reason: &str) -> Refused {
    Refused { param: param.into(), reason: reason.to_owned() }
}
