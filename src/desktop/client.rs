//! The desktop clients, as data: where each keeps its configuration, and what an entry looks like there.
//!
//! One more client is one row here and one folder in `tests/fixtures/desktop`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A desktop client.
#[derive(Debug)]
pub struct Client {
    /// What `--client` takes.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// The format of its configuration.
    pub format: Format,
    /// The object, or table, whose members are the servers.
    pub key: &'static str,
    /// What an entry looks like.
    pub shape: Shape,
    /// The user's own configuration: the first of these that applies.
    places: &'static [Place],
    /// The configuration of a project, within its folder; the first that is there, else the last.
    project: &'static [&'static str],
    /// Another place that shows that the client is there.
    trace: Option<Place>,
    /// What makes it read the configuration again.
    pub next: &'static str,
}

impl Client {
    /// Whether it puts the variables of its own environment into an entry.
    pub fn replaces_variables(&self) -> bool {
        matches!(self.name, "claude-code" | "gemini-cli")
    }
}

/// How a configuration is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON, with comments and trailing commas if need be.
    Json,
    /// TOML.
    Toml,
}

/// What an entry looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `command`, `args`, `env`.
    Plain,
    /// The same, behind `"type": "stdio"`.
    Typed,
    /// `"type": "local"`, `command` with the arguments in it, `environment`.
    Local,
}

/// The system that a place is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Linux, and what else follows XDG.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

#[derive(Debug)]
struct Place {
    on: Option<System>,
    below: Below,
    path: &'static str,
    /// What has to be there for the place to count before those that follow it.
    given: Given,
}

