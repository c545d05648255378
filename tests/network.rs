//! What lies between the bridge and a server: certificates, proxies, addresses, time-outs.

use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::bridge_process::Builder;
use crate::support::certificates::{Certificate, ClientCertificate, Protocols};
use crate::support::mcp_server::matcher::{get, tool};
use crate::support::mcp_server::{self, text};
use crate::support::proxy::LOGIN;
use crate::support::{
    Answer, BlackHole, BridgeProcess, ClosedPort, Gate, McpServer, Proxy, RawServer, Step,
};

/// Longer than the bridge tries again.
const PATIENCE: Duration = Duration::from_secs(50);
const BOTH: [Protocols; 2] = [Protocols::Http2AndHttp1, Protocols::Http1];

/// A whole session: a call, an event stream, the server's own stream, the end.
#[track_caller]
fn works(bridge: Builder, server: &McpServer) {
    let mut bridge = bridge.spawn();
    bridge.initialize();
    assert_eq!(bridge.call_tool(1, "echo", json!({"text": "hi"}))["result"], text("hi"));
    server.once(tool("echo"), Answer::stream([Step::comment("a stream"), Step::result(text("s"))]));
    assert_eq!(bridge.call_tool(2, "echo", json!({"text": "s"}))["result"], text("s"));
    let news = json!({"jsonrpc": "2.0", "method": "notifications/resources/list_changed"});
    server.push(&news);
    assert_eq!(bridge.expect_method("notifications/resources/list_changed"), news);
    bridge.finish();
    assert!(server.count(get()) > 0);
}

fn https() -> McpServer {
    McpServer::legacy().https().run()
}

// ---- whom to trust

#[test]
fn a_private_authority_can_be_trusted_in_three_ways() {
    let server = https();
    let file = server.ca_file();
    let flag = file.to_str().expect("a readable path");
    works(BridgeProcess::to(server.url()).args(["--ca-cert", flag]), &server);
    works(BridgeProcess::to(server.url()).env("NODE_EXTRA_CA_CERTS", &file), &server);
    works(BridgeProcess::to(server.url()).env("SSL_CERT_FILE", &file), &server);
    works(BridgeProcess::to(server.url()).env("BRIDGE_CA_CERT", &file), &server);
}

#[test]
fn what_is_trusted_is_added_to_what_was_trusted() {
    let (server, other) = (https(), https());
    for ca_cert in [other.ca_file(), bundle(&[&other.ca_file(), &server.ca_file()])] {
        let bridge = BridgeProcess::to(server.url())
            .args(["--ca-cert", ca_cert.to_str().expect("a readable path")])
            .env("SSL_CERT_FILE", server.ca_file());
        works(bridge, &server);
    }
    let bridge = BridgeProcess::to(server.url())
        .args(["--ca-cert", other.ca_file().to_str().expect("a readable path")])
        .env("NODE_EXTRA_CA_CERTS", server.ca_file());
    works(bridge, &server);
}

#[test]
fn a_certificate_that_signed_itself_can_be_trusted_by_name() {
    let server = McpServer::legacy().tls(Certificate::SelfSigned, Protocols::Http1).run();
    let file = server.authority().server_file();
    works(BridgeProcess::to(server.url()).env("NODE_EXTRA_CA_CERTS", file), &server);
}

/// Several PEM files in one, with an odd certificate between them. It stays for the next run.
fn bundle(files: &[&Path]) -> std::path::PathBuf {
    let (folder, _) = (tempfile::tempdir().expect("a folder").keep(), ());
    let path = folder.join("bundle.pem");
    let odd = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned();
    let parts = files.iter().map(|file| std::fs::read_to_string(file).expect("a PEM file"));
    std::fs::write(&path, parts.chain([odd]).collect::<String>()).expect("writing the bundle");
    path
}

