//! Where the known clients keep their configurations.
//!
//! Owns the list and its order. It must not know what is in the files.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::server::config::Part;

/// A place to look into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// Whose configuration it is.
    pub(crate) client: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) part: Part,
    /// The folder of the project, which is the one that the command was started in for files of the user.
    pub(crate) workspace: PathBuf,
    /// Whether the file belongs to the project.
    pub(crate) project: bool,
}

/// The system, as far as it decides where files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    Mac,
    Windows,
    Other,
}

/// The folders that the list is made from.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) system: System,
    pub(crate) current: PathBuf,
    /// The current folder and those above it that are of the same project, nearest first.
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`, or what it stands for where it is not set.
    pub(crate) config: Option<PathBuf>,
    /// Where applications keep their settings: `%APPDATA%`, `~/Library/Application Support`, or the above.
    pub(crate) applications: Option<PathBuf>,
}

impl Places {
    /// Those of this process.
    pub(crate) fn of_this_process() -> Self {
        let system = if cfg!(windows) {
            System::Windows
        } else if cfg!(target_os = "macos") {
            System::Mac
        } else {
            System::Other
        };
        let current = std::env::current_dir().unwrap_or_default();
        Self::new(system, current, |name| std::env::var_os(name))
    }

    fn new(system: System, current: PathBuf, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let folder = |name| {
            variable(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let home = match system {
            System::Windows => folder("USERPROFILE").or_else(|| folder("HOME")),
            System::Mac | System::Other => folder("HOME"),
        };
        let below = |path: &str| home.as_ref().map(|home| home.join(path));
        let config = folder("XDG_CONFIG_HOME").or_else(|| below(".config"));
        let applications = match system {
            System::Windows => folder("APPDATA").or_else(|| below("AppData/Roaming")),
            System::Mac => below("Library/Application Support"),
            System::Other => config.clone(),
        };
        Self {
            folders: project(&current),
            system,
            current,
            home,
            config,
            applications,
        }
    }
}

/// The folder and those above it, up to the one that holds the repository; alone where there is none.
fn project(current: &Path) -> Vec<PathBuf> {
    let top = current
        .ancestors()
        .position(|folder| folder.join(".git").exists());
    let folders = current.ancestors().take(top.map_or(1, |top| top + 1));
    folders.map(Path::to_path_buf).collect()
}

/// Files of the project, in each of its folders.
const OF_PROJECTS: &[(&str, &str)] = &[
    ("Claude Code", ".mcp.json"),
    ("VS Code", ".vscode/mcp.json"),
    ("Cursor", ".cursor/mcp.json"),
    ("Zed", ".zed/settings.json"),
];

/// Everywhere to look, first what counts first: what the user has for this project, what the project has, what the
/// user has for all.
pub(crate) fn all(places: &Places) -> Vec<Location> {
    let mut all = Vec::new();
    let claude = places.home.as_ref().map(|home| home.join(".claude.json"));
    for folder in &places.folders {
        all.extend(claude.iter().map(|path| Location {
            client: "Claude Code",
            path: path.clone(),
            part: Part::Project(folder.clone()),
            workspace: folder.clone(),
            project: true,
        }));
    }
    for folder in &places.folders {
        all.extend(OF_PROJECTS.iter().map(|(client, path)| Location {
            client,
            path: folder.join(path),
            part: Part::Whole,
            workspace: folder.clone(),
            project: true,
        }));
    }
    let zed = match places.system {
        System::Windows => ("Zed", &places.applications, "Zed/settings.json"),
        System::Mac | System::Other => ("Zed", &places.config, "zed/settings.json"),
    };
    let of_user = [
        ("any", &places.config, "mcp/mcp.json"),
        ("Cursor", &places.home, ".cursor/mcp.json"),
        ("VS Code", &places.applications, "Code/User/mcp.json"),
        ("Copilot", &places.home, ".copilot/mcp-config.json"),
        ("Claude Code", &places.home, ".claude.json"),
        (
            "Claude Desktop",
            &places.applications,
            "Claude/claude_desktop_config.json",
        ),
        (
            "Windsurf",
            &places.home,
            ".codeium/windsurf/mcp_config.json",
        ),
        zed,
    ];
    all.extend(of_user.into_iter().filter_map(|(client, folder, path)| {
        Some(Location {
            client,
            path: folder.as_ref()?.join(path),
            part: Part::Whole,
            workspace: places.current.clone(),
            project: false,
        })
    }));
    all
}

/// What a file that the user names is looked into for, first what counts first.
pub(crate) fn of_file(path: &Path, places: &Places) -> Vec<Location> {
    let workspace = workspace(path, places);
    let parts = places.folders.iter().cloned().map(Part::Project);
    parts
        .chain([Part::Whole])
        .map(|part| Location {
            client: "file",
            path: path.to_path_buf(),
            part,
            workspace: workspace.clone(),
            project: false,
        })
        .collect()
}

/// The folder that `${workspaceFolder}` stands for: where the file would have to lie to be found.
fn workspace(path: &Path, places: &Places) -> PathBuf {
    let path = places.current.join(path);
    let known = OF_PROJECTS.iter().find(|(_, known)| path.ends_with(known));
    let above = known.and_then(|(_, known)| path.ancestors().nth(known.split('/').count()));
    above.map_or_else(|| places.current.clone(), Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Places, System, all, of_file};
    use crate::server::config::Part;

    fn places(system: System, variables: &[(&str, &str)]) -> Places {
        Places::new(system, "/srv/here".into(), |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.into())
        })
    }

    fn user_files(places: &Places) -> Vec<String> {
        let of_user = all(places).into_iter().filter(|location| !location.project);
        of_user
            .map(|location| location.path.display().to_string())
            .collect()
    }

    #[test]
    fn every_system_has_its_folders() {
        let home = ("HOME", "/home/me");
        let linux = user_files(&places(System::Other, &[home]));
        assert_eq!(
            linux,
            [
                "/home/me/.config/mcp/mcp.json",
                "/home/me/.cursor/mcp.json",
                "/home/me/.config/Code/User/mcp.json",
                "/home/me/.copilot/mcp-config.json",
                "/home/me/.claude.json",
                "/home/me/.config/Claude/claude_desktop_config.json",
                "/home/me/.codeium/windsurf/mcp_config.json",
                "/home/me/.config/zed/settings.json",
            ]
        );
        let xdg = user_files(&places(System::Other, &[home, ("XDG_CONFIG_HOME", "/xdg")]));
        assert!(
            xdg.contains(&"/xdg/Claude/claude_desktop_config.json".to_owned()),
            "{xdg:?}"
        );
        let mac = user_files(&places(System::Mac, &[home]));
        let desktop = "/home/me/Library/Application Support/Claude/claude_desktop_config.json";
        assert!(mac.contains(&desktop.to_owned()), "{mac:?}");
        assert!(
            mac.contains(&"/home/me/.config/zed/settings.json".to_owned()),
            "{mac:?}"
        );
        let variables = [("USERPROFILE", "/users/me"), ("APPDATA", "/data")];
        let windows = user_files(&places(System::Windows, &variables));
        assert!(
            windows.contains(&"/data/Zed/settings.json".to_owned()),
            "{windows:?}"
        );
        assert!(
            windows.contains(&"/users/me/.cursor/mcp.json".to_owned()),
            "{windows:?}"
        );
        // Without a home there is still the project; a folder that is not absolute is none.
        assert!(user_files(&places(System::Other, &[("XDG_CONFIG_HOME", "x")])).is_empty());
    }

    #[test]
    fn what_is_nearest_to_the_work_counts_first() {
        let all = all(&places(System::Other, &[("HOME", "/home/me")]));
        let first: Vec<&Path> = all[..5]
            .iter()
            .map(|location| location.path.as_path())
            .collect();
        assert_eq!(all[0].part, Part::Project("/srv/here".into()));
        assert_eq!(
            first,
            [
                "/home/me/.claude.json",
                "/srv/here/.mcp.json",
                "/srv/here/.vscode/mcp.json",
                "/srv/here/.cursor/mcp.json",
                "/srv/here/.zed/settings.json",
            ]
            .map(Path::new)
        );
    }

    #[test]
    fn the_project_ends_at_the_repository() {
        let name = format!("mcp-progress-locations-{}", std::process::id());
        let top = std::env::temp_dir().join(name);
        let below = top.join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        let alone = super::project(&below);
        std::fs::create_dir(top.join(".git")).unwrap();
        let inside = super::project(&below);
        std::fs::remove_dir_all(&top).unwrap();
        // The folder for temporary files may itself lie in somebody's repository.
        assert_eq!(alone[0], below);
        assert_eq!(inside, [below.clone(), top.join("a"), top]);
    }

    #[test]
    fn a_named_file_knows_its_project() {
        let places = places(System::Other, &[]);
        let workspace = |path: &str| of_file(Path::new(path), &places)[0].workspace.clone();
        for (path, folder) in [
            ("/p/.vscode/mcp.json", "/p"),
            ("/p/.mcp.json", "/p"),
            ("sub/.cursor/mcp.json", "/srv/here/sub"),
            ("/p/servers.json", "/srv/here"),
        ] {
            assert_eq!(workspace(path), PathBuf::from(folder), "{path}");
        }
    }
}
