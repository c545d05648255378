//! For a modern client before a legacy server.

pub(in crate::remote::lifecycle) mod answer;
pub(in crate::remote::lifecycle) mod capabilities;
pub(in crate::remote::lifecycle) mod change;
pub(in crate::remote::lifecycle) mod log_level;
pub(in crate::remote::lifecycle) mod progress;
pub(in crate::remote::lifecycle) mod question;
pub(in crate::remote::lifecycle) mod refusal;
pub(in crate::remote::lifecycle) mod request;
