//! Vauchflow: a key in a header, calls that are independent of each other, errors as it makes them.

use serde_json::{Value, json};

use super::{Line, Open, Product};
use crate::support::hosted::vauchflow::{CAMPAIGNS, TOOLS, VALID, Vauchflow};
use crate::support::hosted::{Client, Clients, Tale, User};

pub const PRODUCT: Product =
    Product { name: "vauchflow", about: "an API key, stateless, errors of its own", story, open };

const SCOPES: [&str; 4] = ["vouchers:read", "campaigns:read", "vouchers:write", "campaigns:write"];

fn story(tale: &mut Tale) {
    let vauchflow = Vauchflow::run();
    tale.watch(vauchflow.record());
    let user = User::trusting(vauchflow.authority());
    let key = vauchflow.issues_agent_key(&SCOPES);

    tale.step("`bridge add vauchflow URL --secret-header X-API-Key` reads the key", || {
        let line = format!("bridge add vauchflow {} --secret-header X-API-Key", vauchflow.url());
        user.pipes(&key, &line).ok().says(&["Saved `vauchflow`", "x-api-key: kept in"]);
        assert!(user.config().contains("X-API-Key = \"${keychain}\""), "{}", user.config());
        user.types("bridge install vauchflow --client claude-desktop").ok();
        assert!(!user.client_file().contains("canary"), "{}", user.client_file());
    });
    let windows = tale.way.copies();
    let clients = tale.step("The client starts bridge, with nothing but the name", || {
        user.opens(windows, &user.entry("vauchflow"))
    });
    results(tale, &vauchflow, &user, &clients);
    refusals(tale, &vauchflow, &clients);
    tale.step("`bridge doctor vauchflow` says the same", || {
        let said = user.types("bridge doctor vauchflow");
        said.says(&["your `x-api-key` header was refused", "bridge add vauchflow --force"]);
        assert_ne!(said.code, 0);
    });
    tale.step("The windows close: there is no session to end", || clients.close());
    a_new_key(tale, &vauchflow, &user);
    other_keys(tale, &vauchflow);
    tale.step("Nothing is left but what is sealed", || {
        assert_eq!(user.files(), KEPT);
        user.has_no_secret_on_disk();
    });
}

/// What stands on disk afterwards; the key is in the one that is sealed.
const KEPT: [&str; 5] = [
    "600 .cache/mcp-bridge/servers/*.facts",
    "600 .config/mcp-bridge/config.toml",
    "600 .local/share/mcp-bridge/config.lock",
    "600 .local/share/mcp-bridge/credentials/headers-*.sealed",
    "600 .local/state/mcp-bridge/events/127.0.0.1_*-*.log",
];

fn results(tale: &mut Tale, vauchflow: &Vauchflow, user: &User, clients: &Clients) {
    tale.step("The tools are listed", || {
        let names = TOOLS.map(|(name, _)| name.to_owned()).to_vec();
        assert_eq!(clients.all(Client::tools), Ok(names));
    });
    tale.step("A read tool's result without `content` arrives", || {
        let arguments = json!({"code": "SUMMER"});
        let result = clients.all(|client| client.calls("validate_voucher", &arguments));
        assert_eq!(result, Ok(serde_json::from_str(VALID).expect("JSON")));
        let result = clients.all(|client| client.calls("list_campaigns", &json!({})));
        assert_eq!(result, Ok(serde_json::from_str(CAMPAIGNS).expect("JSON")));
    });
    tale.step("Exactly as it was sent: `20.00` stays `20.00`", || {
        let said = user.types("bridge call vauchflow validate_voucher code=SUMMER --json");
        assert_eq!(said.ok().stdout.trim_end(), VALID);
    });
    tale.restart(|| vauchflow.restarts());
    tale.step("A write tool", || {
        let text = clients.all(|client| client.calls_for_text("create_voucher", &json!({})));
        assert!(text.as_ref().is_ok_and(|text| text.contains("created")), "{text:?}");
    });
    tale.step("A risky write waits for an approval, which is no error", || {
        let result = clients.all(|client| client.calls("create_campaign", &json!({})));
        let result = result.expect("a result");
        assert_eq!(result["isError"], false);
        let text = result["content"][0]["text"].as_str().expect("a text");
        let pending: Value = serde_json::from_str(text).expect("JSON in the text");
        assert_eq!(pending["status"], "pending_approval");
        assert!(pending["poll_url"].is_string(), "{pending}");
    });
}