#[derive(Debug)]
enum Below {
    Home,
    /// `XDG_CONFIG_HOME`, else `~/.config`.
    Config,
    /// Where applications keep settings: the same on Linux, `~/Library/Application Support`, `%APPDATA%`.
    Settings,
    /// `%LOCALAPPDATA%`.
    LocalSettings,
    /// The folder, or the file itself, that this variable names.
    Variable(&'static str),
}

#[derive(Debug, PartialEq, Eq)]
enum Given {
    Nothing,
    Folder,
    File,
}

const fn at(below: Below, path: &'static str) -> Place {
    Place { on: None, below, path, given: Given::Nothing }
}

const fn given(given: Given, below: Below, path: &'static str) -> Place {
    Place { on: None, below, path, given }
}

const fn on(system: System, below: Below, path: &'static str) -> Place {
    Place { on: Some(system), below, path, given: Given::Nothing }
}

/// All of them, by name.
pub static CLIENTS: [Client; 11] = [
    // https://modelcontextprotocol.io/docs/develop/connect-local-servers; where the packaged app for Windows has
    // it: https://github.com/anthropics/claude-code/issues/26073.
    Client {
        name: "claude-desktop",
        title: "Claude Desktop",
        format: Format::Json,
        key: "mcpServers",
        shape: Shape::Plain,
        places: &[
            Place {
                on: Some(System::Windows),
                below: Below::LocalSettings,
                path: "Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude/claude_desktop_config.json",
                given: Given::Folder,
            },
            at(Below::Settings, "Claude/claude_desktop_config.json"),
        ],
        project: &[],
        trace: None,
        next: "quit Claude Desktop and start it again",
    },
    // https://code.claude.com/docs/en/mcp, https://code.claude.com/docs/en/settings.
    Client {
        name: "claude-code",
        title: "Claude Code",
        format: Format::Json,
        key: "mcpServers",
        shape: Shape::Typed,
        places: &[
            at(Below::Variable("CLAUDE_CONFIG_DIR"), ".claude.json"),
            at(Below::Home, ".claude.json"),
        ],
        project: &[".mcp.json"],
        trace: Some(at(Below::Home, ".claude")),
        next: "start a new session of Claude Code; `/mcp` shows the server",
    },
    // https://cursor.com/docs/mcp.
    Client {
        name: "cursor",
        title: "Cursor",
        format: Format::Json,
        key: "mcpServers",
        shape: Shape::Plain,
        places: &[at(Below::Home, ".cursor/mcp.json")],
        project: &[".cursor/mcp.json"],
        trace: None,
        next: "start Cursor again, and switch the server on in its settings, under MCP",
    },
    // https://code.visualstudio.com/docs/copilot/reference/mcp-configuration.
    Client {
        name: "vscode",
        title: "VS Code",
        format: Format::Json,
        key: "servers",
        shape: Shape::Typed,
        places: &[at(Below::Settings, "Code/User/mcp.json")],
        project: &[".vscode/mcp.json"],
        trace: None,
        next: "run `MCP: List Servers` in VS Code and start the server",
    },
    // https://docs.windsurf.com/windsurf/cascade/mcp.
    Client {
        name: "windsurf",
        title: "Windsurf",
        format: Format::Json,
        key: "mcpServers",
        shape: Shape::Plain,
        places: &[at(Below::Home, ".codeium/windsurf/mcp_config.json")],
        project: &[],
        trace: None,
        next: "refresh the list of MCP servers in Windsurf's Cascade panel",
    },
    // https://zed.dev/docs/ai/mcp, https://zed.dev/docs/configuring-zed.
    Client {
        name: "zed",
        title: "Zed",
        format: Format::Json,
        key: "context_servers",
        shape: Shape::Plain,
        places: &[
            on(System::Windows, Below::Settings, "Zed/settings.json"),
            on(System::MacOs, Below::Home, ".config/zed/settings.json"),
            at(Below::Config, "zed/settings.json"),
        ],
        project: &[".zed/settings.json"],
        trace: None,
        next: "Zed starts the server by itself; its agent panel's settings show it",
    },
    // https://developers.openai.com/codex/mcp.
    Client {
        name: "codex",
        title: "Codex",
        format: Format::Toml,
        key: "mcp_servers",
        shape: Shape::Plain,
        places: &[
            at(Below::Variable("CODEX_HOME"), "config.toml"),
            at(Below::Home, ".codex/config.toml"),
        ],
        project: &[".codex/config.toml"],
        trace: None,
        next: "start Codex again; `codex mcp list` shows the server",
    },
    // https://geminicli.com/docs/tools/mcp-server; the variable moves the home folder.
    Client {
        name: "gemini-cli",
        title: "Gemini CLI",
        format: Format::Json,
        key: "mcpServers",
        shape: Shape::Plain,
        places: &[
            at(Below::Variable("GEMINI_CLI_HOME"), ".gemini/settings.json"),
            at(Below::Home, ".gemini/settings.json"),
        ],
        project: &[".gemini/settings.json"],
        trace: None,
        next: "start Gemini CLI again; `/mcp` shows the server",
    },
    // https://opencode.ai/docs/config, https://opencode.ai/docs/mcp-servers.
    Client {
        name: "opencode",
        title: "opencode",
        format: Format::Json,
        key: "mcp",
        shape: Shape::Local,
        places: &[
            at(Below::Variable("OPENCODE_CONFIG"), ""),
            given(Given::File, Below::Config, "opencode/opencode.jsonc"),
            at(Below::Config, "opencode/opencode.json"),
        ],
        project: &["opencode.jsonc", "opencode.json"],
        trace: None,
        next: "start opencode again; `opencode mcp list` shows the server",
    },
    // https://docs.cline.bot/getting-started/config; before that, the extension kept its own.
    Client {
        name: "cline",
        title: "Cline",
        format: Format::Json,
        key: "mcpServers",
        shape: Shape::Plain,
        places: &[
            at(Below::Variable("CLINE_MCP_SETTINGS_PATH"), ""),
            given(Given::Folder, Below::Home, ".cline/data/settings/cline_mcp_settings.json"),
            given(
                Given::Folder,
                Below::Settings,
                "Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
            ),
            at(Below::Home, ".cline/data/settings/cline_mcp_settings.json"),
        ],
        project: &[],
        trace: None,
        next: "Cline starts the server by itself; its MCP servers page shows it",
    },
    // https://lmstudio.ai/docs/app/mcp; an older folder:
    // https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/1371.
    Client {
        name: "lm-studio",
        title: "LM Studio",
        format: Format::Json,
        key: "mcpServers",
        shape: Shape::Plain,
        places: &[
            given(Given::Folder, Below::Home, ".lmstudio/mcp.json"),
            given(Given::Folder, Below::Home, ".cache/lm-studio/mcp.json"),
            at(Below::Home, ".lmstudio/mcp.json"),
        ],
        project: &[],
        trace: None,
        next: "LM Studio reads it by itself; switch the server on in its Program tab",
    },
];

/// The client of this name.
pub fn named(name: &str) -> Option<&'static Client> {
    CLIENTS.iter().find(|client| client.name.eq_ignore_ascii_case(name))
}

