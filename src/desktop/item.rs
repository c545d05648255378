//! What is written into a client's configuration, before it has a format.

use serde_json::Value;

/// A value of the few kinds that entries are made of, with its members in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A string.
    Text(String),
    /// A switch.
    Flag(bool),
    /// A list of strings.
    List(Vec<String>),
    /// An object, or table.
    Object(Vec<(String, Item)>),
}

impl Item {
    /// The same as JSON.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Flag(flag) => (*flag).into(),
            Self::List(texts) => texts.iter().map(String::as_str).collect(),
            Self::Object(members) => {
                let mut object = serde_json::Map::new();
                object.extend(members.iter().map(|(name, item)| (name.clone(), item.to_value())));
                Value::Object(object)
            }
        }
    }
}
