//! The commands about products: which components the products of other people's documents are.

use anyhow::Result;
use serde_json::json;

use super::{Ending, arguments, cli_context::CliContext};
use crate::products::{Mapping, Products};

impl CliContext<'_> {
    pub(super) fn product(&self, command: &arguments::Products) -> Result<Ending> {
        let products = Products::of_desk(&self.arguments.desk);
        match command {
            arguments::Products::Map {
                product,
                component,
                scheme,
            } => {
                let mapping = products.map(product, component, *scheme)?;
                let words = format!(
                    "Mapped {:?} to {component}. Import the documents again to use it.",
                    mapping.name
                );
                self.say(&mapping, &words)
            }
            arguments::Products::Unmap { product } => {
                let mapping = products.unmap(product)?;
                let words = format!("{:?} is no longer {}.", mapping.name, mapping.component);
                self.say(&mapping, &words)
            }
            arguments::Products::List => {
                let all = products.list()?;
                let lines: Vec<String> = all.iter().map(line).collect();
                self.say(&json!({ "products": all }), &lines.join("\n"))
            }
        }
    }
}

fn line(mapping: &Mapping) -> String {
    let Mapping {
        name,
        component,
        scheme,
    } = mapping;
    match scheme {
        Some(scheme) => format!("{name}  {component}  ({scheme})"),
        None => format!("{name}  {component}"),
    }
}
