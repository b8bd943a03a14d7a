//! The parts of `dev` in order: ports, simulated providers, control plane, what it begins with, proxy. They end in the
//! other order, so that nothing loses what it stands on.

use std::{net::SocketAddr, time::Duration};

use breakwater_control_plane as control_plane;
use breakwater_data_plane as data_plane;
use serde_json::json;

use super::{DevArguments, Ready, home::Home, provision};
use crate::{
    client::{Client, Connection},
    commands::Context,
    failure::Failure,
    manifests::Manifest,
    simulate::{Options, Simulator},
};

/// Time until traffic can flow; far above what a slow machine needs.
const READY_MAX: Duration = Duration::from_secs(30);
/// Time for one call to our own control plane.
const CALL_MAX: Duration = Duration::from_secs(30);
/// File of the simulated providers' addresses.
const SIMULATOR_FILE: &str = "simulator";
/// Addresses remembered of each simulated provider; a port is taken away rarely.
const ADDRESSES_MAX: usize = 16;
/// Where a simulated provider listens if it has no place yet.
const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Everything that runs.
#[derive(Debug)]
pub(super) struct Machine {
    proxy: data_plane::App,
    control_plane: control_plane::App,
    simulators: Option<Simulated>,
    ready: Ready,
}

/// The simulated providers.
#[derive(Debug)]
pub(super) struct Simulated {
    primary: Simulator,
    backup: Simulator,
    /// Addresses that each had, of now last. Providers that name one of them are ours.
    had: [Vec<SocketAddr>; 2],
}

impl Simulated {
    /// Starts both where they were before, or elsewhere if those ports are taken by now.
    async fn start(home: &Home) -> Result<Self, Failure> {
        let text = home.read(SIMULATOR_FILE)?.unwrap_or_default();
        let [mut first, mut second]: [Vec<SocketAddr>; 2] = serde_json::from_str(&text).unwrap_or_default();
        let (primary, backup) = (simulator(first.last()).await?, simulator(second.last()).await?);
        for (had, addr) in [(&mut first, primary.addr()), (&mut second, backup.addr())] {
            had.retain(|former| *former != addr);
            had.push(addr);
            had.drain(..had.len().saturating_sub(ADDRESSES_MAX));
        }
        Ok(Self { primary, backup, had: [first, second] })
    }

    /// Keeps the addresses for the next start. Only whoever has the data directory may.
    fn remember(&self, home: &Home) -> Result<(), Failure> {
        home.write(SIMULATOR_FILE, &json!(self.had).to_string())
    }

    /// Name, base URL now and base URLs before of each provider in the starter configuration.
    pub(super) fn providers(&self) -> [(&'static str, String, Vec<String>); 2] {
        let [first, second] = &self.had;
        let urls = |had: &[SocketAddr]| had.iter().copied().map(base_url).collect();
        [
            ("simulated-primary", base_url(self.primary.addr()), urls(first)),
            ("simulated-backup", base_url(self.backup.addr()), urls(second)),
        ]
    }
}

impl Machine {
    /// Starts everything and waits until traffic can flow.
    pub(super) async fn start(
        home: &Home,
        arguments: &DevArguments,
        manifests: &[Manifest],
        context: &Context,
    ) -> Result<Self, Failure> {
        free(arguments.admin_listen, "--admin-listen")?;
        free(arguments.proxy_listen, "--proxy-listen")?;
        let simulators = if arguments.no_simulator { None } else { Some(Simulated::start(home).await?) };
        let mut config = control_plane::Config::development(home.control_plane());
        config.admin.listen = arguments.admin_listen;
        let mut bends = config.bends();
        let control_plane = control_plane::App::start(config).await?;
        if let Some(simulated) = &simulators {
            simulated.remember(home)?;
        }
        let admin_url = format!("http://{}", reachable(control_plane.admin_addr()));
        let admin_token = control_plane.admin_token().to_owned();
        let mut client = Client::connect(&Connection {
            server: admin_url.clone(),
            token: Some(admin_token.clone()),
            ca: None,
            timeout: CALL_MAX,
        })
        .await?;
        let provisioned =
            provision::provision(&mut client, home, simulators.as_ref(), manifests, &context.output).await?;
        let mut config = data_plane::Config::development(&admin_url, control_plane.proxy_token());
        config.listen = arguments.proxy_listen;
        "dev".clone_into(&mut config.proxy_id);
        bends.extend(config.bends());
        let proxy = data_plane::App::start(config).await?;
        if tokio::time::timeout(READY_MAX, proxy.ready()).await.is_err() {
            let line = format!("the proxy has no configuration after {} s", READY_MAX.as_secs());
            return Err(Failure::failed(line).hint("see why: --log info"));
        }
        let proxy_url = format!("http://{}", reachable(proxy.addr()));
        let provision::Provisioned { api_key, alias } = provisioned;
        let ready = Ready { proxy_url, admin_url, admin_token, api_key, alias, bends };
        Ok(Self { proxy, control_plane, simulators, ready })
    }

