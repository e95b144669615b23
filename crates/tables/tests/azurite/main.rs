//! Tests of the client with Azurite and with the embedded engine, in one binary, which links once and shares both.

#[cfg(test)]
mod entities;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod interop;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod python;
#[cfg(test)]
mod query;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tables_of_account;
#[cfg(test)]
mod transactions;
