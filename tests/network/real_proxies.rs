//! Proxies that people run (`scripts/network`).

use std::net::IpAddr;

use super::{BOTH, errors, works};
use crate::support::certificates::{Certificate, ClientCertificate};
use crate::support::{BridgeProcess, McpServer};

/// The address and the proxies that `scripts/network` gives; without them there is nothing to do here.
#[expect(clippy::disallowed_methods, reason = "how the script tells what it started")]
fn told(proxies: &str) -> Option<(IpAddr, String)> {
    let address = std::env::var("BRIDGE_TEST_ADDRESS").ok()?;
    let proxies = std::env::var(proxies).expect("scripts/network sets all or none");
    Some((address.parse().expect("an address"), proxies))
}

#[test]
fn real_proxies_carry_calls_and_streams() {
    let Some((address, proxies)) = told("BRIDGE_TEST_PROXIES") else { return };
    for proxy in proxies.split_whitespace() {
        let plain = McpServer::legacy().at(address).run();
        let by_flag = BridgeProcess::to(plain.url()).args(["--allow-http", "--proxy", proxy]);
        works(by_flag, &plain);
        for protocols in BOTH {
            let tls = McpServer::legacy().at(address).tls(Certificate::Good, protocols).run();
            let by_variable = BridgeProcess::to(tls.url())
                .env("https_proxy", proxy)
                .env("NODE_EXTRA_CA_CERTS", tls.ca_file());
            works(by_variable, &tls);
        }
    }
}

#[test]
fn real_proxies_carry_mutual_tls() {
    let Some((address, proxies)) = told("BRIDGE_TEST_PROXIES") else { return };
    let kinds =
        [(ClientCertificate::AskedInTls12, BOTH[1]), (ClientCertificate::AskedInTls13, BOTH[0])];
    let servers =
        kinds.map(|(asked, of)| McpServer::legacy().at(address).mutual_tls(asked, of).run());
    let mut strangers = Vec::new();
    for proxy in proxies.split_whitespace() {
        for server in &servers {
            let to_server = || {
                BridgeProcess::to(server.url())
                    .args(["--proxy", proxy])
                    .env("BRIDGE_CA_CERT", server.ca_file())
            };
            let both = server.authority().client_files().both;
            works(to_server().env("BRIDGE_CLIENT_CERT", both), server);
            strangers.push(to_server());
        }
    }
    for error in errors(strangers) {
        let said = error["message"].as_str().expect("a message");
        assert!(said.contains("it asks for a client certificate"), "{said}");
    }
}

/// POSTs and streams to servers without TLS need no tunnel, so that this proxy carries those.
#[test]
fn a_real_proxy_that_refuses_tunnels_is_told_as_such() {
    let Some((address, proxy)) = told("BRIDGE_TEST_REFUSING_PROXY") else { return };
    let server = McpServer::legacy().at(address).https().run();
    let bridges = ["http-only", "sse-only"].map(|transport| {
        BridgeProcess::to(server.url()).args(["--transport", transport, "--proxy", &proxy])
    });
    let proxied = proxy.trim_start_matches("http://");
    let host = server.host();
    for error in errors(bridges.into()) {
        assert_eq!(
            error["message"],
            format!(
                "the proxy {proxied} refuses to connect to {host} (HTTP 403 Forbidden); ask \
                 whoever runs the proxy to allow {host}; if it can be reached without, add it to \
                 `NO_PROXY`; {}",
                super::doctor(&server.url())
            )
        );
    }
    assert_eq!(server.connections(), 0);
    let plain = McpServer::legacy().at(address).run();
    works(BridgeProcess::to(plain.url()).args(["--allow-http", "--proxy", &proxy]), &plain);
}

#[test]
fn real_proxies_that_want_a_login_are_told_as_such() {
    let Some((address, locked)) = told("BRIDGE_TEST_LOCKED_PROXIES") else { return };
    let server = McpServer::legacy().at(address).run();
    let locked: Vec<_> = locked.split_whitespace().collect();
    let bridges = locked.iter().flat_map(|proxy| {
        [server.url(), format!("https://{}/mcp", server.host())]
            .map(|url| BridgeProcess::to(url).args(["--allow-http", "--proxy", proxy]))
    });
    let errors = errors(bridges.collect());
    for (index, error) in errors.iter().enumerate() {
        let proxy = locked[index / 2];
        let said = error["message"].as_str().expect("a message");
        let expected =
            if proxy.contains('@') { "refuses the user name" } else { "wants a user name" };
        assert!(said.contains(expected), "{proxy}: {said}");
        assert!(!error.to_string().contains("me:wrong"), "{error}");
    }
    assert_eq!(server.connections(), 0);
}
