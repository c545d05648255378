//! The terminal at each point where a user of a hosted product decides something.

use super::{Studio, WIDTHS};
use crate::support::hosted::callcamp::CallCamp;
use crate::support::hosted::maestra::Maestra;
use crate::support::hosted::vauchflow::Vauchflow;
use crate::support::tab;
use crate::support::terminal::page;

pub fn decisions(studio: &mut Studio) {
    token(studio);
    approval(studio);
    permission(studio);
    studio.authority = None;
}

/// The prompt for a token, and one that was revoked.
fn token(studio: &mut Studio) {
    let callcamp = CallCamp::run();
    studio.authority = Some(callcamp.authority().pem_file());
    studio.take("add", &["add", "studio", &callcamp.url(), "--force"]);
    let token = callcamp.generates_a_token();
    for columns in WIDTHS {
        let words = ["login", "studio", "--with-token"];
        studio.take_typed("with-token", &words, columns, |terminal| {
            terminal.asks_hidden("oken");
            terminal.types(&format!("{token}\r"));
        });
    }
    callcamp.revokes_all();
    studio.take("revoked", &["call", "studio", "get_costs"]);
}

/// A key's prompt, a write that waits for an approval, and a scope that is missing.
fn approval(studio: &mut Studio) {
    let vauchflow = Vauchflow::run();
    studio.authority = Some(vauchflow.authority().pem_file());
    let key = vauchflow.issues_agent_key(&["campaigns:write"]);
    for columns in WIDTHS {
        let url = vauchflow.url();
        let words = ["add", "vouchers", &url, "--force", "--secret-header", "X-API-Key"];
        studio.take_typed("add-key", &words, columns, |terminal| {
            terminal.asks_hidden("(it is not shown): ");
            terminal.types(&format!("{key}\r"));
        });
    }
    studio.take("pending-approval", &["call", "vouchers", "create_campaign"]);
    studio.take("missing-scope", &["call", "vouchers", "delete_campaign"]);
    vauchflow.keys_expire();
    studio.take("expired-key", &["call", "vouchers", "list_campaigns"]);
}

/// A sign-in that is good and opens nothing, and what it takes.
fn permission(studio: &mut Studio) {
    let maestra = Maestra::run();
    studio.authority = Some(maestra.authority().pem_file());
    studio.take("add-reports", &["add", "reports", &maestra.url(), "--force", "--no-check"]);
    for columns in WIDTHS {
        let words = ["login", "reports", "--no-browser", "--force"];
        studio.take_typed("login-feature-off", &words, columns, |terminal| {
            let shown = terminal.shows("Waiting for the browser");
            let back = tab::get(&page(&shown)).unwrap().location.unwrap();
            terminal.types(&format!("{back}\r"));
        });
    }
    studio.take("feature-off", &["tools", "reports"]);
    maestra.turns_the_feature_on();
    studio.take("missing-permission", &["tools", "reports"]);
    studio.take("doctor-missing-permission", &["doctor", "reports"]);
    maestra.grants_the_permission();
    studio.take("granted", &["tools", "reports"]);
}
