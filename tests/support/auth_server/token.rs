//! The token endpoint, and those that know clients in the same way.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::connection::{Answer, Asked};
use super::{Access, Client, Grant, Refresh, World};

/// Who asks, as it was proved.
struct Proof {
    client_id: String,
    client: Client,
}

pub(super) fn answer(world: &World, asked: &Asked) -> Answer {
    let proof = match prove(world, asked) {
        Ok(proof) => proof,
        Err(refusal) => return refusal,
    };
    let field = |name: &str| asked.field(name).unwrap_or_default();
    let resource = asked.field("resource");
    if resource.is_some() != world.plan.wants_resource
        || resource.is_some_and(|resource| resource != world.resource())
    {
        return world.refuse(400, "invalid_target", "which resource?");
    }
    match &*field("grant_type") {
        "authorization_code" => redeem(world, asked, &proof),
        "refresh_token" => refresh(world, asked, &proof),
        "client_credentials" if proof.client.method == "none" => {
            world.refuse(400, "unauthorized_client", "a public client can't act for itself")
        }
        "client_credentials" => grant(world, &proof, &field("scope"), Vec::new(), None),
        "urn:ietf:params:oauth:grant-type:device_code" => poll(world, asked, &proof),
        other => world.refuse(400, "unsupported_grant_type", other),
    }
}

fn prove(world: &World, asked: &Asked) -> Result<Proof, Answer> {
    let media_type = asked.header("content-type").unwrap_or_default();
    if media_type != "application/x-www-form-urlencoded" {
        return Err(world.refuse(400, "invalid_request", "no form"));
    }
    let basic = asked.header("authorization").and_then(|value| value.strip_prefix("Basic "));
    let assertion = asked.field("client_assertion");
    let (client_id, secret, method) = if let Some(basic) = basic {
        let pair = STANDARD.decode(basic).expect("base64");
        let pair = String::from_utf8(pair).expect("text");
        let (id, secret) = pair.split_once(':').expect("a pair");
        // As the official Python SDK does it: the client is looked for by the form.
        if asked.field("client_id") != Some(decoded(id)) {
            return Err(world.refuse(401, "invalid_client", "Missing client_id"));
        }
        (decoded(id), Some(decoded(secret)), "client_secret_basic")
    } else if let Some(assertion) = &assertion {
        (subject(world, assertion)?, None, "private_key_jwt")
    } else {
        let secret = asked.field("client_secret");
        let method = if secret.is_some() { "client_secret_post" } else { "none" };
        (asked.field("client_id").unwrap_or_default(), secret, method)
    };
    let client = world.state().clients.get(&client_id).cloned();
    let works = world.plan.only_method.is_none_or(|only| only == method);
    match client.filter(|client| works && client.secret == secret) {
        Some(client) => Ok(Proof { client_id, client }),
        None => Err(world.refuse(401, "invalid_client", "Client authentication failed")),
    }
}

/// Whom an assertion is about. The signature is the unit test's business.
fn subject(world: &World, assertion: &str) -> Result<String, Answer> {
    let claims = assertion.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Value =
        claims.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let (issuer, token_endpoint) = (world.issuer(), format!("{}/token", world.base()));
    let audience = claims["aud"].as_str();
    if audience != Some(&issuer) && audience != Some(&token_endpoint) {
        return Err(world.refuse(401, "invalid_client", "for whom?"));
    }
    Ok(claims["sub"].as_str().unwrap_or_default().to_owned())
}

fn decoded(text: &str) -> String {
    let pair = format!("x={text}");
    url::form_urlencoded::parse(pair.as_bytes()).next().expect("a pair").1.into_owned()
}

fn redeem(world: &World, asked: &Asked, proof: &Proof) -> Answer {
    let field = |name: &str| asked.field(name).unwrap_or_default();
    let Some(code) = world.state().codes.remove(&field("code")) else {
        return world.refuse(400, "invalid_grant", "the code is unknown, or was used");
    };
    let digest = ring::digest::digest(&ring::digest::SHA256, field("code_verifier").as_bytes());
    let same = code.client_id == proof.client_id
        && code.redirect_uri == field("redirect_uri")
        && code.challenge == URL_SAFE_NO_PAD.encode(digest);
    if !same {
        return world.refuse(400, "invalid_grant", "client, redirect URI or verifier differ");
    }
    if code.is_over {
        // Of a slow person, which is nobody's fault.
        let why = "the code has expired";
        let error = json!({"error": "invalid_grant", "error_description": why});
        return Answer::json(400, &error);
    }
    grant(world, proof, &code.scope, code.asked, None)
}

