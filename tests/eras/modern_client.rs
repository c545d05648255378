//! A modern client and a legacy server.