#[test]
fn a_client_certificate_is_shown_to_a_server_that_asks() {
    for (asked, protocols) in
        [(ClientCertificate::AskedInTls12, BOTH[1]), (ClientCertificate::AskedInTls13, BOTH[0])]
    {
        let server = McpServer::legacy().mutual_tls(asked, protocols).run();
        let files = server.authority().client_files();
        let to_server = || {
            BridgeProcess::to(server.url())
                .env("NODE_EXTRA_CA_CERTS", server.ca_file())
                .arg("--client-cert")
        };
        let both = files.both.to_str().expect("a readable path");
        works(to_server().arg(both), &server);
        let (certificate, key) = (files.certificate.to_str(), files.key.to_str());
        let args = [certificate.expect("readable"), "--client-key", key.expect("readable")];
        works(to_server().args(args), &server);
    }
}

/// Runs the bridge with arguments that it can't use; what it says, without the log.
fn refused(args: &[&str]) -> String {
    let mut bridge =
        BridgeProcess::with_args(["https://mcp.test/mcp"]).args(args.iter().copied()).spawn();
    let status = bridge.wait_exit();
    assert_eq!(status.code(), Some(2), "{args:?}");
    bridge.stderr_text().trim_end().to_owned()
}

#[test]
fn a_file_that_can_not_be_used_is_named_with_its_flag_before_anything_is_sent() {
    let server = https();
    let files = server.authority().client_files();
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("writing a file");
        path.to_str().expect("a readable path").to_owned()
    };
    let empty = file("empty.pem", "nothing\n");
    let encrypted = file(
        "encrypted.key",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let certificate = files.certificate.to_str().expect("a readable path");
    let other = server.authority().client_files_again();
    let other_key = other.key.to_str().expect("a readable path");
    let what = "error: a certificate can't be used\n  because: ";
    assert_eq!(
        refused(&["--ca-cert", &empty]),
        format!(
            "{what}{empty}, named by `--ca-cert`, holds no certificate\nhint: it has to hold \
             `-----BEGIN CERTIFICATE-----`; `openssl x509 -inform der -in {empty} -out {empty}.pem` \
             converts a binary file"
        )
    );
    assert_eq!(
        refused(&["--client-cert", certificate]),
        format!(
            "{what}{certificate}, named by `--client-cert`, holds no private key\nhint: name the \
             file that holds `-----BEGIN PRIVATE KEY-----` with `--client-key`"
        )
    );
    assert_eq!(
        refused(&["--client-cert", certificate, "--client-key", &encrypted]),
        format!(
            "{what}the private key in {encrypted}, named by `--client-key`, is encrypted, and bridge \
             can't ask for its password\nhint: write it without a password to a file that only you \
             can read: `openssl pkey -in {encrypted} -out {encrypted}.plain`"
        )
    );
    assert_eq!(
        refused(&["--client-cert", certificate, "--client-key", other_key]),
        format!(
            "{what}the private key in {other_key}, named by `--client-key`, can't be used: keys may \
             not be consistent: KeyMismatch\nhint: check that `--client-cert` begins with the \
             certificate that belongs to the key"
        )
    );
    assert!(refused(&["--client-key", other_key]).contains("--client-cert"));
    assert!(refused(&["--ipv4", "--ipv6"]).contains("`--ipv4` contradicts `--ipv6`"));
}

// ---- proxies

#[test]
fn an_http_proxy_leads_to_servers_with_and_without_tls() {
    let server = McpServer::legacy().run();
    let proxy = Proxy::http(&server).run();
    let url = server.url_at("mcp.test");
    let flag = format!("http://{}", proxy.host());
    works(BridgeProcess::to(&url).args(["--allow-http", "--proxy", &flag]), &server);
    assert!(proxy.seen().contains(&"POST http://mcp.test/mcp".to_owned()), "{:?}", proxy.seen());
    assert!(proxy.seen().contains(&"GET http://mcp.test/mcp".to_owned()), "{:?}", proxy.seen());
    for protocols in BOTH {
        let server = McpServer::legacy().tls(Certificate::Good, protocols).run();
        let proxy = Proxy::http(&server).run();
        let bridge = BridgeProcess::to(server.url_at("mcp.test"))
            .env("SSL_CERT_FILE", server.ca_file())
            .env("HTTPS_PROXY", format!("http://{}", proxy.host()));
        works(bridge, &server);
        assert!(proxy.seen().iter().all(|asked| asked == "CONNECT mcp.test:443"));
    }
}