fn refusals(tale: &mut Tale, vauchflow: &Vauchflow, clients: &Clients) {
    tale.step("A missing scope is an error of this call, with the server's words", || {
        let error = clients.all(|client| client.calls("delete_campaign", &json!({})));
        let error = error.expect_err("a refusal").to_string();
        assert!(error.contains("This key lacks the scope campaigns:delete"), "{error}");
    });
    tale.step("A JSON-RPC error is passed on as it is", || {
        let error = clients.all(|client| client.calls("export_customers", &json!({})));
        let wanted =
            json!({"code": -32004, "message": "This key lacks the scope customers:export"});
        assert_eq!(error, Err(wanted));
    });
    tale.step("429 is waited out", || {
        vauchflow.limits_the_rate_of("validate_voucher");
        let result = clients.all(|client| client.calls("validate_voucher", &json!({})));
        assert_eq!(result, Ok(serde_json::from_str(VALID).expect("JSON")));
    });
    tale.step("An expired key is one clear error", || {
        vauchflow.keys_expire();
        let error = clients.all(|client| client.calls("validate_voucher", &json!({})));
        let error = error.expect_err("a refusal").to_string();
        assert!(error.contains("your `x-api-key` header was refused"), "{error}");
        assert!(error.contains("This API key has expired"), "{error}");
        let command = "bridge add vauchflow --force --secret-header X-API-Key";
        assert!(error.contains(command), "{error}");
    });
}

fn a_new_key(tale: &mut Tale, vauchflow: &Vauchflow, user: &User) {
    let key = vauchflow.issues_agent_key(&SCOPES);
    tale.step("The command that the error names takes a new key", || {
        user.pipes(&key, "bridge add vauchflow --force --secret-header X-API-Key").ok();
        let said = user.types("bridge call vauchflow validate_voucher code=SUMMER --json");
        assert_eq!(said.ok().stdout.trim_end(), VALID);
    });
}

/// The kinds of keys that agents do not have.
fn other_keys(tale: &mut Tale, vauchflow: &Vauchflow) {
    let user = User::trusting(vauchflow.authority());
    let line = format!("bridge add vauchflow {} --secret-header X-API-Key", vauchflow.url());
    tale.step("A publishable key is refused when it is added", || {
        user.pipes(&vauchflow.publishable_key(), &line).says(&["Publishable keys can't be used"]);
    });
    let key = vauchflow.issues_secret_key();
    tale.step("A secret key needs no scopes", || {
        user.pipes(&key, &format!("{line} --force")).ok();
        user.types("bridge call vauchflow export_customers").ok().says(&["rows"]);
    });
}

fn open() -> Open {
    let vauchflow = Vauchflow::run();
    let user = User::trusting(vauchflow.authority());
    let key = vauchflow.issues_agent_key(&SCOPES);
    let url = vauchflow.url();
    let lines = vec![
        Line::new(
            "",
            format!("printf %s {key} | bridge add vauchflow {url} --secret-header X-API-Key"),
            "Saved `vauchflow`",
        ),
        Line::new("", "bridge tools vauchflow", "validate_voucher"),
        Line::new(
            "As the server sent it, digit for digit:",
            "bridge call vauchflow validate_voucher code=SUMMER --json",
            "20.00",
        ),
        Line::new(
            "It waits for an approval, which is no error:",
            "bridge call vauchflow create_campaign",
            "pending_approval",
        ),
        Line::new("A scope that this key lacks:", "bridge call vauchflow delete_campaign", "scope")
            .fails(4),
    ];
    Open { user, lines, _running: Box::new(vauchflow) }
}
