//! The modules of one crate, without tests, and the file in which each name is defined.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use syn::{Attribute, Item, Meta, UseTree, Visibility};

/// A path in a `use` or in code, with the module that contains it.
pub(crate) type Segments = Vec<String>;

/// The definition that a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// A module, by its index.
    Module(usize),
    /// A name that the module with this index defines itself.
    Defined(usize),
}

/// One branch of a `use`.
pub(crate) struct Import {
    pub(crate) path: Segments,
    /// The name that the branch introduces; `None` for a glob.
    pub(crate) name: Option<String>,
    /// Whether the `use` re-exports the name: `pub use`, `pub(crate) use` and the like.
    pub(crate) is_re_export: bool,
}

/// One module, in its own file or inside another module's file.
pub(crate) struct Module {
    pub(crate) file: String,
    pub(crate) items: Vec<Item>,
    parent: Option<usize>,
    children: Vec<(String, usize)>,
    defined: BTreeSet<String>,
    pub(crate) imports: Vec<Import>,
}

/// A function that returns the text of a file.
type Source<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// Every module of a crate; the first is the root.
pub(crate) struct Crate {
    pub(crate) modules: Vec<Module>,
}

impl Crate {
    /// Parses the crate with this root file, usually `src/lib.rs`.
    pub(crate) fn read(file: &Path) -> Self {
        let folder = file.parent().unwrap();
        let source = |path: &Path| fs::read_to_string(folder.join(path)).ok();
        Self::parse(Path::new(file.file_name().unwrap()), &source)
    }

    /// Parses the crate with this root file; `source` returns its files by relative path.
    pub(crate) fn parse(file: &Path, source: Source<'_>) -> Self {
        let text = source(file).unwrap_or_else(|| panic!("{} is missing", file.display()));
        let mut krate = Self { modules: Vec::new() };
        krate.add(file, Path::new(""), parsed(file, &text), None, source);
        krate
    }

    /// Adds a module and its submodules. `folder` is the folder of its submodules' files.
    fn add(
        &mut self,
        file: &Path,
        folder: &Path,
        items: Vec<Item>,
        parent: Option<usize>,
        source: Source<'_>,
    ) -> usize {
        let here = self.modules.len();
        let items: Vec<Item> = items.into_iter().filter(|item| !is_test_only(attributes(item))).collect();
        let mut module = Module {
            file: file.display().to_string(),
            items: Vec::new(),
            parent,
            children: Vec::new(),
            defined: items.iter().filter_map(name).collect(),
            imports: Vec::new(),
        };
        for item in &items {
            if let Item::Use(item) = item {
                let is_re_export = !matches!(item.vis, Visibility::Inherited);
                module.imports.extend(branches(&item.tree, is_re_export));
            }
        }
        self.modules.push(module);
        for item in &items {
            let Item::Mod(item) = item else { continue };
            let name = item.ident.to_string();
            let below = folder.join(&name);
            let child = match &item.content {
                Some((_, items)) => self.add(file, &below, items.clone(), Some(here), source),
                None => {
                    let places: [PathBuf; 2] = [below.with_extension("rs"), below.join("mod.rs")];
                    let found = places.iter().find_map(|place| Some((place, source(place)?)));
                    let (place, text) = found.unwrap_or_else(|| panic!("no file of {}", below.display()));
                    self.add(place, &below, parsed(place, &text), Some(here), source)
                }
            };
            self.modules[here].children.push((name, child));
        }
        self.modules[here].items = items;
        here
    }

    /// The files of the crate.
    pub(crate) fn files(&self) -> BTreeSet<&str> {
        self.modules.iter().map(|module| module.file.as_str()).collect()
    }

    /// The definition that a path in the module `from` leads to; `None` when it belongs to another crate.
    pub(crate) fn resolve(&self, from: usize, path: &[String]) -> BTreeSet<Target> {
        self.follow(from, path, &mut BTreeSet::new())
    }

