//! The client against Azurite, in one binary: it links once, and its tests share the emulator.

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
