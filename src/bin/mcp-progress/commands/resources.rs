//! The resources of a server, or the templates of their addresses.
//!
//! Owns their looks. It must not know how they are read.

use mcp_progress::Client;
use mcp_progress::model::{Resource, ResourceTemplate};

use crate::args::lists::ResourcesArgs;
use crate::commands::request;
use crate::context::Context;
use crate::failure::{Failure, code};
use crate::show::content::size;
use crate::show::table::Table;

/// Prints them.
pub(crate) async fn run(
    client: &Client,
    args: &ResourcesArgs,
    context: &Context,
) -> Result<u8, Failure> {
    if args.templates {
        let ask = || client.list_resource_templates();
        let templates = request::all(client, "template", ask, context).await?;
        request::write(
            "resource templates",
            &templates,
            &of_templates(&templates),
            context,
        )?;
    } else {
        let ask = || client.list_resources();
        let resources = request::all(client, "resource", ask, context).await?;
        request::write("resources", &resources, &of_resources(&resources), context)?;
    }
    Ok(code::OK)
}

fn of_resources(resources: &[Resource]) -> Table {
    let mut table = Table::new(&["URI", "NAME", "TYPE", "SIZE", "DESCRIPTION"]);
    for resource in resources {
        let bytes = resource
            .size
            .map(|bytes| size(usize::try_from(bytes).unwrap_or(usize::MAX)));
        table.row([
            resource.uri.clone(),
            resource
                .title
                .clone()
                .unwrap_or_else(|| resource.name.clone()),
            resource.mime_type.clone().unwrap_or_default(),
            bytes.unwrap_or_default(),
            resource.description.clone().unwrap_or_default(),
        ]);
    }
    table
}

fn of_templates(templates: &[ResourceTemplate]) -> Table {
    let mut table = Table::new(&["URI TEMPLATE", "NAME", "TYPE", "DESCRIPTION"]);
    for template in templates {
        table.row([
            template.uri_template.clone(),
            template
                .title
                .clone()
                .unwrap_or_else(|| template.name.clone()),
            template.mime_type.clone().unwrap_or_default(),
            template.description.clone().unwrap_or_default(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use mcp_progress::model::{Resource, ResourceTemplate};

    use super::{of_resources, of_templates};

    #[test]
    fn the_address_comes_first() {
        let mut resource = Resource::new("a:b", "name");
        resource.size = Some(2048);
        let bare = of_resources(&[resource.clone()]).text(None);
        assert_eq!(
            bare,
            "URI  NAME  TYPE  SIZE     DESCRIPTION\na:b  name        2.0 KiB"
        );
        resource.title = Some("Title".to_owned());
        resource.mime_type = Some("x/y".to_owned());
        resource.description = Some("About\nit".to_owned());
        let full = of_resources(&[resource]).text(None);
        assert!(
            full.ends_with("\na:b  Title  x/y   2.0 KiB  About it"),
            "{full}"
        );
        let template = of_templates(&[ResourceTemplate::new("a:{b}", "name")]).text(None);
        assert_eq!(
            template,
            "URI TEMPLATE  NAME  TYPE  DESCRIPTION\na:{b}         name"
        );
    }
}
