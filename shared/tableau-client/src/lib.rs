//! tableau-client
