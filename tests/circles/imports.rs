//! Which file of a crate imports which names from which other file, and the import cycles among the files.

use crate::krate::{Crate, Import, Segments, Target, branches, is_test_only};
use std::collections::{BTreeMap, BTreeSet};
use syn::buffer::{Cursor, TokenBuffer};
use syn::visit::{self, Visit};

/// The names that one file imports from another, by (importing file, defining file).
pub(crate) type Imports = BTreeMap<(String, String), BTreeSet<String>>;

/// Every import of a crate's file from another file. `mod x;` and `pub use` do not count.
pub(crate) fn imports(krate: &Crate) -> Imports {
    let mut found = Imports::new();
    for (here, module) in krate.modules.iter().enumerate() {
        let own = module.imports.iter().filter(|import| !import.is_re_export);
        let mut paths: Vec<Segments> = own.map(|import| import.path.clone()).collect();
        let mut code = Code::default();
        module.items.iter().for_each(|item| code.visit_item(item));
        paths.extend(code.paths);
        for import in code.uses {
            // A module that a function imports is named by the paths that follow.
            let through = paths.iter().filter(|path| path.first() == import.name.as_ref());
            let through: Vec<Segments> = through.map(|path| [&import.path, &path[1..]].concat()).collect();
            paths.extend(through);
            paths.push(import.path);
        }
        for path in paths {
            for target in krate.resolve(here, &path) {
                // Importing only a module takes no name from it; the code names what it takes.
                let Target::Defined(there) = target else { continue };
                let there = &krate.modules[there].file;
                if *there != module.file {
                    let name = path.last().cloned().unwrap_or_default();
                    found.entry((module.file.clone(), there.clone())).or_default().insert(name);
                }
            }
        }
    }
    found
}

/// The cycles: groups of files that import each other, directly or indirectly.
pub(crate) fn circles(imports: &Imports) -> Vec<Vec<String>> {
    let files: BTreeSet<&String> = imports.keys().flat_map(|(from, to)| [from, to]).collect();
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        files.iter().map(|file| (*file, reached(file, imports))).collect();
    let mut placed = BTreeSet::new();
    let mut found = Vec::new();
    for file in files {
        let both = reached[file].iter().filter(|other| reached[**other].contains(file));
        let circle: Vec<String> = both.map(|other| (*other).clone()).collect();
        if !circle.is_empty() && placed.insert(circle.clone()) {
            found.push(circle);
        }
    }
    found
}

/// The files that a file imports, directly or indirectly; includes the file itself when it is in a cycle.
fn reached<'a>(file: &'a String, imports: &'a Imports) -> BTreeSet<&'a String> {
    let mut found = BTreeSet::new();
    let mut open = vec![file];
    while let Some(file) = open.pop() {
        for (_, to) in imports.keys().filter(|(from, _)| from == file) {
            if found.insert(to) {
                open.push(to);
            }
        }
    }
    found
}

/// The paths in the code of one module.
#[derive(Default)]
struct Code {
    paths: Vec<Segments>,
    /// The `use` lines inside of functions.
    uses: Vec<Import>,
    depth: usize,
}

impl Code {
    fn add(&mut self, path: &syn::Path) {
        self.paths.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
    }
}

impl<'ast> Visit<'ast> for Code {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        // Each module is visited on its own.
        if !matches!(item, syn::Item::Mod(_)) {
            self.depth += 1;
            visit::visit_item(self, item);
            self.depth -= 1;
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        // The module's own `use` lines are already known.
        if self.depth > 1 {
            self.uses.extend(branches(&item.tree, false));
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_test_only(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {
        // `pub(in crate::x)` imports nothing.
    }

    fn visit_expr_path(&mut self, expression: &'ast syn::ExprPath) {
        // A single lower-case word may be a variable; a function is found where it is called.
        let path = &expression.path;
        let is_word = path.get_ident().is_some_and(|word| is_small(&word.to_string()));
        if is_word {
            return;
        }
        visit::visit_expr_path(self, expression);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func {
            self.add(&function.path);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.add(path);
        visit::visit_path(self, path);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        // serde has paths in string literals: `with = "crate::seconds"`.
        if let syn::Meta::List(list) = &attribute.meta {
            let buffer = TokenBuffer::new2(list.tokens.clone());
            texts(buffer.begin(), &mut self.paths);
        }
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        self.add(&invocation.path);
        let buffer = TokenBuffer::new2(invocation.tokens.clone());
        tokens(buffer.begin(), &mut self.paths);
    }
}

fn is_small(word: &str) -> bool {
    !word.starts_with(|first: char| first.is_ascii_uppercase())
}

/// Adds the paths among the tokens of a macro, which can be any text.
fn tokens(mut cursor: Cursor<'_>, found: &mut Vec<Segments>) {
    let mut path = Segments::new();
    // The colons since the last word: two of them join it to the next word.
    let mut colons = 0;
    let mut end = |path: &mut Segments, is_call: bool| {
        let alone = path.len() == 1 && is_small(&path[0]) && !is_call;
        if !path.is_empty() && !alone {
            found.push(path.clone());
        }
        path.clear();
    };
    let mut groups = Vec::new();
    while !cursor.eof() {
        if let Some((word, rest)) = cursor.ident() {
            if colons != 2 {
                end(&mut path, false);
            }
            path.push(word.to_string());
            colons = 0;
            cursor = rest;
        } else if let Some((mark, rest)) = cursor.punct() {
            colons = if mark.as_char() == ':' { colons + 1 } else { 0 };
            if colons == 0 {
                end(&mut path, false);
            }
            cursor = rest;
        } else if let Some((inside, _, _, rest)) = cursor.any_group() {
            end(&mut path, colons == 0);
            colons = 0;
            groups.push(inside);
            cursor = rest;
        } else {
            end(&mut path, false);
            let Some((_, rest)) = cursor.token_tree() else { break };
            cursor = rest;
        }
    }
    end(&mut path, false);
    groups.into_iter().for_each(|inside| tokens(inside, found));
}

/// Adds the paths in an attribute's string literals.
fn texts(mut cursor: Cursor<'_>, found: &mut Vec<Segments>) {
    while !cursor.eof() {
        if let Some((literal, rest)) = cursor.literal() {
            let text = literal.to_string();
            let path: Segments = text.trim_matches('"').split("::").map(str::to_owned).collect();
            if path.len() > 1 {
                found.push(path);
            }
            cursor = rest;
        } else {
            let Some((_, rest)) = cursor.token_tree() else { break };
            cursor = rest;
        }
    }
}