#[test]
fn a_login_reaches_the_proxy_and_nobody_else() {
    let plain = McpServer::legacy().run();
    let tls = https();
    for (server, scheme) in [(&plain, "http"), (&tls, "https")] {
        for proxy in [Proxy::http(server), Proxy::socks5(server)] {
            let proxy = proxy.with_login().run();
            let kind = if proxy.speaks_http() { "http" } else { "socks5h" };
            let url = format!("{kind}://{LOGIN}@{}", proxy.host());
            let mut bridge = BridgeProcess::to(format!("{scheme}://mcp.test:8123/mcp"))
                .args(["--allow-http", "--debug"])
                .env("all_proxy", url);
            if scheme == "https" {
                bridge = bridge.env("SSL_CERT_FILE", server.ca_file());
            }
            let mut bridge = bridge.spawn();
            bridge.initialize();
            assert_eq!(bridge.call_tool(1, "echo", json!({"text": "hi"}))["result"], text("hi"));
            bridge.close_stdin();
            bridge.wait_exit();
            let log = bridge.stderr_text();
            assert!(log.contains(&proxy.host()), "the proxy is named: {log}");
            for secret in ["p%40ss", "p@ss", "bWU6Y2FuYXJ5LXBAc3M="] {
                assert!(!log.contains(secret), "{secret} is in {log}");
            }
            let by = if kind == "http" {
                " by Basic bWU6Y2FuYXJ5LXBAc3M="
            } else {
                " by me:canary-p@ss"
            };
            assert!(proxy.seen().iter().all(|asked| asked.ends_with(by)), "{:?}", proxy.seen());
        }
        let told = |request: &mcp_server::Request| request.header("proxy-authorization").is_some();
        assert!(!server.requests().iter().any(told));
    }
}

#[test]
fn socks_looks_names_up_where_its_scheme_says() {
    let server = https();
    let proxy = Proxy::socks5(&server).run();
    let bridge = |url: &str, scheme: &str| {
        BridgeProcess::to(url)
            .env("SSL_CERT_FILE", server.ca_file())
            .args(["--proxy".to_owned(), format!("{scheme}://{}", proxy.host())])
    };
    works(bridge("https://mcp.test/mcp", "socks5h"), &server);
    assert!(proxy.seen().iter().all(|asked| asked == "SOCKS mcp.test:443"), "{:?}", proxy.seen());
    // An address is what it is in both.
    let server = McpServer::legacy().run();
    let proxy = Proxy::socks5(&server).run();
    let flag = format!("socks5://{}", proxy.host());
    for url in ["http://192.0.2.7:81/mcp", "http://[2001:db8::7]:81/mcp"] {
        works(BridgeProcess::to(url).args(["--allow-http", "--proxy", &flag]), &server);
    }
    assert!(proxy.seen().contains(&"SOCKS 192.0.2.7:81".to_owned()), "{:?}", proxy.seen());
    assert!(proxy.seen().contains(&"SOCKS [2001:db8::7]:81".to_owned()), "{:?}", proxy.seen());
}

#[test]
fn the_way_to_the_proxy_can_be_encrypted() {
    let server = https();
    let proxy = Proxy::http(&server).over_tls().run();
    let bridge = BridgeProcess::to(server.url_at("mcp.test"))
        .env("SSL_CERT_FILE", server.ca_file())
        .env("NODE_EXTRA_CA_CERTS", proxy.ca_file())
        .args(["--enable-proxy".to_owned(), "--proxy".into(), format!("https://{}", proxy.host())]);
    works(bridge, &server);
    assert!(!proxy.seen().is_empty());
}

