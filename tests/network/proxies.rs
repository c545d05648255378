//! Proxies, and what goes wrong at one.

use serde_json::json;

use super::{BOTH, assert_messages, https, works};
use crate::support::certificates::Certificate;
use crate::support::mcp_server::text;
use crate::support::proxy::LOGIN;
use crate::support::{BridgeProcess, ClosedPort, McpServer, Proxy, RawServer, mcp_server};

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
