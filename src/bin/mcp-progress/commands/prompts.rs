//! The prompts of a server.
//!
//! Owns their looks. It must not know how they are filled in.

use mcp_progress::Client;
use mcp_progress::model::Prompt;

use crate::commands::request;
use crate::context::Context;
use crate::failure::{Failure, code};
use crate::show::table::Table;

/// Prints them.
pub(crate) async fn run(client: &Client, context: &Context) -> Result<u8, Failure> {
    let prompts = request::all(client, "prompt", || client.list_prompts(), context).await?;
    request::write("prompts", &prompts, &table(&prompts), context)?;
    Ok(code::OK)
}

fn table(prompts: &[Prompt]) -> Table {
    let mut table = Table::new(&["NAME", "ARGUMENTS", "DESCRIPTION"]);
    for prompt in prompts {
        let argument = |argument: &mcp_progress::model::PromptArgument| {
            let mark = if argument.is_required() { "*" } else { "" };
            format!("{}=STRING{mark}", argument.name)
        };
        let arguments: Vec<String> = prompt.arguments.iter().map(argument).collect();
        let about = prompt.description.as_ref().or(prompt.title.as_ref());
        table.row([
            prompt.name.clone(),
            arguments.join(" "),
            about.cloned().unwrap_or_default(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use mcp_progress::model::{Prompt, PromptArgument};

    use super::table;

    #[test]
    fn arguments_look_as_they_are_typed() {
        let mut prompt = Prompt::new("p");
        let mut city = PromptArgument::new("city");
        city.required = Some(true);
        prompt.arguments = vec![city, PromptArgument::new("state")];
        let text = table(&[prompt]).text(None);
        assert!(
            text.ends_with("\np     city=STRING* state=STRING"),
            "{text}"
        );
    }
}
