//! The names of modules and public items, as paths.

use super::kind::{Kind, Text};
use super::sources::{self, Source};
use crate::repository::{Problem, Repository};
use syn::{Ident, Item, Visibility};

/// The names of all modules, and of the items that other modules may use.
pub(super) fn all(repository: &Repository) -> Result<Vec<Text>, Problem> {
    let mut found = Vec::new();
    for source in sources::rust(repository)? {
        items(&source, &module(&source.path), &source.code.items, &mut found);
    }
    Ok(found)
}

fn items(source: &Source, module: &str, items_of_module: &[Item], found: &mut Vec<Text>) {
    for item in items_of_module.iter().filter(|item| !sources::is_test_item(item)) {
        let Some(name) = name(item) else { continue };
        let path = format!("{module}::{name}");
        let line = name.span().start().line;
        found.push(Text { kind: Kind::Name, file: source.path.clone(), line, text: path.clone() });
        if let Item::Mod(inner) = item
            && let Some((_, inner)) = &inner.content
        {
            items(source, &path, inner, found);
        }
    }
}

/// The name of a module or of an item that is not private.
fn name(item: &Item) -> Option<&Ident> {
    let (visibility, name) = match item {
        Item::Mod(item) => return Some(&item.ident),
        Item::Const(item) => (&item.vis, &item.ident),
        Item::Enum(item) => (&item.vis, &item.ident),
        Item::Fn(item) => (&item.vis, &item.sig.ident),
        Item::Static(item) => (&item.vis, &item.ident),
        Item::Struct(item) => (&item.vis, &item.ident),
        Item::Trait(item) => (&item.vis, &item.ident),
        Item::Type(item) => (&item.vis, &item.ident),
        _ => return None,
    };
    (!matches!(visibility, Visibility::Inherited)).then_some(name)
}

/// The path of a file's module: `shared/alerting/src/engine/sweep.rs` is `alerting::engine::sweep`.
fn module(path: &str) -> String {
    let (package, file) = path.split_once("/src/").unwrap_or((path, ""));
    let package = package.rsplit('/').next().unwrap_or(package).replace('-', "_");
    let file = file.trim_end_matches(".rs");
    let inner = file.split('/').filter(|part| !["lib", "main", "mod"].contains(part));
    std::iter::once(package.as_str()).chain(inner).collect::<Vec<_>>().join("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_path_of_its_module() {
        assert_eq!(module("shared/alerting/src/engine/sweep.rs"), "alerting::engine::sweep");
        assert_eq!(module("shared/plain-text/src/secrets/mod.rs"), "plain_text::secrets");
        assert_eq!(module("cli/src/main.rs"), "cli");
    }
}
