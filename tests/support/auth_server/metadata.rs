//! The two documents.

use serde_json::json;

use super::World;
use super::connection::Answer;

pub(super) fn answer(world: &World, path: &str) -> Answer {
    let plan = &world.plan;
    if plan.resource_at.contains(&path) {
        let mut document = json!({
            "resource": world.resource(),
            "authorization_servers": [world.issuer()],
            "scopes_supported": ["read", "write"],
        });
        plan.edit_resource.iter().for_each(|edit| edit(&mut document));
        return Answer::json(200, &document);
    }
    if plan.metadata_at.contains(&path) {
        let at = |path: &str| format!("{}{path}", world.base());
        let mut document = json!({
            "issuer": world.issuer(),
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "registration_endpoint": at("/register"),
            "revocation_endpoint": at("/revoke"),
            "device_authorization_endpoint": at("/device"),
            "scopes_supported": ["read", "write", "offline_access"],
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": plan.methods,
            "authorization_response_iss_parameter_supported": plan.iss,
        });
        plan.edit_metadata.iter().for_each(|edit| edit(&mut document));
        return Answer::json(200, &document);
    }
    Answer::page(404, "<h1>Not Found</h1>")
}
