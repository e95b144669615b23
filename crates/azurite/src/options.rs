//! Settings of an Azurite, and its command line.

use std::{ffi::OsString, path::PathBuf};

use crate::tls::{FILES, Https};

/// Ports to listen on; 0 lets the system choose a free one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ports {
    /// Queue service.
    pub queue: u16,
    /// Table service.
    pub table: u16,
    /// Blob service: unused here, but Azurite cannot run without it.
    pub blob: u16,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) ports: Ports,
    /// The directory for data; `None`: in memory.
    pub(crate) directory: Option<PathBuf>,
    pub(crate) debug_log: Option<PathBuf>,
    /// The certificate for HTTPS with bearer tokens; `None`: plain HTTP with SAS only.
    pub(crate) https: Option<Https>,
    /// How long idle connections stay open, in seconds; `None`: Azurite's default of 5 s.
    pub(crate) keep_alive_seconds: Option<u32>,
}

/// Flags for all sources: accept old and new service versions, the account in the path, no output per request, and no telemetry
/// to Microsoft.
pub(crate) const COMMON: [&str; 4] = [
    "--skipApiVersionCheck",
    "--disableProductStyleUrl",
    "--silent",
    "--disableTelemetry",
];

impl Options {
    /// The command line of an Azurite on this machine.
    pub(crate) fn flags(&self) -> Vec<OsString> {
        let mut flags: Vec<OsString> = COMMON.iter().map(Into::into).collect();
        let ports = [
            ("--queuePort", self.ports.queue),
            ("--tablePort", self.ports.table),
            ("--blobPort", self.ports.blob),
        ];
        for (flag, port) in ports {
            flags.extend([flag.into(), port.to_string().into()]);
        }
        match &self.directory {
            Some(directory) => flags.extend(["--location".into(), directory.into()]),
            None => flags.push("--inMemoryPersistence".into()),
        }
        if let Some(log) = &self.debug_log {
            flags.extend(["--debug".into(), log.into()]);
        }
        if let Some(https) = &self.https {
            let [certificate, key] = FILES.map(|file| https.directory().join(file).into());
            flags.extend(["--cert".into(), certificate, "--key".into(), key]);
            flags.extend(["--oauth".into(), "basic".into()]);
        }
        flags.extend(self.keep_alive().into_iter().map(Into::into));
        flags
    }

    /// The flags for how long idle connections stay open; empty for Azurite's default.
    pub(crate) fn keep_alive(&self) -> Vec<String> {
        let Some(seconds) = self.keep_alive_seconds else {
            return Vec::new();
        };
        ["--queueKeepAliveTimeout", "--tableKeepAliveTimeout"]
            .into_iter()
            .flat_map(|flag| [flag.to_owned(), seconds.to_string()])
            .collect()
    }

    /// The scheme of its addresses.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.https.is_some() {
            "https"
        } else {
            "http"
        }
    }
}
