//! Dynamic registration (RFC 7591).

use serde_json::{Value, json};

use super::connection::{Answer, Asked};
use super::{Client, World};

pub(super) fn answer(world: &World, asked: &Asked) -> Answer {
    let request = asked.json();
    let text = |name: &str| request[name].as_str().map(str::to_owned);
    let uris: Vec<String> = request["redirect_uris"]
        .as_array()
        .map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default();
    if uris.is_empty() {
        return world.refuse(400, "invalid_redirect_uri", "none was given");
    }
    if text("application_type").as_deref() != Some("native") {
        return world.refuse(400, "invalid_client_metadata", "loopback needs a native application");
    }
    if !text("client_name").is_some_and(|name| name.starts_with("bridge")) {
        return world.refuse(400, "invalid_client_metadata", "who is asking?");
    }
    let method = text("token_endpoint_auth_method").unwrap_or_default();
    if !world.plan.methods.contains(&&*method) {
        return world.refuse(400, "invalid_client_metadata", "this way of proof is not offered");
    }
    let client_id = world.fresh("client").replace("-canary", "");
    let secret = (method != "none").then(|| world.fresh("secret"));
    let client =
        Client { secret: secret.clone(), redirect_uris: uris, scope: text("scope"), method };
    let mut answer = request.clone();
    answer["client_id"] = json!(client_id);
    if let Some(secret) = &secret {
        answer["client_secret"] = json!(secret);
        answer["client_secret_expires_at"] = json!(0);
    }
    world.state().clients.insert(client_id, client);
    world.plan.edit_registration.iter().for_each(|edit| edit(&mut answer));
    Answer::json(201, &answer)
}