    pub(super) fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Waits until a part has ended that must not, and returns its name.
    pub(super) fn lost(&self) -> impl Future<Output = &'static str> + use<> {
        let (proxy, control_plane) = (self.proxy.failed(), self.control_plane.failed());
        async move {
            tokio::select! {
                () = proxy.cancelled() => "the proxy",
                () = control_plane.cancelled() => "the control plane",
            }
        }
    }

    /// Ends everything; calls that run are let end first.
    pub(super) async fn shutdown(self) {
        let _all_ended = self.proxy.shutdown().await;
        self.control_plane.shutdown().await;
        if let Some(simulated) = self.simulators {
            simulated.primary.shutdown().await;
            simulated.backup.shutdown().await;
        }
    }
}

async fn simulator(former: Option<&SocketAddr>) -> Result<Simulator, Failure> {
    if let Some(addr) = former
        && let Ok(simulator) = Simulator::start(*addr, Options::default()).await
    {
        return Ok(simulator);
    }
    Simulator::start(ANY_PORT, Options::default()).await.map_err(|error| Failure::failed(error.to_string()))
}

fn base_url(addr: SocketAddr) -> String {
    format!("http://{addr}/v1")
}

/// Says early and with its flag that a port is taken.
fn free(addr: SocketAddr, flag: &str) -> Result<(), Failure> {
    match std::net::TcpListener::bind(addr) {
        Ok(_listener) => Ok(()),
        Err(error) => Err(Failure::failed(format!("cannot listen on {addr}: {error}")).hint(format!(
            "end what listens on port {}, or choose another: {flag} {}:0",
            addr.port(),
            addr.ip()
        ))),
    }
}

/// Returns an address that a client on this machine can use: a wildcard is not one.
fn reachable(addr: SocketAddr) -> SocketAddr {
    match addr {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (std::net::Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (std::net::Ipv6Addr::LOCALHOST, v6.port()).into(),
        SocketAddr::V4(_) | SocketAddr::V6(_) => addr,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_its_flag() {
        let taken = std::net::TcpListener::bind(ANY_PORT).unwrap().local_addr().unwrap();
        assert!(free(taken, "--x").is_ok(), "the listener is gone by now");
        let listener = std::net::TcpListener::bind(ANY_PORT).unwrap();
        let addr = listener.local_addr().unwrap();
        let failure = free(addr, "--proxy-listen").unwrap_err().to_string();
        assert!(
            failure.contains(&addr.port().to_string()) && failure.contains("--proxy-listen"),
            "{failure}"
        );
    }

    #[test]
    fn a_wildcard_is_reached_by_loopback() {
        let check = |addr: &str, expect: &str| {
            assert_eq!(reachable(addr.parse().unwrap()).to_string(), expect);
        };
        check("0.0.0.0:80", "127.0.0.1:80");
        check("[::]:80", "[::1]:80");
        check("10.0.0.1:80", "10.0.0.1:80");
    }
}