/// The variables that say where configurations are.
pub fn variables() -> impl Iterator<Item = &'static str> {
    let named = CLIENTS.iter().flat_map(|client| client.places).filter_map(|place| {
        if let Below::Variable(name) = place.below { Some(name) } else { None }
    });
    named.chain(["XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA"])
}

/// What places are relative to.
#[derive(Debug)]
pub struct Surroundings {
    /// The system.
    pub system: System,
    /// The user's home folder.
    pub home: PathBuf,
    /// Those of [`variables`] that are set.
    pub variables: BTreeMap<&'static str, PathBuf>,
}

impl Surroundings {
    fn folder(&self, below: &Below) -> Option<PathBuf> {
        let variable = |name: &str| self.variables.get(name).cloned();
        let config = || variable("XDG_CONFIG_HOME").unwrap_or_else(|| self.home.join(".config"));
        match (below, self.system) {
            (Below::Home, _) => Some(self.home.clone()),
            (Below::Config, _) | (Below::Settings, System::Linux) => Some(config()),
            (Below::Settings, System::MacOs) => Some(self.home.join("Library/Application Support")),
            (Below::Settings, System::Windows) => {
                Some(variable("APPDATA").unwrap_or_else(|| self.home.join("AppData/Roaming")))
            }
            (Below::LocalSettings, _) => {
                Some(variable("LOCALAPPDATA").unwrap_or_else(|| self.home.join("AppData/Local")))
            }
            (Below::Variable(name), _) => variable(name),
        }
    }

    fn path(&self, place: &Place) -> Option<PathBuf> {
        if place.on.is_some_and(|system| system != self.system) {
            return None;
        }
        let folder = self.folder(&place.below)?;
        Some(if place.path.is_empty() { folder } else { folder.join(place.path) })
    }
}

impl Client {
    /// Where the user's own configuration is, or would be.
    pub fn user_file(&self, surroundings: &Surroundings) -> PathBuf {
        let paths = self.places.iter().filter_map(|place| Some((place, surroundings.path(place)?)));
        let mut applicable = paths.filter(|(place, path)| match place.given {
            Given::Nothing => true,
            Given::Folder => path.parent().is_some_and(Path::is_dir),
            Given::File => path.is_file(),
        });
        // Each row ends with a place that always applies.
        applicable.next().map(|(_, path)| path).unwrap_or_default()
    }

    /// Where the configuration of the project in this folder is, or would be; none where the client has no such.
    pub fn project_file(&self, folder: &Path) -> Option<PathBuf> {
        let paths = || self.project.iter().map(|path| folder.join(path));
        paths().find(|path| path.is_file()).or_else(|| paths().next_back())
    }

