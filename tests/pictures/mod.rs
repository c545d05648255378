//! What the commands show in terminals of some widths: that nothing is too wide, broken or unreadable, and how it
//! looks.
//!
//! Run by `scripts/pictures`, which installs Chromium and gives a folder for the pictures.

mod hosted;
mod screen;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use self::screen::Screen;
use crate::support::auth_server::visit;
use crate::support::chromium::{self, chromium};
use crate::support::mcp_server::matcher::tool;
use crate::support::terminal::{KEY, Terminal, page};
use crate::support::{Answer, BridgeProcess, ClosedPort, Guarded, McpServer};

/// Columns of the terminals.
const WIDTHS: [u16; 3] = [80, 120, 60];
/// Rows of one picture.
const ROWS: usize = 64;
/// Pixels of a cell, at the size of the text in `STYLE`.
const CELL: (u32, u32) = (8, 17);
/// Around a terminal.
const MARGIN: u32 = 12;
const STYLE: &str = "body { margin: 0; display: flex }
pre { margin: 0; padding: 12px; font: 13px/17px 'DejaVu Sans Mono', monospace; flex: 1 }
b { font-weight: normal } .bold { font-weight: bold } .dim { opacity: .6 }
.underline { text-decoration: underline }
.dark { background: #1e1e1e; color: #ccc } .light { background: #fff; color: #333 }
.dark .c1 { color: #cd3131 } .dark .c2 { color: #0dbc79 } .dark .c5 { color: #bc3fbc }
.dark .c6 { color: #11a8cd } .light .c1 { color: #cd3131 } .light .c2 { color: #00a000 }
.light .c5 { color: #bc05bc } .light .c6 { color: #0598bc }";

/// Somebody's machine, and a camera before its terminal.
struct Studio {
    home: BridgeProcess,
    /// The authority that its system trusts.
    authority: Option<PathBuf>,
    faults: Vec<String>,
    /// What was shown at each width: lines of HTML, as many as a picture has room for.
    sheets: Vec<(u16, Vec<String>)>,
}

impl Studio {
    fn new() -> Self {
        let home = crate::sign_in::whole::home();
        let bin = home.home().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_bridge"), bin.join("bridge")).unwrap();
        Self { home, authority: None, faults: Vec::new(), sheets: Vec::new() }
    }

    /// A command at each width, and without colours.
    fn take(&mut self, name: &str, args: &[&str]) {
        for columns in WIDTHS {
            self.take_typed(name, args, columns, |_| ());
        }
        let plain = self.run(args, 80, &[("NO_COLOR", "1")], &|_| ());
        if Screen::of(&plain, 80).has_colours() {
            self.faults.push(format!("{name}: colours in spite of NO_COLOR"));
        }
    }

    /// A command at which somebody types.
    fn take_typed(
        &mut self,
        name: &str,
        args: &[&str],
        columns: u16,
        types: impl Fn(&mut Terminal),
    ) {
        let shown = self.run(args, columns, &[], &types);
        let screen = Screen::of(&format!("$ bridge {}\r\n{shown}", args.join(" ")), columns);
        // What was typed is the person's own.
        self.check(&format!("{name} at {columns}"), &Screen::of(&shown, columns));
        let lines = screen.html();
        for lines in lines.chunks(ROWS) {
            let sheet = self.sheets.iter_mut().rev().find(|(width, _)| *width == columns);
            match sheet.filter(|(_, sheet)| sheet.len() + 1 + lines.len() <= ROWS) {
                Some((_, sheet)) => sheet.extend([&[String::new()], lines].concat()),
                None => self.sheets.push((columns, lines.to_vec())),
            }
        }
    }

    fn check(&mut self, name: &str, screen: &Screen) {
        let faults = screen.faults().into_iter();
        self.faults.extend(faults.map(|fault| format!("{name}: {fault}")));
    }

    fn run(
        &self,
        args: &[&str],
        columns: u16,
        env: &[(&str, &str)],
        types: &dyn Fn(&mut Terminal),
    ) -> String {
        let home = self.home.home();
        let (folder, path) = (home.display().to_string(), format!("{}/bin:/bin", home.display()));
        // Where the program lies must count as a folder that stays.
        let mut all = vec![("HOME", &*folder), ("PATH", &*path), ("TMPDIR", "/var/tmp")];
        all.extend([("TERM", "xterm"), ("BRIDGE_STORE_KEY", KEY)]);
        let authority = self.authority.as_ref().map(|file| file.display().to_string());
        all.extend(authority.as_deref().map(|file| ("SSL_CERT_FILE", file)));
        all.extend(env);
        let mut terminal = Terminal::of_width(home, args, all, columns);
        types(&mut terminal);
        terminal.all()
    }

    fn write(&self, file: &str, text: &str) {
        let file = self.home.home().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    /// Takes the pictures, where there is a folder for them: on dark, and beside it on light.
    fn develop(self, folder: Option<&Path>) {
        let pages = tempfile::tempdir().unwrap();
        let page = pages.path().join("page.html");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let take = |number: usize, folder: &Path, (columns, lines): &(u16, Vec<String>)| {
            let picture = folder.join(format!("terminal-{columns}-{number:02}.png"));
            let text = lines.join("\n");
            let looks = ["dark", "light"].map(|look| format!("<pre class={look}>{text}</pre>"));
            let head = format!("<!doctype html><meta charset=utf-8><style>{STYLE}</style>");
            std::fs::write(&page, head + &looks.concat()).unwrap();
            let width = u32::from(*columns) * CELL.0 + 2 * MARGIN;
            let height = u32::try_from(lines.len()).unwrap() * CELL.1 + 2 * MARGIN;
            let arguments = chromium::picture(&picture, (2 * width, height));
            runtime.block_on(chromium(&format!("file://{}", page.display()), &arguments));
            assert!(picture.metadata().is_ok_and(|file| file.len() > 1000), "{picture:?}");
        };
        for (number, sheet) in self.sheets.iter().enumerate() {
            if let Some(folder) = folder {
                take(number + 1, folder, sheet);
            }
        }
        assert!(self.faults.is_empty(), "{:#?}", self.faults);
    }
}

/// What a server of some company may have.
fn tools() -> Value {
    json!([
        {"name": "search_issues", "title": "Search issues", "description":
            "Finds issues of all projects that the user may see, newest first.\n\nThe query has the syntax of \
             the search page; words without a field are looked for in title, text and comments.",
         "annotations": {"readOnlyHint": true},
         "inputSchema": {"type": "object", "required": ["query"], "properties": {
            "query": {"type": "string", "description": "What to look for, in the syntax of the search page, e.g. `assignee:me status:open`."},
            "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20, "description": "How many at most."},
            "state": {"enum": ["open", "closed", "all"], "description": "Which of them."},
            "labels": {"type": "array", "items": {"type": "string"}, "description": "Only those with all of these labels."},
            "within": {"type": "object", "properties": {"project": {"type": "string"}, "since": {"type": "string", "format": "date"}}},
         }}},
        {"name": "create_issue", "description": "Opens an issue.", "inputSchema":
            {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}, "text": {"type": "string"}}}},
        {"name": "delete_project_and_everything_that_belongs_to_it_without_asking", "description": "Deletes.",
         "annotations": {"destructiveHint": true}, "inputSchema": {"type": "object"}},
        {"name": "echo", "description": "Says it again.", "inputSchema":
            {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}},
        {"name": "fail", "description": "Is an error.", "inputSchema": {"type": "object"}},
    ])
}

const CURSOR: &str = r#"{
  // Mine.
  "mcpServers": {
    "github": { "command": "npx", "args": ["-y", "mcp-remote", "https://api.example.com/mcp", "--header", "Authorization: Bearer abcdef0123456789abcdef"] },
    "files": { "command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "/home/you"] }
  }
}
"#;

#[test]
#[ignore = "needs Chromium: scripts/pictures runs it"]
fn pictures_of_every_command() {
    let folder = std::env::var_os("BRIDGE_TEST_PICTURES").map(PathBuf::from);
    if let Some(folder) = &folder {
        std::fs::create_dir_all(folder).unwrap();
    }
    let mut studio = Studio::new();
    helps(&mut studio);
    saved_servers(&mut studio);
    desktop_clients(&mut studio);
    use_of_a_server(&mut studio);
    signed_in(&mut studio);
    hosted::decisions(&mut studio);
    mistakes(&mut studio);
    studio.develop(folder.as_deref());
}

fn helps(studio: &mut Studio) {
    studio.take("help", &["--help"]);
    studio.take("help-short", &["-h"]);
    for verb in ["add", "install", "import", "doctor", "call", "status", "logs", "login"] {
        studio.take(&format!("{verb}-help"), &[verb, "-h"]);
        // They have many options in common: what nobody looks at is checked all the same.
        for columns in WIDTHS {
            let shown = studio.run(&[verb, "--help"], columns, &[], &|_| ());
            studio.check(&format!("{verb} --help at {columns}"), &Screen::of(&shown, columns));
        }
    }
}

fn saved_servers(studio: &mut Studio) {
    let server = McpServer::legacy().tools(tools()).run();
    let url = server.url();
    studio.take("list-nothing", &["list"]);
    for columns in WIDTHS {
        let name = format!("work{columns}");
        let words = ["add", &name, &url, "--secret-header", "X-Api-Key", "--read-only"];
        studio.take_typed("add-secret", &words, columns, |terminal| {
            terminal.asks_hidden("(it is not shown): ");
            terminal.types("canary-picture\r");
        });
        let (name, url) = (format!("asked{columns}"), url.clone());
        studio.take_typed("add-asks", &["add"], columns, move |terminal| {
            terminal.shows("Name: ");
            terminal.types(&format!("{name}\r"));
            terminal.shows("URL: ");
            terminal.types(&format!("{url}\r"));
        });
    }
    let closed = ClosedPort::reserve();
    let nobody = format!("http://{}/mcp", closed.address());
    studio.take("add-unreachable", &["add", "away", &nobody]);
    studio.take("add-again", &["add", "work80", &url]);
    studio.take("list", &["list"]);
    studio.take("show", &["show", "work80"]);
}

fn desktop_clients(studio: &mut Studio) {
    studio.write(".cursor/mcp.json", CURSOR);
    studio.write(".codex/config.toml", "model = \"gpt-5\"  # the big one\n");
    let url = "https://mcp.example.com/mcp";
    let clients = "cursor,codex,claude-desktop";
    let words = ["install", url, "--client", clients, "--read-only", "--dry-run"];
    studio.take("install-dry-run", &words);
    studio.take("install-print", &["install", url, "--print"]);
    for columns in WIDTHS {
        studio.take_typed("install-asks", &["install", url, "--dry-run"], columns, |terminal| {
            terminal.shows("? ");
            terminal.types("1\r");
        });
    }
    studio.take("import-dry-run", &["import", "--dry-run"]);
}

fn use_of_a_server(studio: &mut Studio) {
    let server = McpServer::legacy().tools(tools()).run();
    let found = "3 issues:\n#41  The list is empty after a restart\n#40  Umlauts in titles: Köln\n#38  Export";
    let text = json!({"content": [{"type": "text", "text": found}]});
    server.always(tool("search_issues"), Answer::result(text));
    let url = server.url();
    studio.take("tools", &["tools", &url]);
    studio.take("tools-one", &["tools", &url, "search_issues"]);
    studio.take("call", &["call", &url, "search_issues", "query=assignee:me", "limit=3"]);
    studio.take("call-json", &["call", &url, "search_issues", "query=x", "--json"]);
    studio.take("call-fails", &["call", &url, "fail"]);
    studio.take("call-mistake", &["call", &url, "search_issues", "limit=many", "stat=open"]);
    studio.take("call-no-tool", &["call", &url, "serch_issues"]);
    studio.take("resources", &["resources", &url]);
    studio.take("prompts", &["prompts", &url]);
    studio.take("doctor", &["doctor", &url]);
    let closed = ClosedPort::reserve();
    let nobody = format!("http://{}/mcp", closed.address());
    studio.take("doctor-unreachable", &["doctor", &nobody]);
    studio.take("call-unreachable", &["call", &nobody, "echo", "text=hi"]);
    studio.take("logs-nothing", &["logs"]);
    for url in [&url, &nobody] {
        let bridge = BridgeProcess::to(url).six_variables_only().home_of(&studio.home);
        let mut bridge = bridge.spawn();
        bridge.initialize();
        bridge.close_stdin();
        bridge.wait_exit();
    }
    studio.take("logs", &["logs"]);
    studio.take("logs-server", &["logs", &url]);
}

fn signed_in(studio: &mut Studio) {
    let server = Guarded::with(Default::default(), McpServer::legacy().tools(tools()));
    let url = server.mcp.url();
    studio.take("status-nobody", &["status"]);
    studio.take("status-signed-out", &["status", &url]);
    studio.take("doctor-signed-out", &["doctor", &url]);
    for columns in WIDTHS {
        let words = ["login", &url, "--no-browser", "--force"];
        studio.take_typed("login", &words, columns, |terminal| {
            let shown = terminal.shows("Waiting for the browser");
            let back = visit(&page(&shown)).unwrap();
            terminal.types(&format!("{back}\r"));
        });
    }
    studio.take("login-again", &["login", &url]);
    studio.take("status", &["status"]);
    studio.take("status-server", &["status", &url]);
    studio.take("doctor-signed-in", &["doctor", &url]);
    studio.take("doctor-machine", &["doctor"]);
    studio.take("logout", &["logout", &url]);
    studio.take("logs-problems", &["logs", "--problems"]);
}

fn mistakes(studio: &mut Studio) {
    for (name, words) in [
        ("no-arguments", &[][..]),
        ("mistyped", &["stauts"]),
        ("no-option", &["https://mcp.example.com/mcp", "--port", "1"]),
        ("no-value", &["https://mcp.example.com/mcp", "--tool-timeout", "soon"]),
        ("add-nothing", &["add", "9lives", "https://mcp.example.com/mcp"]),
        ("install-no-client", &["install", "https://mcp.example.com/mcp", "--client", "emacs"]),
    ] {
        studio.take(&format!("mistake-{name}"), words);
    }
    studio.write(
        ".config/mcp-bridge/config.toml",
        "[servers.work]\nurl = \"https://mcp.example.com/mcp\"\nredonly = true\n\n[servers.other\n",
    );
    studio.take("mistake-config", &["list"]);
}