fn refresh(world: &World, asked: &Asked, proof: &Proof) -> Answer {
    let token = asked.field("refresh_token").unwrap_or_default();
    let known = world.state().refresh.get(&token).cloned();
    let Some(known) = known.filter(|known| known.client_id == proof.client_id) else {
        return world.refuse(400, "invalid_grant", "the refresh token is unknown");
    };
    let dead = world.state().dead_families.contains(&known.family);
    if known.used || dead {
        world.state().dead_families.push(known.family);
        return world.refuse(400, "invalid_grant", "the refresh token was used before");
    }
    if world.plan.rotates {
        let mut state = world.state();
        state.refresh.get_mut(&token).expect("it is known").used = true;
    }
    grant(world, proof, &known.scope, known.asked, Some(known.family))
}

fn grant(
    world: &World,
    proof: &Proof,
    scope: &str,
    asked: Vec<(String, String)>,
    family: Option<usize>,
) -> Answer {
    let (access, renewed) = (world.fresh("access"), world.fresh("refresh"));
    let number = world.state().access.len() + 1;
    let client_id = proof.client_id.clone();
    let mut granted = Grant {
        client_id: client_id.clone(),
        number,
        access_token: access,
        scope: scope.to_owned(),
        is_renewable: true,
        asked,
    };
    world.plan.gives.iter().for_each(|decide| decide(&mut granted));
    let Grant { access_token, scope: given, is_renewable, asked, .. } = granted;
    let family = family.unwrap_or(number);
    let until = Instant::now() + Duration::from_secs(world.plan.lifetime);
    let mut answer = json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": world.plan.lifetime,
        "scope": given,
    });
    let mut state = world.state();
    state.access.insert(access_token, Access { family, scope: given, until });
    if is_renewable {
        answer["refresh_token"] = json!(renewed);
        // What was asked for may be granted the next time.
        let scope = scope.to_owned();
        state.refresh.insert(renewed, Refresh { client_id, family, scope, asked, used: false });
    }
    drop(state);
    world.plan.edit_token.iter().for_each(|edit| edit(&mut answer));
    Answer::json(200, &answer)
}

pub(super) fn revoke(world: &World, asked: &Asked) -> Answer {
    if let Err(refusal) = prove(world, asked) {
        return refusal;
    }
    let token = asked.field("token").unwrap_or_default();
    let mut state = world.state();
    let refreshed = state.refresh.get(&token).map(|refresh| refresh.family);
    let family = refreshed.or_else(|| state.access.get(&token).map(|access| access.family));
    state.dead_families.extend(family);
    Answer::http(200, &[], "")
}

pub(super) fn device(world: &World, asked: &Asked) -> Answer {
    if let Err(refusal) = prove(world, asked) {
        return refusal;
    }
    let answer = json!({
        "device_code": "device-code-canary-1",
        "user_code": "WDJB-MJHT",
        "verification_uri": format!("{}/activate", world.base()),
        "expires_in": 600,
        "interval": 1,
    });
    Answer::json(200, &answer)
}

fn poll(world: &World, asked: &Asked, proof: &Proof) -> Answer {
    if asked.field("device_code").as_deref() != Some("device-code-canary-1") {
        return world.refuse(400, "invalid_grant", "which device?");
    }
    let poll = {
        let mut state = world.state();
        state.polls += 1;
        state.polls - 1
    };
    match world.plan.device.get(poll).copied().unwrap_or("approve") {
        "approve" => grant(world, proof, "read", Vec::new(), None),
        "broken" => Answer::page(502, "<h1>Bad Gateway</h1>"),
        error => Answer::json(400, &json!({"error": error})),
    }
}
