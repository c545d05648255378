//! What mcp-remote keeps in its folder: the clients that it registered, each in a file that is named by a digest of what
//! it was told. Its tokens lie beside them, and are not touched: two programs with one of them end each other's sign-in.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Map, Value};

/// The folder, in the home folder; `MCP_REMOTE_CONFIG_DIR` names another one.
const FOLDER: &str = ".mcp-auth";
/// What the names of its folders begin with, behind which a version stands: each version's own until 0.3, `v1` since.
const OF_VERSION: &str = "mcp-remote-";
/// Folders that are looked into, and the longest file that is read, in bytes.
const MAX_FOLDERS: usize = 200;
const LONGEST: u64 = 64 * 1024;
/// Ports that it derives: the first, and how many.
const FIRST_PORT: u16 = 3335;
const PORTS: u16 = 45_816;

/// What an invocation of mcp-remote is told apart by: its arguments, as it reads them.
#[derive(Debug, Default)]
struct Identity<'a> {
    server: &'a str,
    resource: Option<String>,
    authorize_params: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    client_metadata_url: Option<&'a str>,
    token_endpoint: Option<String>,
}

impl<'a> Identity<'a> {
    fn of(args: &'a [String]) -> Self {
        let mut this = Self::default();
        // Headers are taken out first, wherever they stand.
        let mut rest: Vec<&str> = Vec::with_capacity(args.len());
        let mut words = args.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "--header" => this.headers.extend(words.next().and_then(header)),
                "--header-file" => this.header_file(words.next().unwrap_or_default()),
                _ => rest.push(word),
            }
        }
        let value = |name: &str| {
            let at = rest.iter().position(|word| *word == name)?;
            rest.get(at + 1).copied().map(str::trim)
        };
        this.server = rest.first().copied().unwrap_or_default();
        let is_without = rest.contains(&"--disable-resource-parameter");
        let resource = value("--resource").filter(|text| !text.is_empty() && !is_without);
        this.resource = resource.map(str::to_owned);
        this.client_metadata_url = value("--client-metadata-url");
        let endpoint = value("--token-endpoint");
        this.token_endpoint = endpoint.and_then(|text| url::Url::parse(text).ok()).map(Into::into);
        for pair in rest.windows(2).filter(|pair| pair[0] == "--authorize-param") {
            if let Some((key, value)) = pair[1].split_once('=') {
                this.authorize_params.insert(key.trim().to_owned(), value.to_owned());
            }
        }
        this
    }

    fn header_file(&mut self, path: &str) {
        let text = read(Path::new(path), LONGEST).unwrap_or_default();
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        self.headers.extend(lines.filter_map(header));
    }

    /// The digests that its files may be named by, that of the current version first: earlier ones left parts out.
    fn digests(&self) -> Vec<String> {
        let own = |text: &str| Some(text.to_owned());
        let server = own(self.server);
        let (params, headers) = (json(&self.authorize_params), json(&self.headers));
        let url = self.client_metadata_url.and_then(own);
        let whole = [&server, &self.resource, &params, &headers, &url, &self.token_endpoint];
        let without_params = [&server, &self.resource, &headers];
        let forms: [&[&Option<String>]; 3] = [&whole, &without_params, &[&server]];
        let mut digests = Vec::with_capacity(forms.len());
        for form in forms {
            let parts: Vec<_> = form.iter().filter_map(|part| part.as_deref()).collect();
            let digest = format!("{:x}", md5::compute(parts.join("|")));
            if !digests.contains(&digest) {
                digests.push(digest);
            }
        }
        digests
    }
}

/// A map that is not empty as JSON, its keys in order.
fn json(map: &BTreeMap<String, String>) -> Option<String> {
    let text = |text: &str| Value::from(text).to_string();
    let pairs: Vec<_> = map.iter().map(|(key, value)| text(key) + ":" + &text(value)).collect();
    (!pairs.is_empty()).then(|| format!("{{{}}}", pairs.join(",")))
}

/// `Name: value` as mcp-remote reads it; the value is that of the argument, before a variable is put in.
fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let fits = !name.is_empty() && name.chars().all(plain);
    fits.then(|| (name.to_owned(), value.trim_start().to_owned()))
}

/// The port that mcp-remote waits at where it was told none.
pub(super) fn port(args: &[String]) -> u16 {
    let digest = Identity::of(args).digests().swap_remove(0);
    let number = u16::from_str_radix(&digest[..4], 16).unwrap_or_default();
    FIRST_PORT + number % PORTS
}

