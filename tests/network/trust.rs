//! Whom to trust, and how it is told that somebody is not.

use std::path::Path;

use super::{BOTH, assert_messages, errors, https, no_tls, trusting, works};
use crate::support::certificates::{Certificate, ClientCertificate, Protocols};
use crate::support::{BridgeProcess, McpServer, lossy};

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
fn a_second_connection_goes_on_with_the_tls_session_of_the_first() {
    let server = McpServer::legacy().tls(Certificate::Good, Protocols::Http1).run();
    works(trusting(&server, &server.ca_file()), &server);
    assert!(server.connections() > 1 && server.resumed() > 0);
}

#[test]
fn a_server_that_asked_for_a_certificate_is_told_as_such_though_its_alert_is_lost() {
    let servers = [
        (ClientCertificate::AskedInTls12, Protocols::Http1),
        (ClientCertificate::AskedInTls13, Protocols::Http1),
        (ClientCertificate::AskedInTls13, Protocols::Http2AndHttp1),
    ];
    let servers = servers.map(|(asked, of)| McpServer::legacy().mutual_tls(asked, of).run());
    let ways = servers.each_ref().map(|server| lossy::before(server.address()));
    let bridges = servers.iter().zip(ways).map(|(server, way)| {
        BridgeProcess::to(format!("https://{way}/mcp")).env("NODE_EXTRA_CA_CERTS", server.ca_file())
    });
    for (error, way) in errors(bridges.collect()).iter().zip(ways) {
        let message = error["message"].as_str().expect("a message");
        // Where the request was under way already, its outcome is unknown.
        let message =
            message.replace("; the outcome is unknown: the server may have carried it out", "");
        assert_eq!(
            message,
            format!(
                "no secure connection to {way}: it asks for a client certificate; name it with \
                 `--client-cert FILE`, and its key with `--client-key FILE`; {}",
                super::doctor(&format!("https://{way}/mcp"))
            ),
            "{error:#}"
        );
        assert!(!error.to_string().contains("docs.rs"), "{error:#}");
    }
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
