//! The authorization page, of which the person approves at once.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::connection::{Answer, Asked};
use super::{Code, World};

pub(super) fn answer(world: &World, asked: &Asked) -> Answer {
    let param = |name: &str| asked.param(name).unwrap_or_default();
    let client_id = param("client_id");
    let Some(client) = world.state().clients.get(&client_id).cloned() else {
        world.state().faults.push(format!("unknown client {client_id}"));
        return Answer::page(400, "<h1>Unknown client</h1>");
    };
    let redirect_uri = param("redirect_uri");
    if !client.redirect_uris.contains(&redirect_uri) {
        world.state().faults.push(format!("{redirect_uri} is not registered"));
        return Answer::page(400, "<h1>Wrong address</h1>");
    }
    let refuse = |code: &str, why: &str| {
        world.state().faults.push(format!("{code}: {why}"));
        back(world, &redirect_uri, &[("error", code), ("state", &param("state"))])
    };
    let repeated = |name: &str| asked.query.iter().filter(|(given, _)| given == name).count() > 1;
    if asked.query.iter().any(|(name, _)| repeated(name)) {
        return refuse("invalid_request", "a parameter came twice");
    }
    if param("response_type") != "code" || param("state").len() < 20 {
        return refuse("invalid_request", "response type or state");
    }
    if param("code_challenge_method") != "S256" || param("code_challenge").len() != 43 {
        return refuse("invalid_request", "no PKCE");
    }
    let resource = asked.param("resource");
    if resource.is_some() != world.plan.wants_resource
        || resource.is_some_and(|resource| resource != world.resource())
    {
        return refuse("invalid_target", "which resource?");
    }
    let scope = param("scope");
    let registered = client.scope.clone().unwrap_or_default();
    let within = |scope: &str| registered.split(' ').any(|each| each == scope);
    if world.plan.scopes_are_bound && !scope.split(' ').filter(|s| !s.is_empty()).all(within) {
        return refuse("invalid_scope", "not registered for that");
    }
    if scope.split(' ').any(|each| each == "offline_access") && param("prompt") != "consent" {
        return refuse("invalid_request", "offline_access wants consent");
    }
    let code = world.fresh("code");
    let challenge = param("code_challenge");
    let entry = Code {
        client_id,
        redirect_uri: redirect_uri.clone(),
        challenge,
        scope,
        asked: asked.query.clone(),
        is_over: false,
    };
    world.state().codes.insert(code.clone(), entry);
    back(world, &redirect_uri, &[("code", &code), ("state", &param("state"))])
}

fn back(world: &World, redirect_uri: &str, params: &[(&str, &str)]) -> Answer {
    let mut url = url::Url::parse(redirect_uri).expect("a registered URL");
    url.query_pairs_mut().extend_pairs(params);
    if world.plan.iss {
        url.query_pairs_mut().append_pair("iss", &world.issuer());
    }
    Answer::redirect(302, url.as_str())
}

/// What a browser would do: opens a URL, approves, and gives the query that it is sent back with, or
/// the status of the page where it stays.
pub fn visit(url: &str) -> Result<String, u16> {
    let url = url::Url::parse(url).expect("a URL");
    let address = format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"));
    let mut socket = TcpStream::connect(address).expect("a server");
    let target = &url[url::Position::BeforePath..];
    write!(socket, "GET {target} HTTP/1.1\r\nhost: x\r\n\r\n").expect("a request");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let location = answer.lines().find_map(|line| line.strip_prefix("location: "));
    match location {
        Some(location) => Ok(location.split_once('?').map_or("", |(_, query)| query).to_owned()),
        None => Err(status),
    }
}