#[test]
fn this_machine_and_exceptions_are_reached_without_a_proxy() {
    let server = McpServer::legacy().run();
    let nowhere = ClosedPort::reserve();
    let proxy = format!("http://{}", nowhere.address());
    works(BridgeProcess::to(server.url()).args(["--proxy", &proxy]), &server);
    works(BridgeProcess::to(server.url()).env("ALL_PROXY", &proxy), &server);
}

// ---- what goes wrong

/// The errors of calls that are tried again for half a minute, side by side.
fn errors(bridges: Vec<Builder>) -> Vec<Value> {
    let mut calls: Vec<_> = bridges
        .into_iter()
        .map(|bridge| {
            let mut bridge = bridge.deadline(PATIENCE).spawn();
            bridge.request(7, "tools/call", json!({"name": "echo", "arguments": {}}));
            bridge
        })
        .collect();
    calls.iter_mut().map(|bridge| bridge.expect_response(7)["error"].take()).collect()
}

#[track_caller]
fn assert_messages(cases: Vec<(Builder, String)>) {
    let (bridges, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let errors = errors(bridges);
    // What a system without a name server says in place of "name or service not known".
    let said = |error: &Value| {
        let message = error["message"].as_str().expect("a message");
        message.replace("temporary failure in name resolution", "name or service not known")
    };
    let said: Vec<_> = errors.iter().map(said).collect();
    assert_eq!(said, expected, "{errors:#?}");
    for error in &errors {
        assert_eq!(error["data"]["kind"], "unreachable", "{error}");
        assert!(error["data"]["cause"].as_str().is_some_and(|cause| !cause.is_empty()), "{error}");
        assert!(!error.to_string().contains("p@ss") && !error.to_string().contains("p%40ss"));
    }
}

/// What the bridge trusts beside the system.
fn trusting(server: &McpServer, file: &Path) -> Builder {
    BridgeProcess::to(server.url()).env("NODE_EXTRA_CA_CERTS", file)
}

/// `HOST` and `URL` in the hint are the server's.
fn no_tls(server: &McpServer, what: &str, hint: &str) -> String {
    let hint = hint.replace("HOST", &server.host()).replace("URL", &server.url());
    format!("no secure connection to {}: {what}; {hint}", server.host())
}

#[test]
fn each_failure_of_a_certificate_says_what_to_do() {
    let table = [
        (
            Certificate::SelfSigned,
            "its certificate is not trusted (unknown issuer)",
            "add its issuer's certificate to the system's trust store, or name the file with \
             `--ca-cert FILE`",
        ),
        (
            Certificate::Expired,
            "its certificate has expired",
            "tell whoever runs HOST, and check the clock of this machine",
        ),
        (
            Certificate::NotYetValid,
            "its certificate is not valid yet",
            "check the clock of this machine; if it is right, tell whoever runs HOST",
        ),
        (
            Certificate::WrongName,
            "its certificate is for another name",
            "check the spelling of URL; if it is right, tell whoever runs HOST",
        ),
    ];
    let servers =
        table.map(|(shown, ..)| McpServer::legacy().tls(shown, Protocols::Http2AndHttp1).run());
    let authority = McpServer::legacy().tls(Certificate::SelfSignedAuthority, BOTH[0]).run();
    let mut cases: Vec<_> = servers
        .iter()
        .zip(table)
        .map(|(server, (_, what, hint))| {
            (trusting(server, &server.ca_file()), no_tls(server, what, hint))
        })
        .collect();
    cases.push((
        trusting(&authority, &authority.authority().server_file()),
        no_tls(
            &authority,
            "its certificate is that of an authority, not of a server",
            "renew the certificate of HOST with `basicConstraints=CA:FALSE`, and name its issuer \
             with `--ca-cert FILE`",
        ),
    ));
    assert_messages(cases);
}

#[test]
fn a_server_without_tls_behind_an_https_address_says_what_to_do() {
    let server = McpServer::legacy().run();
    let (host, url) = (server.host(), server.url().replace("http:", "https:"));
    let message = format!(
        "no secure connection to {host}: it does not speak TLS; check the port of {url}; a server \
         without TLS has an http:// address"
    );
    assert_messages(vec![(BridgeProcess::to(url), message)]);
}

#[test]
fn each_failure_of_mutual_tls_says_what_to_do() {
    let servers: Vec<_> = [
        (ClientCertificate::AskedInTls12, Protocols::Http1),
        (ClientCertificate::AskedInTls13, Protocols::Http1),
        (ClientCertificate::AskedInTls13, Protocols::Http2AndHttp1),
    ]
    .into_iter()
    .map(|(asked, protocols)| McpServer::legacy().mutual_tls(asked, protocols).run())
    .collect();
    let other = https();
    let stranger = other.authority().client_files().both;
    let mut cases = Vec::new();
    for server in &servers {
        let message = no_tls(
            server,
            "it asks for a client certificate",
            "name it with `--client-cert FILE`, and its key with `--client-key FILE`",
        );
        cases.push((trusting(server, &server.ca_file()), message));
        let message = no_tls(
            server,
            "it refuses the client certificate",
            "check that the file of `--client-cert` holds the certificate that HOST knows, those that \
             lead to its issuer, and that it has not expired",
        );
        let bridge = trusting(server, &server.ca_file()).env("BRIDGE_CLIENT_CERT", &stranger);
        cases.push((bridge, message));
    }
    assert_messages(cases);
    for server in &servers {
        assert!(server.connections() < 60, "{} connections", server.connections());
    }
}

/// What is said of a proxy, and what to do; `PROXY` is its address.
const WANTS_LOGIN: &str = "the proxy PROXY wants a user name and password (HTTP 407 Proxy \
     Authentication Required; it takes Basic); put them into the proxy's address, as in \
     `HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT`";
const REFUSES_LOGIN: &str = "the proxy PROXY refuses the user name or password (HTTP 407 Proxy \
     Authentication Required; it takes Basic); check them in the proxy's address; there @ is \
     written %40, : is %3A, / is %2F and % is %25";
const OTHER_LOGIN: &str = "the proxy PROXY wants a login of a kind that bridge does not have (HTTP \
     407 Proxy Authentication Required; it takes NTLM); let a proxy on this machine that knows it \
     stand in between, such as cntlm or px, and name that with `--proxy`";
const DENIES: &str = "the proxy PROXY refuses to connect to mcp.test (HTTP 403 Forbidden); ask \
     whoever runs the proxy to allow mcp.test; if it can be reached without, add it to `NO_PROXY`";
const CUT_OFF: &str = "the proxy PROXY can't connect to mcp.test (HTTP 502 Bad Gateway); check that \
     mcp.test is running; if it is inside your own network, add it to `NO_PROXY`";
const UNREACHABLE: &str = "the proxy PROXY can't be reached: connection refused; check the proxy's address in `--proxy`, \
     `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` or the system's settings; `--proxy none` does without";
const NO_PROXY: &str = "the proxy PROXY does not answer as a proxy; check the proxy's address: its \
     port, and whether it begins with http://, https:// or socks5://";
const UNTRUSTED: &str = "no secure connection to the proxy PROXY: its certificate is not trusted (unknown issuer); \
     add its issuer's certificate to the system's trust store, or name the file with `--ca-cert FILE`";
const SOCKS_WANTS_LOGIN: &str = "the proxy PROXY wants a user name and password (it takes nobody \
     without a user name); put them into the proxy's address, as in \
     `HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT`";
const SOCKS_REFUSES_LOGIN: &str = "the proxy PROXY refuses the user name or password (it does not \
     accept user name and password); check them in the proxy's address; there @ is written %40, : is \
     %3A, / is %2F and % is %25";
const SOCKS_DENIES: &str = "the proxy PROXY refuses to connect to mcp.test (SOCKS reply 2: not \
     allowed by its rules); ask whoever runs the proxy to allow mcp.test; if it can be reached \
     without, add it to `NO_PROXY`";
const SOCKS_CUT_OFF: &str = "the proxy PROXY can't connect to mcp.test (SOCKS reply 4: host \
     unreachable); check that mcp.test is running; if it is inside your own network, add it to \
     `NO_PROXY`";
const NO_NAME: &str = "the name of mcp.test can't be looked up: name or service not known; check the spelling of mcp.test and \
     the network";

/// Rows of the scheme of the server, that of the proxy, what stands before its address, the address,
/// and the message.
#[track_caller]
fn assert_proxy_messages(table: &[(&str, &str, &str, String, &str)]) {
    let cases = table.iter().map(|(server, scheme, login, proxy, message)| {
        let bridge = BridgeProcess::to(format!("{server}://mcp.test/mcp")).args([
            "--allow-http",
            "--proxy",
            &format!("{scheme}://{login}{proxy}"),
        ]);
        (bridge, message.replacen("PROXY", proxy, 1))
    });
    assert_messages(cases.collect());
}

#[test]
fn each_failure_of_an_http_proxy_says_what_to_do() {
    let server = McpServer::legacy().run();
    let login = Proxy::http(&server).with_login().run().host();
    let ntlm = "407 Proxy Authentication Required\r\nproxy-authenticate: NTLM";
    let ntlm = Proxy::http(&server).refusing(ntlm).run().host();
    let denying = Proxy::http(&server).refusing("403 Filtered").run().host();
    let cut_off = Proxy::http(&server).refusing("502 Bad Gateway").run().host();
    let nowhere = ClosedPort::reserve();
    let no_proxy = RawServer::always("220 mail.example ESMTP\r\n").host();
    let hidden = Proxy::http(&server).over_tls().run().host();
    let wrong = "me:canary-p%40ssx@";
    let right = "me:canary-p%40ss@";
    assert_proxy_messages(&[
        ("https", "http", "", login.clone(), WANTS_LOGIN),
        ("http", "http", "", login.clone(), WANTS_LOGIN),
        ("https", "http", wrong, login.clone(), REFUSES_LOGIN),
        ("http", "http", wrong, login, REFUSES_LOGIN),
        ("https", "http", right, ntlm, OTHER_LOGIN),
        ("https", "http", right, denying, DENIES),
        ("https", "http", right, cut_off, CUT_OFF),
        ("https", "http", right, nowhere.address().to_string(), UNREACHABLE),
        ("http", "http", right, nowhere.address().to_string(), UNREACHABLE),
        ("https", "http", right, no_proxy, NO_PROXY),
        ("https", "https", right, hidden, UNTRUSTED),
    ]);
    assert_eq!(server.connections(), 0);
}

#[test]
fn each_failure_of_a_socks_proxy_says_what_to_do() {
    let server = McpServer::legacy().run();
    let login = Proxy::socks5(&server).with_login().run().host();
    let denying = Proxy::socks5(&server).refusing("2").run().host();
    let cut_off = Proxy::socks5(&server).refusing("4").run().host();
    let open = Proxy::socks5(&server).run().host();
    let nowhere = ClosedPort::reserve();
    let no_proxy = RawServer::always("220 mail.example ESMTP\r\n").host();
    assert_proxy_messages(&[
        ("https", "socks5h", "", login.clone(), SOCKS_WANTS_LOGIN),
        ("http", "socks5h", "me:canary-p%40ssx@", login, SOCKS_REFUSES_LOGIN),
        ("https", "socks5h", "", denying, SOCKS_DENIES),
        ("http", "socks5h", "", cut_off, SOCKS_CUT_OFF),
        ("https", "socks5h", "", nowhere.address().to_string(), UNREACHABLE),
        ("https", "socks5", "", open, NO_NAME),
        ("https", "http", "", no_proxy, NO_PROXY),
    ]);
    assert_eq!(server.connections(), 0);
}

// ---- addresses and time-outs

/// `localhost` has two addresses, and the first of them swallows what is sent to it.
#[test]
fn a_black_hole_behind_one_address_costs_a_moment() {
    let hole = BlackHole::dig_at((Ipv6Addr::LOCALHOST, 0).into());
    let server = McpServer::legacy().on_port(hole.address().port()).run();
    let url = server.url_at(&format!("localhost:{}", hole.address().port()));
    let start = Instant::now();
    works(BridgeProcess::to(&url), &server);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    works(BridgeProcess::to(&url).arg("--ipv4"), &server);
}

#[test]
fn one_kind_of_address_can_be_forbidden() {
    let server = McpServer::legacy().at(IpAddr::V6(Ipv6Addr::LOCALHOST)).run();
    let port = server.address().port();
    works(BridgeProcess::to(server.url()).arg("--ipv6"), &server);
    let before = server.count("tools/call");
    let closed = ClosedPort::reserve();
    let (localhost, v4) =
        (format!("localhost:{port}"), format!("localhost:{}", closed.address().port()));
    let hint = |host: &str| format!("check the network, and that {host} is running");
    assert_messages(vec![
        (
            BridgeProcess::to(server.url_at(&localhost)).arg("--ipv4"),
            format!("{localhost} can't be reached: connection refused; {}", hint(&localhost)),
        ),
        (
            BridgeProcess::to(format!("http://{v4}/mcp")).arg("--ipv4"),
            format!("{v4} can't be reached: connection refused; {}", hint(&v4)),
        ),
    ]);
    assert_eq!(server.count("tools/call"), before);
}

#[test]
fn each_time_out_is_an_error_that_says_so() {
    let never = Gate::named("never");
    let silent = McpServer::legacy().always(tool("echo"), Answer::stall()).run();
    let stuck = McpServer::legacy()
        .always(tool("echo"), Answer::stream([Step::comment("soon"), Step::Wait(never)]))
        .run();
    let cases = [
        (&silent, "--headers-timeout", "no answer began within 1 s (`--headers-timeout`)"),
        (&stuck, "--body-timeout", "nothing more came within 1 s (`--body-timeout`)"),
    ];
    for (server, flag, cause) in cases {
        let mut bridge = BridgeProcess::to(server.url()).args([flag, "1"]).spawn();
        bridge.initialize();
        let error = bridge.call_tool(7, "echo", json!({}))["error"].take();
        assert_eq!(error["data"]["kind"], "timeout", "{error}");
        assert_eq!(error["data"]["cause"], cause, "{error}");
        let host = server.host();
        assert_eq!(
            error["message"],
            format!(
                "{host} did not answer in time: {cause}; the outcome is unknown: the server may have \
                 carried it out; check what it did before you try again"
            )
        );
        assert_eq!(server.executions("echo"), 1, "not called again");
        bridge.finish();
    }
}

#[test]
fn connecting_takes_no_longer_than_allowed() {
    let hole = BlackHole::dig();
    let host = hole.address();
    let bridge = BridgeProcess::to(hole.url()).args(["--connect-timeout", "1"]);
    let message = format!(
        "{host} can't be reached in time: no connection within 1 s; check the network, and that {host} is running"
    );
    assert_messages(vec![(bridge, message)]);
}

// ---- pings

#[test]
fn pings_are_sent_only_when_they_are_asked_for() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).args(["--ping-interval", "1"]).spawn();
    bridge.initialize();
    server.wait_for_nth(2, "ping");
    bridge.finish();
    // The pings' answers are nobody's business but ours: `finish` saw that none came out.
    let server = McpServer::legacy().run();
    works(BridgeProcess::to(server.url()), &server);
    assert_eq!(server.count("ping"), 0);
}

#[test]
fn a_ping_finds_out_that_the_session_was_lost() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).args(["--ping-interval", "1"]).spawn();
    bridge.initialize();
    server.wait_for("notifications/initialized");
    server.lose_sessions(crate::support::Lost::NotFound);
    server.wait_for_nth(2, "initialize");
    assert_eq!(bridge.call_tool(1, "echo", json!({"text": "hi"}))["result"], text("hi"));
    bridge.finish();
}

// ---- real proxies

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
                 `NO_PROXY`"
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