    /// Whether the client seems to be there.
    pub fn is_found(&self, surroundings: &Surroundings) -> bool {
        let file = self.user_file(surroundings);
        let folder = file.parent().filter(|folder| *folder != surroundings.home);
        let trace = self.trace.as_ref().and_then(|place| surroundings.path(place));
        file.exists() || folder.is_some_and(Path::is_dir) || trace.is_some_and(|path| path.exists())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings(
        system: System,
        home: &Path,
        variables: &[(&'static str, &str)],
    ) -> Surroundings {
        let variables = variables.iter().map(|(name, value)| (*name, PathBuf::from(value)));
        Surroundings { system, home: home.to_owned(), variables: variables.collect() }
    }

    fn paths(system: System) -> Vec<String> {
        let nowhere = surroundings(system, Path::new("/home/me"), &[]);
        let path =
            |client: &Client| format!("{} {}", client.name, client.user_file(&nowhere).display());
        CLIENTS.iter().map(path).collect()
    }

    #[test]
    fn each_client_has_its_place_on_each_system() {
        assert_eq!(
            paths(System::Linux),
            [
                "claude-desktop /home/me/.config/Claude/claude_desktop_config.json",
                "claude-code /home/me/.claude.json",
                "cursor /home/me/.cursor/mcp.json",
                "vscode /home/me/.config/Code/User/mcp.json",
                "windsurf /home/me/.codeium/windsurf/mcp_config.json",
                "zed /home/me/.config/zed/settings.json",
                "codex /home/me/.codex/config.toml",
                "gemini-cli /home/me/.gemini/settings.json",
                "opencode /home/me/.config/opencode/opencode.json",
                "cline /home/me/.cline/data/settings/cline_mcp_settings.json",
                "lm-studio /home/me/.lmstudio/mcp.json",
            ]
        );
        let mac = paths(System::MacOs);
        let settings = "/home/me/Library/Application Support";
        assert_eq!(mac[0], format!("claude-desktop {settings}/Claude/claude_desktop_config.json"));
        assert_eq!(mac[3], format!("vscode {settings}/Code/User/mcp.json"));
        assert_eq!(mac[5], "zed /home/me/.config/zed/settings.json");
        let windows = paths(System::Windows);
        let settings = "/home/me/AppData/Roaming";
        assert_eq!(
            windows[0],
            format!("claude-desktop {settings}/Claude/claude_desktop_config.json")
        );
        assert_eq!(windows[5], format!("zed {settings}/Zed/settings.json"));
    }

    #[test]
    fn variables_move_the_places_that_they_are_documented_for() {
        let home = Path::new("/home/me");
        for (variable, client, path) in [
            ("CODEX_HOME", "codex", "/x/config.toml"),
            ("CLAUDE_CONFIG_DIR", "claude-code", "/x/.claude.json"),
            ("OPENCODE_CONFIG", "opencode", "/x"),
            ("GEMINI_CLI_HOME", "gemini-cli", "/x/.gemini/settings.json"),
            ("CLINE_MCP_SETTINGS_PATH", "cline", "/x"),
            ("XDG_CONFIG_HOME", "zed", "/x/zed/settings.json"),
        ] {
            let moved = surroundings(System::Linux, home, &[(variable, "/x")]);
            assert_eq!(named(client).unwrap().user_file(&moved), Path::new(path), "{variable}");
            assert!(variables().any(|name| name == variable), "{variable}");
        }
    }

    #[test]
    fn an_app_in_a_package_and_an_older_folder_come_first_where_they_are() {
        let home = tempfile::tempdir().unwrap();
        let make = |path: &str| std::fs::create_dir_all(home.path().join(path)).unwrap();
        make("AppData/Local/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude");
        make(".cache/lm-studio");
        let windows = surroundings(System::Windows, home.path(), &[]);
        let file = named("claude-desktop").unwrap().user_file(&windows);
        assert!(file.starts_with(home.path().join("AppData/Local/Packages")), "{}", file.display());
        let file = named("lm-studio").unwrap().user_file(&windows);
        assert_eq!(file, home.path().join(".cache/lm-studio/mcp.json"));
    }

    #[test]
    fn a_client_is_found_by_its_folder() {
        let home = tempfile::tempdir().unwrap();
        let here = surroundings(System::Linux, home.path(), &[]);
        assert!(CLIENTS.iter().all(|client| !client.is_found(&here)));
        std::fs::create_dir(home.path().join(".claude")).unwrap();
        std::fs::create_dir(home.path().join(".cursor")).unwrap();
        let found = CLIENTS.iter().filter(|client| client.is_found(&here));
        assert_eq!(found.map(|client| client.name).collect::<Vec<_>>(), ["claude-code", "cursor"]);
    }
}
