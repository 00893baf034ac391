//! What stands below the options in the help of each command.
//!
//! Owns the examples. It must not know the options. Sentences are lines of any length, since they are fitted to the
//! terminal; examples are not longer than 80 columns, since a broken one cannot be copied.

pub(crate) const EXAMPLES: &str = "\
Examples:
  mcp-progress demo
  mcp-progress tools -- npx -y @modelcontextprotocol/server-everything
  mcp-progress call trigger-long-running-operation duration:=5 steps:=5 -- \\
      npx -y @modelcontextprotocol/server-everything
  mcp-progress call count steps:=3 --stdio 'mcp-progress serve-demo'
  mcp-progress call count --args '{\"steps\": 3}' --url https://example.com/mcp \\
      --bearer-env TOKEN
  mcp-progress servers
  mcp-progress call create_issue title='It works' --server github

A server is named by its command behind `--`, by --stdio, by --url, or by --server from a configuration.

Exit codes:
  0    done
  1    the tool returned an error
  2    wrong usage
  3    JSON-RPC or protocol error
  4    connection or server process lost
  5    time-out
  130  interrupted
  141  standard output is gone, or a file could not be saved";

pub(crate) const TOOLS: &str = "\
Examples:
  mcp-progress tools -- npx -y @modelcontextprotocol/server-everything
  mcp-progress tools count -- mcp-progress serve-demo
  mcp-progress tools --output json --server github | jq -r '.tools[].name'
  mcp-progress tools --output jsonl --server github | jq .tool.inputSchema

Arguments are shown as `call` takes them: KEY=STRING, KEY:=INTEGER, KEY=one|other; those with * must be given.";

pub(crate) const RESOURCES: &str = "\
Examples:
  mcp-progress resources -- npx -y @modelcontextprotocol/server-everything
  mcp-progress resources --templates --server docs
  mcp-progress resources --output jsonl --server docs | jq -r .resource.uri";

pub(crate) const READ: &str = "\
Examples:
  mcp-progress read demo:///report -- mcp-progress serve-demo
  mcp-progress read demo://resource/dynamic/blob/1 --save downloads -- \\
      npx -y @modelcontextprotocol/server-everything
  mcp-progress read docs:///intro --output json --server docs | jq '.contents[]'";

pub(crate) const PROMPTS: &str = "\
Examples:
  mcp-progress prompts -- npx -y @modelcontextprotocol/server-everything
  mcp-progress prompts --output json --server docs | jq -r '.prompts[].name'";

pub(crate) const PROMPT: &str = "\
Examples:
  mcp-progress prompt summary topic=bears -- mcp-progress serve-demo
  mcp-progress prompt review --output json --server docs | jq '.messages[]'";

pub(crate) const INFO: &str = "\
Examples:
  mcp-progress info -- mcp-progress serve-demo
  mcp-progress info --output json --url https://example.com/mcp | jq -r .protocol";

pub(crate) const PING: &str = "\
Examples:
  mcp-progress ping -- mcp-progress serve-demo
  mcp-progress ping --count 5 --interval 200ms --url https://example.com/mcp

Servers of the handshake revisions are asked `ping`. Revision 2026-07-28 has none: there it is `server/discover`. The output says which. The time is that of a request and its answer on an open connection; the start of the server is not in it.";

pub(crate) const SERVERS: &str = "\
Examples:
  mcp-progress servers
  mcp-progress servers --output json | jq -r '.servers[].name'
  mcp-progress tools --server everything

Where is looked, first what counts first:
  ~/.claude.json, under the path of the current folder      Claude Code
  ./.mcp.json                                               Claude Code, Copilot
  ./.vscode/mcp.json                                        VS Code
  ./.cursor/mcp.json                                        Cursor
  ./.zed/settings.json                                      Zed
  ~/.config/mcp/mcp.json                                    any client
  ~/.cursor/mcp.json                                        Cursor
  ~/.config/Code/User/mcp.json                              VS Code
  ~/.copilot/mcp-config.json                                Copilot
  ~/.claude.json                                            Claude Code
  ~/.config/Claude/claude_desktop_config.json               Claude Desktop
  ~/.codeium/windsurf/mcp_config.json                       Windsurf
  ~/.config/zed/settings.json                               Zed
The current folder stands also for those above it, up to the one with .git. For ~/.config stand $XDG_CONFIG_HOME where it is set; for Claude Desktop and VS Code ~/Library/Application Support on macOS; for these and Zed %APPDATA% on Windows.

References in command, args, env, envFile, cwd, url and headers:
  ${VAR}, ${env:VAR}          an environment variable, which must be set
  ${VAR:-DEFAULT}             the same, or DEFAULT where it is not set or empty
  ${workspaceFolder}, ${workspaceFolderBasename}, ${userHome}, ${cwd}, ${/}
  ${input:ID}                 what --input ID=VALUE says, or its own default
Values of headers are never printed, and values of variables only where they are in the path of a program or a file that cannot be used.";

pub(crate) const DEMO: &str = "\
Examples:
  mcp-progress demo
  mcp-progress demo --output jsonl --progress none";

pub(crate) const SERVE_DEMO: &str = "\
Examples:
  mcp-progress call count steps:=3 -- mcp-progress serve-demo
  mcp-progress serve-demo --http 127.0.0.1:8080";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  mcp-progress completions bash > /etc/bash_completion.d/mcp-progress
  mcp-progress completions zsh > ~/.zfunc/_mcp-progress
  mcp-progress completions fish > ~/.config/fish/completions/mcp-progress.fish";

pub(crate) const MAN: &str = "\
Examples:
  mcp-progress man | man -l -
  mcp-progress man call | man -l -
  mcp-progress man --dir ~/.local/share/man/man1";
