//! Each source against a real Azurite, in one binary: it links once.

#[cfg(test)]
mod docker;
#[cfg(test)]
mod environment;
#[cfg(test)]
mod npm;
#[cfg(test)]
mod support;
