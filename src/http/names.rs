//! From names to addresses, of the kind that the user wants.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

use super::Addresses;
use super::trace::Trace;

/// Looks names up as every program of the system does.
#[derive(Clone)]
pub(super) struct Names {
    system: GaiResolver,
    wanted: Addresses,
    trace: Option<Trace>,
}

impl Names {
    pub(super) fn new(wanted: Addresses, trace: Option<Trace>) -> Self {
        Self { system: GaiResolver::new(), wanted, trace }
    }

    /// The first address of a name.
    pub(super) async fn first(&self, host: &str) -> io::Result<IpAddr> {
        let found = tokio::net::lookup_host((host, 0)).await?;
        Ok(self.wanted.of(found, host)?.swap_remove(0).ip())
    }
}

impl Addresses {
    /// Those of the wanted kind; an error if there are none.
    fn of(
        self,
        found: impl Iterator<Item = SocketAddr>,
        name: &str,
    ) -> io::Result<Vec<SocketAddr>> {
        let wanted: Vec<_> = found
            .filter(|address| match self {
                Self::Any => true,
                Self::V4Only => address.is_ipv4(),
                Self::V6Only => address.is_ipv6(),
            })
            .collect();
        if wanted.is_empty() {
            let flag = match self {
                Self::Any => "",
                Self::V4Only => " of IPv4, and `--ipv4` is set",
                Self::V6Only => " of IPv6, and `--ipv6` is set",
            };
            return Err(io::Error::other(format!("{name} has no address{flag}")));
        }
        Ok(wanted)
    }
}

impl Service<Name> for Names {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.system.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (wanted, trace) = (self.wanted, self.trace.clone());
        let lookup = self.system.call(name.clone());
        Box::pin(async move {
            let found = wanted.of(lookup.await?, name.as_str())?;
            if let Some(trace) = trace {
                trace.looked_up(name.as_str(), &found);
            }
            Ok(found.into_iter())
        })
    }
}