/// The client that mcp-remote registered for these arguments, as it keeps it; the last one of several, but that of the
/// version that is pinned before all. `folder` is what `MCP_REMOTE_CONFIG_DIR` names.
pub fn client(
    args: &[String],
    pinned: Option<&str>,
    folder: Option<&Path>,
    home: &Path,
) -> Option<Map<String, Value>> {
    let folder = folder.map_or_else(|| home.join(FOLDER), Path::to_owned);
    let digests = Identity::of(args).digests();
    let mut found: Option<(bool, SystemTime, PathBuf)> = None;
    for entry in fs::read_dir(folder).ok()?.flatten().take(MAX_FOLDERS) {
        let name = entry.file_name();
        let Some(version) = name.to_str().and_then(|name| name.strip_prefix(OF_VERSION)) else {
            continue;
        };
        // Not followed: a link may lead anywhere.
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        for digest in &digests {
            let file = entry.path().join(format!("{digest}_client_info.json"));
            let Ok(about) = fs::symlink_metadata(&file) else { continue };
            if about.is_file() && about.len() <= LONGEST {
                let at = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                let this = (pinned == Some(version), at, file);
                found = Some(found.map_or(this.clone(), |other| other.max(this)));
                break;
            }
        }
    }
    let (_, _, file) = found?;
    match serde_json::from_str(&read(&file, LONGEST)?) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

fn read(path: &Path, at_most: u64) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(at_most).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(args: &[&str]) -> Vec<String> {
        args.iter().map(|word| (*word).to_owned()).collect()
    }

    fn digest(args: &[&str]) -> String {
        Identity::of(&words(args)).digests().swap_remove(0)
    }

    /// What mcp-remote 0.15.1 itself says (`getServerUrlHash`, `calculateDefaultPort`).
    #[test]
    fn files_are_named_and_ports_derived_as_mcp_remote_does() {
        for (args, expected, port_then) in ROWS {
            assert_eq!(digest(args), *expected, "{args:?}");
            assert_eq!(port(&words(args)), *port_then, "{args:?}");
        }
    }

    const ROWS: &[(&[&str], &str, u16)] = &[
        (&["https://mcp.example.com/mcp"], "94baabe3c3fadb285b26c035e4e86046", 41409),
        (&["https://mcp.linear.app/sse", "3334"], "2d1a8aae3765090858d82f5630192064", 14881),
        (
            &["https://h/mcp", "--resource", " https://r/ "],
            "fc76f10f50c3483993bb007602a54223",
            22149,
        ),
        (
            &["https://h/mcp", "--resource", "https://r/", "--disable-resource-parameter"],
            "4282441864fef3eee7dd6865a506a60a",
            20361,
        ),
        (
            &[
                "https://h/mcp",
                "--header",
                "X-B: 2 ",
                "--header",
                "Authorization:Bearer ${AUTH}",
                "--header",
                "no header",
            ],
            "6b5490ceb1714fa9bad31f897edda7a2",
            30811,
        ),
        (
            &["--header", "X-Ä: 1", "--header", "X-Q: a\"b\\c\u{1}é", "https://h/mcp"],
            "577f49d2828fa1e25552a34c139b6423",
            25734,
        ),
        (
            &[
                "https://h/mcp",
                "--authorize-param",
                "prompt=consent",
                "--authorize-param",
                "access_type=offline",
                "--header",
                "a:1",
            ],
            "3ab0ff55972a32d24c4b32a00c638929",
            18359,
        ),
        (
            &["https://h/mcp", "--client-metadata-url", "https://c.example/doc"],
            "e7468cf193cbe32e6e571c925219793e",
            16725,
        ),
        (
            &["https://h/mcp", "--client-credentials", "--token-endpoint", "https://t.example"],
            "2175c9094313b151ecdac17b140078bf",
            11900,
        ),
    ];

    #[test]
    fn the_client_of_the_pinned_version_counts_else_the_last_one() {
        let home = tempfile::tempdir().unwrap();
        let args = words(&["https://h/mcp"]);
        let digest = Identity::of(&args).digests().swap_remove(0);
        let write = |version: &str, text: &str, age: u64| {
            let folder = home.path().join(format!(".mcp-auth/mcp-remote-{version}"));
            fs::create_dir_all(&folder).unwrap();
            let path = folder.join(format!("{digest}_client_info.json"));
            fs::write(&path, text).unwrap();
            let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000 - age);
            File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
        };
        let found = |pinned| {
            let client = client(&args, pinned, None, home.path());
            client.map(|members| members["client_id"].as_str().unwrap().to_owned())
        };
        assert_eq!(found(None), None);
        write("0.1.29", r#"{"client_id": "old"}"#, 200);
        write("v1", r#"{"client_id": "new"}"#, 100);
        assert_eq!(found(None).as_deref(), Some("new"));
        assert_eq!(found(Some("0.1.29")).as_deref(), Some("old"));
        assert_eq!(found(Some("latest")).as_deref(), Some("new"));
        let elsewhere = home.path().join(".mcp-auth");
        assert!(client(&args, None, Some(&elsewhere), Path::new("/nowhere")).is_some());
        write("v1", "[]", 0);
        assert_eq!(found(None), None, "what is no client is none");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_a_pipe_and_a_file_without_end_are_not_read() {
        use std::os::unix::fs::symlink;
        let home = tempfile::tempdir().unwrap();
        let args = words(&["https://h/mcp"]);
        let name = format!("{}_client_info.json", Identity::of(&args).digests()[0]);
        let folder = home.path().join(".mcp-auth/mcp-remote-v1");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(&name);
        let found = || client(&args, None, None, home.path());
        let other = home.path().join("other");
        fs::write(&other, r#"{"client_id": "x"}"#).unwrap();
        symlink(&other, &file).unwrap();
        assert_eq!(found(), None);
        fs::remove_file(&file).unwrap();
        fs::write(&file, format!("{{\"client_id\": \"{}\"}}", "x".repeat(70_000))).unwrap();
        assert_eq!(found(), None);
        fs::remove_file(&file).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &file,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert_eq!(found(), None);
        fs::remove_file(&file).unwrap();
        fs::remove_dir(&folder).unwrap();
        let real = home.path().join("real");
        fs::create_dir(&real).unwrap();
        fs::write(real.join(&name), r#"{"client_id": "x"}"#).unwrap();
        symlink(&real, &folder).unwrap();
        assert_eq!(found(), None, "a folder that is a link");
    }
}