    /// `seen` has the names that are being resolved, since globs and `pub use` can form cycles.
    fn follow(&self, from: usize, path: &[String], seen: &mut BTreeSet<(usize, String)>) -> BTreeSet<Target> {
        let mut found = BTreeSet::from([Target::Module(from)]);
        for (position, segment) in path.iter().enumerate() {
            let mut next = BTreeSet::new();
            // A function can have the same name as a module, and has nothing below it.
            let has_module = found.iter().any(|target| matches!(target, Target::Module(_)));
            for target in found {
                match target {
                    Target::Defined(_) if has_module => {}
                    // The rest of the path is an associated function, a variant or the like.
                    Target::Defined(_) => _ = next.insert(target),
                    Target::Module(module) => match segment.as_str() {
                        "crate" if position == 0 => _ = next.insert(Target::Module(0)),
                        "self" => _ = next.insert(target),
                        "super" => next.extend(self.modules[module].parent.map(Target::Module)),
                        name => next.extend(self.named(module, name, seen)),
                    },
                }
            }
            found = next;
        }
        found
    }

    /// Resolves a name in a module.
    fn named(&self, here: usize, name: &str, seen: &mut BTreeSet<(usize, String)>) -> BTreeSet<Target> {
        let mut found = BTreeSet::new();
        if !seen.insert((here, name.to_owned())) {
            return found;
        }
        let module = &self.modules[here];
        let children = module.children.iter().filter(|(child, _)| child == name);
        found.extend(children.map(|(_, child)| Target::Module(*child)));
        if module.defined.contains(name) {
            found.insert(Target::Defined(here));
        }
        for import in module.imports.iter().filter(|import| import.name.as_deref() == Some(name)) {
            found.extend(self.follow(here, &import.path, seen));
        }
        if found.is_empty() {
            for glob in module.imports.iter().filter(|import| import.name.is_none()) {
                for target in self.follow(here, &glob.path, seen) {
                    // Variants of an enum are not listed: a glob over an enum contains the enum's name in its path.
                    if let Target::Module(module) = target {
                        found.extend(self.named(module, name, seen));
                    }
                }
            }
        }
        seen.remove(&(here, name.to_owned()));
        found
    }
}

fn parsed(file: &Path, text: &str) -> Vec<Item> {
    syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", file.display())).items
}

/// The branches of a `use`: `{a::{self, B}, c::*}` has three.
pub(crate) fn branches(tree: &UseTree, is_re_export: bool) -> Vec<Import> {
    let mut found = Vec::new();
    walk(tree, &mut Vec::new(), &mut |path, name| {
        found.push(Import { path: path.to_vec(), name, is_re_export });
    });
    found
}

fn walk(tree: &UseTree, path: &mut Segments, found: &mut impl FnMut(&[String], Option<String>)) {
    match tree {
        UseTree::Path(step) => {
            path.push(step.ident.to_string());
            walk(&step.tree, path, found);
            path.pop();
        }
        UseTree::Name(leaf) if leaf.ident == "self" => found(path, path.last().cloned()),
        UseTree::Name(leaf) => {
            path.push(leaf.ident.to_string());
            found(path, path.last().cloned());
            path.pop();
        }
        UseTree::Rename(leaf) => {
            path.push(leaf.ident.to_string());
            found(path, Some(leaf.rename.to_string()));
            path.pop();
        }
        UseTree::Glob(_) => found(path, None),
        UseTree::Group(group) => group.items.iter().for_each(|tree| walk(tree, path, found)),
    }
}

/// The name that an item defines in its module.
fn name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[cfg(test)]`, or `all(test, …)`.
pub(crate) fn is_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        let Meta::List(list) = &attribute.meta else { return false };
        let condition = list.tokens.to_string().replace(' ', "");
        condition == "test" || condition.starts_with("all(test,") || condition.contains(",test)")
    })
}
