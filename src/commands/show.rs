//! `bridge show`: what is saved under a name, and what counts before it.

use serde_json::{Value, json};

use crate::cli::{self, SavedServer, ShowArgs};
use crate::config::Environment;
use crate::config::saved::{self, Config};
use crate::error::Error;
use crate::remote::without_secrets;
use crate::ui;

/// What is shown in place of a secret.
const HIDDEN: &str = "[secret]";

/// Prints it.
///
/// # Errors
/// There is none of that name, or it can't be used.
pub fn run(args: &ShowArgs) -> Result<(), Error> {
    let config = Config::read()?;
    super::list::warn(&config);
    let environment = Environment::of_process();
    let Some(found) = config.take(&args.name) else {
        return Err(saved::unknown("show", &args.name));
    };
    let described = described(&found.saved, &environment);
    if args.json {
        ui::print_json(&described.to_string())?;
    } else {
        ui::print(text(&found.saved, &described).as_bytes())?;
    }
    super::list::warn_of_secrets(&found.saved);
    found.usable().map(drop)?;
    match saved::serve(&args.name, &environment) {
        // What is not set here may be where a client starts it.
        Err(error) if !error.because.iter().any(|because| because.contains("is not set")) => {
            Err(error)
        }
        _ => Ok(()),
    }
}

fn described(saved: &SavedServer, environment: &Environment) -> Value {
    let keys = cli::keys();
    let options = saved.options.iter().map(|option| {
        let shown = |value: &String| {
            let is_secret =
                saved::is_secret_option(&option.key, value) || option.key == "header-command-arg";
            if is_secret { HIDDEN.to_owned() } else { value.clone() }
        };
        let known = keys.iter().find(|key| key.name == option.key);
        let variable = known.and_then(|key| key.variable.as_deref());
        let by = variable.filter(|name| environment.get(name).is_some());
        json!({
            "key": option.key, "line": option.line, "overriddenBy": by,
            "values": option.values.iter().map(shown).collect::<Vec<_>>(),
        })
    });
    let headers = saved.headers.iter().map(|header| {
        let is_secret = saved::is_secret_header(&header.name, &header.value);
        let value = if is_secret { HIDDEN } else { &header.value };
        json!({"name": header.name, "line": header.line, "value": value})
    });
    json!({
        "name": saved.name,
        "file": saved.file,
        "url": without_secrets(&saved.url),
        "port": saved.port,
        "options": options.collect::<Value>(),
        "headers": headers.collect::<Value>(),
    })
}

fn text(saved: &SavedServer, described: &Value) -> String {
    let mut lines = vec![format!("{}  {}", saved.name, without_secrets(&saved.url))];
    lines.push(format!("  saved in {}, line {}", saved.file.display(), saved.url_line));
    lines.extend(saved.port.as_ref().map(|port| format!("  port = {port}")));
    for option in described["options"].as_array().into_iter().flatten() {
        let values: Vec<_> =
            option["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let value = if values.is_empty() { "true".to_owned() } else { values.join(", ") };
        let by = option["overriddenBy"].as_str().map(|name| format!("  ({name} counts before it)"));
        let key = option["key"].as_str().unwrap_or_default();
        lines.push(format!("  {key} = {value}{}", by.unwrap_or_default()));
    }
    for header in described["headers"].as_array().into_iter().flatten() {
        let member = |name: &str| header[name].as_str().unwrap_or_default();
        lines.push(format!("  header {}: {}", member("name"), member("value")));
    }
    let lines: Vec<_> = lines.iter().map(|line| crate::printable::printable(line, 1000)).collect();
    ui::fit(&lines.join("\n")) + "\n"
}
