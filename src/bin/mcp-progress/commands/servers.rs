//! The servers of the configurations on this machine.
//!
//! Owns their looks. It must not know how they are reached; none is started.

use serde::Serialize;

use crate::args::lists::ServersArgs;
use crate::args::output::Format;
use crate::context::Context;
use crate::failure::{Failure, code};
use crate::server::definition::{Definition, Kind};
use crate::server::locations::Places;
use crate::server::lookup::{Entry, Survey};
use crate::show::printable;
use crate::show::table::Table;

/// A server for programs. Values of variables and headers are left out: they are where secrets are.
#[derive(Debug, Serialize)]
struct Found<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'static str>,
    name: &'a str,
    client: &'a str,
    file: String,
    /// Whether it counts in this project only.
    project: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    env: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headers: Vec<&'a str>,
    disabled: bool,
    /// Whether another one of the same name counts.
    hidden: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
}

/// All of them.
#[derive(Debug, Serialize)]
struct List<'a> {
    servers: &'a [Found<'a>],
}

impl<'a> Found<'a> {
    fn new(entry: &'a Entry, hidden: bool, event: Option<&'static str>) -> Self {
        let mut found = Self {
            event,
            name: &entry.name,
            client: entry.location.client,
            file: entry.location.path.display().to_string(),
            project: entry.location.project,
            transport: None,
            command: None,
            args: None,
            url: None,
            env: Vec::new(),
            headers: Vec::new(),
            disabled: false,
            hidden,
            problem: None,
        };
        match &entry.definition {
            Ok(definition) => found.describe(definition),
            Err(problem) => found.problem = Some(problem),
        }
        found
    }

    fn describe(&mut self, definition: &'a Definition) {
        fn names(pairs: &[(String, String)]) -> Vec<&str> {
            pairs.iter().map(|(name, _)| name.as_str()).collect()
        }
        self.transport = Some(definition.transport());
        self.disabled = definition.disabled;
        match &definition.kind {
            Kind::Process(process) => {
                self.command = Some(&process.command);
                self.args = Some(&process.args);
                self.env = names(&process.env);
            }
            Kind::Http(http) => {
                self.url = Some(&http.url);
                self.headers = names(&http.headers);
            }
        }
    }
}

/// Prints what is found, and says which files are broken.
pub(crate) fn run(args: &ServersArgs, context: &Context) -> Result<u8, Failure> {
    let places = Places::of_this_process();
    let survey = match &args.config {
        Some(file) => Survey::of_file(file, &places).map_err(Failure::Usage)?,
        None => Survey::common(&places),
    };
    let format = context.output.format();
    let event = (format == Format::Jsonl).then_some("server");
    let entries = survey.entries.iter().enumerate();
    let found: Vec<Found<'_>> = entries
        .map(|(at, entry)| Found::new(entry, survey.is_hidden(at), event))
        .collect();
    match format {
        Format::Json => context.output.json(&List { servers: &found })?,
        Format::Jsonl => {
            for server in &found {
                context.output.event(server)?;
            }
        }
        Format::Text => context.output.table(&table(&survey, &places))?,
    }
    for (file, problem) in &survey.broken {
        let text = format!("{}: {problem}", file.display());
        context.screen.notice(&printable::line(&text));
    }
    if survey.entries.is_empty() && format == Format::Text {
        context.screen.notice("no servers; looked into:");
        for path in &survey.looked {
            context
                .screen
                .write(&printable::line(&format!("  {}", path.display())));
        }
    }
    Ok(code::OK)
}

fn table(survey: &Survey, places: &Places) -> Table {
    let mut table = Table::new(&["NAME", "CLIENT", "FILE", "SERVER"]);
    for (at, entry) in survey.entries.iter().enumerate() {
        let mut server = match &entry.definition {
            Ok(definition) if definition.disabled => format!("(disabled) {}", definition.target()),
            Ok(definition) => definition.target(),
            Err(problem) => format!("(wrong) {problem}"),
        };
        if survey.is_hidden(at) {
            server = format!("(hidden by another of this name) {server}");
        }
        let location = &entry.location;
        let file = short(&location.path.display().to_string(), places);
        table.row([entry.name.clone(), location.client.to_owned(), file, server]);
    }
    table
}

/// The path as people write it.
fn short(path: &str, places: &Places) -> String {
    let below = |folder: &std::path::Path| {
        let rest = path.strip_prefix(folder.to_str()?)?;
        rest.starts_with(std::path::MAIN_SEPARATOR)
            .then(|| rest.to_owned())
    };
    let home = || Some(format!("~{}", below(places.home.as_deref()?)?));
    let current = below(&places.current).map(|rest| rest[1..].to_owned());
    current.or_else(home).unwrap_or_else(|| path.to_owned())
}
