//! The way to the server.

use std::rc::Rc;

use super::{Cause, Sick, all_are_found_and_cured, doctor, seen};
use crate::support::bridge_process::Builder;
use crate::support::certificates::{Certificate, ClientCertificate, Protocols};
use crate::support::proxy::LOGIN;
use crate::support::{BlackHole, ClosedPort, McpServer, Proxy, RawServer};

fn text(path: &std::path::Path) -> String {
    path.to_str().expect("a readable path").to_owned()
}

pub(super) const CAUSES: usize = OF_CONNECTION.len() + OF_CERTIFICATE.len() + OF_PROXY.len();

const OF_CONNECTION: &[Cause] = &[
    Cause {
        name: "a wrong host",
        sick: || {
            let server = McpServer::legacy().run();
            let url = server.url();
            Sick::new(doctor(["https://nowhere.invalid/mcp"]), server)
                .cured_by(move || doctor([url]))
        },
        check: "dns",
        says: "the name of nowhere.invalid can't be looked up",
        advises: "check the spelling of nowhere.invalid",
        code: 5,
    },
    Cause {
        name: "nobody at the port",
        sick: || {
            let server = Rc::new(McpServer::legacy().run_stopped());
            let url = server.url();
            Sick::new(doctor([url.clone()]), Rc::clone(&server)).cured_by(move || {
                server.start();
                doctor([url])
            })
        },
        check: "tcp",
        says: "can't be reached: connection refused",
        advises: "is running",
        code: 5,
    },
    Cause {
        name: "a firewall that drops packets",
        sick: || {
            let (hole, server) = (BlackHole::dig(), McpServer::legacy().run());
            let opened = doctor([server.url()]);
            let sick = doctor([hole.url(), "--connect-timeout".into(), "0.5".into()]);
            Sick::new(sick, (hole, server)).cured_by(|| opened)
        },
        check: "tcp",
        says: "can't be reached in time",
        advises: "check the network",
        code: 5,
    },
];

#[test]
fn what_is_wrong_with_the_connection_is_found() {
    all_are_found_and_cured(OF_CONNECTION);
}

/// A server that shows this certificate.
fn shows(certificate: Certificate) -> Sick {
    let server = McpServer::legacy().tls(certificate, Protocols::Http2AndHttp1).run();
    let file = text(&server.ca_file());
    let args = [server.url(), "--ca-cert".to_owned(), file];
    // Whoever runs it puts another in its place.
    let renewed = McpServer::legacy().https().run();
    let trusted = ["--ca-cert".to_owned(), text(&renewed.ca_file())];
    let cured = doctor([renewed.url()]).args(trusted);
    Sick::new(doctor(args), (server, renewed)).cured_by(|| cured)
}

const OF_CERTIFICATE: &[Cause] = &[
    Cause {
        name: "an unknown authority",
        sick: || {
            let server = McpServer::legacy().https().run();
            let (url, file) = (server.url(), text(&server.ca_file()));
            Sick::new(doctor([url.clone()]), server)
                .advised(move |it| doctor([url]).args(it.option_with("--ca-cert", file)))
        },
        check: "tls",
        says: "not trusted (unknown issuer); its issuer is `a private authority`",
        advises: "name the file with `--ca-cert FILE`",
        code: 5,
    },
    Cause {
        name: "a certificate that has expired",
        sick: || shows(Certificate::Expired),
        check: "tls",
        says: "its certificate has expired",
        advises: "tell whoever runs 127.0.0.1",
        code: 5,
    },
    Cause {
        name: "a certificate that is not valid yet",
        sick: || shows(Certificate::NotYetValid),
        check: "tls",
        says: "its certificate is not valid yet",
        advises: "check the clock of this machine",
        code: 5,
    },
    Cause {
        name: "a certificate for another name",
        sick: || shows(Certificate::WrongName),
        check: "tls",
        says: "its certificate is for another name",
        advises: "check the spelling of https://127.0.0.1",
        code: 5,
    },
    Cause {
        name: "a server without TLS",
        sick: || {
            let server = McpServer::legacy().run();
            let url = server.url();
            Sick::new(doctor([url.replace("http:", "https:")]), server)
                .cured_by(move || doctor([url]))
        },
        check: "tls",
        says: "it does not speak TLS",
        advises: "a server without TLS has an http:// address",
        code: 5,
    },
    Cause {
        name: "a client certificate that is missing, TLS 1.3",
        sick: || wants_certificate(ClientCertificate::AskedInTls13),
        check: "tls",
        says: "it asks for a client certificate",
        advises: "name it with `--client-cert FILE`, and its key with `--client-key FILE`",
        code: 5,
    },
    Cause {
        name: "a client certificate that is missing, TLS 1.2",
        sick: || wants_certificate(ClientCertificate::AskedInTls12),
        check: "tls",
        says: "it asks for a client certificate",
        advises: "name it with `--client-cert FILE`",
        code: 5,
    },
];

