//! What stands in the configurations of desktop clients.

pub mod mcp_remote;
