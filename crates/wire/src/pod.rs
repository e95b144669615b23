//! The authority of a run as a pod.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use authority::{Authority, Program};
use clap::Parser;
use wire::Tls;

use super::{bind, read, until_told};

/// Stand-in for Microsoft Entra in a cluster: exchanges the tokens that kubelets project for tokens that an emulator of Azure
/// Storage takes
///
/// It needs no right in the cluster: the keys of the cluster's issuer are in its settings. The harness controls it at the loopback
/// address only.
#[derive(Debug, Parser)]
#[command(name = "wire authority", version)]
pub(crate) struct Args {
    /// File with its settings, as the harness writes them into its Secret
    #[arg(long, env = "EDW_AUTHORITY_SETTINGS")]
    settings: PathBuf,
    /// PEM file with the certificate that it shows to pods
    #[arg(long, env = "EDW_AUTHORITY_CERTIFICATE")]
    certificate: PathBuf,
    /// PEM file with the private key of the certificate
    #[arg(long, env = "EDW_AUTHORITY_CERTIFICATE_KEY")]
    certificate_key: PathBuf,
    /// IP address to listen at for pods
    #[arg(long, env = "EDW_AUTHORITY_LISTEN", default_value_t = Ipv4Addr::UNSPECIFIED.into())]
    listen: IpAddr,
    /// Port for pods
    #[arg(long, env = "EDW_AUTHORITY_PORT", default_value_t = 8443)]
    port: u16,
    /// Port at which the harness controls it, on 127.0.0.1 only
    #[arg(long, env = "EDW_AUTHORITY_CONTROL_PORT", default_value_t = 10_010)]
    control_port: u16,
}

/// Serves until the program is told to end.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let settings = read(&args.settings)?;
    let settings = serde_json::from_str(&settings)
        .with_context(|| format!("read {}", args.settings.display()))?;
    let tls = Tls::outwards(&read(&args.certificate)?, &read(&args.certificate_key)?)?;
    let pods = bind(args.listen, args.port).await?;
    let control = bind(Ipv4Addr::LOCALHOST.into(), args.control_port).await?;
    writeln!(
        io::stdout(),
        "pods {} control {}",
        pods.local_addr()?,
        control.local_addr()?
    )?;
    let authority = Authority::of_cluster(pods, tls.acceptor(), settings)?;
    until_told(Arc::new(Program::new(authority)).serve(control)).await
}