#[test]
fn what_is_wrong_with_a_certificate_is_found() {
    all_are_found_and_cured(OF_CERTIFICATE);
}

fn wants_certificate(asked: ClientCertificate) -> Sick {
    let server = McpServer::legacy().mutual_tls(asked, Protocols::Http1).run();
    let files = server.authority().client_files();
    let plain = [server.url(), "--ca-cert".to_owned(), text(&server.ca_file())];
    let cured = doctor(plain.clone());
    Sick::new(doctor(plain), server).advised(move |it| {
        let certificate = it.option_with("--client-cert", text(&files.certificate));
        cured.args(certificate).args(it.option_with("--client-key", text(&files.key)))
    })
}

/// `bridge doctor` for a name that only the proxy knows.
fn through(server: &McpServer, proxy: &str) -> Builder {
    doctor([server.url_at("mcp.test")])
        .env("SSL_CERT_FILE", server.ca_file())
        .env("HTTPS_PROXY", proxy)
}

const OF_PROXY: &[Cause] = &[
    Cause {
        name: "a proxy that wants a login",
        sick: || {
            let server = McpServer::legacy().https().run();
            let proxy = Proxy::http(&server).with_login().run();
            let cured = through(&server, &format!("http://{LOGIN}@{}", proxy.host()));
            let sick = through(&server, &format!("http://{}", proxy.host()));
            Sick::new(sick, (server, proxy)).cured_by(move || cured)
        },
        check: "proxy",
        says: "wants a user name and password",
        advises: "`HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT`",
        code: 5,
    },
    Cause {
        name: "a proxy that refuses",
        sick: || {
            let server = McpServer::legacy().https().run();
            let proxy = Proxy::http(&server).refusing("403 Forbidden").run();
            let allowing = Proxy::http(&server).run();
            let cured = through(&server, &format!("http://{}", allowing.host()));
            let sick = through(&server, &format!("http://{}", proxy.host()));
            Sick::new(sick, (server, proxy, allowing)).cured_by(|| cured)
        },
        check: "proxy",
        says: "refuses to connect to mcp.test",
        advises: "ask whoever runs the proxy to allow mcp.test",
        code: 5,
    },
    Cause {
        name: "a proxy that is not there",
        sick: || {
            let server = McpServer::legacy().https().run();
            let proxy = Proxy::http(&server).run();
            let nobody = ClosedPort::reserve();
            let cured = through(&server, &format!("http://{}", proxy.host()));
            let sick = through(&server, &format!("http://{}", nobody.address()));
            Sick::new(sick, (server, proxy, nobody)).cured_by(move || cured)
        },
        check: "proxy",
        says: "can't be reached",
        advises: "check the proxy's address in `--proxy`, `HTTPS_PROXY`",
        code: 5,
    },
    Cause {
        name: "a web server in place of a proxy",
        sick: || {
            let server = McpServer::legacy().https().run();
            let other = RawServer::always("220 mail.example ESMTP\r\n");
            let proxy = Proxy::http(&server).run();
            let cured = through(&server, &format!("http://{}", proxy.host()));
            let sick = through(&server, &format!("http://{}", other.host()));
            Sick::new(sick, (server, other, proxy)).cured_by(|| cured)
        },
        check: "proxy",
        says: "does not answer as a proxy",
        advises: "check the proxy's address: its port",
        code: 5,
    },
];

#[test]
fn what_is_wrong_at_a_proxy_is_found() {
    all_are_found_and_cured(OF_PROXY);
}

#[test]
fn the_way_is_told_step_by_step() {
    let server = McpServer::legacy().https().run();
    let proxy = Proxy::http(&server).run();
    let told = seen(through(&server, &format!("http://{}", proxy.host())));
    assert_eq!(told.failed(), [""; 0], "{told:#?}");
    assert_eq!(told.text("proxy", "detail"), format!("{}: `HTTPS_PROXY` names it", proxy.host()));
    assert_eq!(told.text("dns", "detail"), "the proxy looks the name up");
    assert_eq!(told.text("tcp", "detail"), format!("through the proxy at {}", proxy.host()));
    assert_eq!(told.text("tls", "detail"), "TLS 1.3, HTTP/2");
    let chain = &told.check("tls")["data"]["chain"];
    assert_eq!(chain[0]["issuer"], "`a private authority`", "{told:#?}");
    let direct = doctor([server.url_at(&format!("localhost:{}", server.address().port()))])
        .env("SSL_CERT_FILE", server.ca_file());
    let told = seen(direct.env("HTTPS_PROXY", "http://127.0.0.1:9"));
    assert_eq!(told.failed(), [""; 0], "{told:#?}");
    assert_eq!(told.text("proxy", "detail"), "none: the server is on this machine");
    assert!(told.text("dns", "detail").starts_with("localhost is "), "{told:#?}");
}
