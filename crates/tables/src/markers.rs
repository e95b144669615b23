//! Newtype names by which this crate's encoder and decoder recognise its types.
//!
//! A Rust type's name cannot contain a dot, so no user type is taken for one of these by mistake. When encoding, the names of
//! the Edm types ([`EdmType::name`](crate::edm::EdmType::name)) are used in the same way.

/// [`Value`](crate::Value) asks the decoder for the annotated type of a property.
pub(crate) const VALUE: &str = "tables.Value";
/// [`Stored`](crate::Stored) asks the decoder for the undecorated JSON object, with `odata.etag`.
pub(crate) const STORED: &str = "tables.Stored";
