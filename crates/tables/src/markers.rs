//! Newtype names by which this crate's types make themselves known to its encoder and decoder.
//!
//! A Rust type's name cannot hold a dot, so no user type is taken for one of these by accident. The names of the Edm
//! types ([`EdmType::name`](crate::edm::EdmType::name)) serve alike when encoding.

/// [`Value`](crate::Value) asks the decoder for the annotated type of a property.
pub(crate) const VALUE: &str = "tables.Value";
/// [`Stored`](crate::Stored) asks the decoder for the undecorated JSON object, with `odata.etag`.
pub(crate) const STORED: &str = "tables.Stored";
