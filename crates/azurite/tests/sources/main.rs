//! Tests of each source with a real Azurite, in one binary, which links once.

#[cfg(test)]
mod docker;
#[cfg(test)]
mod environment;
#[cfg(test)]
mod npm;
#[cfg(test)]
mod support;
