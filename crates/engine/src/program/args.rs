//! The program's flags, each with its environment twin.

use std::{net::IpAddr, path::PathBuf};

/// The arguments of the engine.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// IP address to listen at; 0.0.0.0 is every address of this machine
    #[arg(long, env = "EDW_ENGINE_HOST", default_value = "127.0.0.1")]
    pub host: IpAddr,

    /// Port of the Queue service; 0 is any free one
    #[arg(long, env = "EDW_ENGINE_QUEUE_PORT", default_value_t = 10001)]
    pub queue_port: u16,

    /// Port of the Table service; 0 is any free one
    #[arg(long, env = "EDW_ENGINE_TABLE_PORT", default_value_t = 10002)]
    pub table_port: u16,

    /// Directory for the data, which then survives the end of the process, even a kill -9 [default: none, data in memory only]
    #[arg(long, env = "EDW_ENGINE_DIRECTORY", value_name = "DIRECTORY")]
    pub directory: Option<PathBuf>,

    /// Name of the account
    #[arg(long, env = "EDW_ENGINE_ACCOUNT", default_value = crate::ACCOUNT)]
    pub account: String,

    /// Key of the account, in base64 [default: the published key of emulators]
    #[arg(
        long,
        env = "EDW_ENGINE_KEY",
        default_value = crate::KEY,
        hide_default_value = true,
        hide_env_values = true
    )]
    pub key: String,

    /// PEM file with a certificate: serve HTTPS, and accept bearer tokens too [default: none, HTTP]
    #[arg(
        long,
        env = "EDW_ENGINE_CERTIFICATE",
        value_name = "FILE",
        requires = "certificate_key"
    )]
    pub certificate: Option<PathBuf>,

    /// PEM file with the private key of the certificate
    #[arg(
        long,
        env = "EDW_ENGINE_CERTIFICATE_KEY",
        value_name = "FILE",
        requires = "certificate"
    )]
    pub certificate_key: Option<PathBuf>,
}
