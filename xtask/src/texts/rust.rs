//! The texts of Rust code: attributes and documentation that clap shows, and literals.

use super::kind::{Kind, Text};
use super::literals::Literals;
use super::sources::{self, Source};
use crate::repository::{Problem, Repository};
use std::collections::BTreeSet;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Lit, Meta, Token};

/// Derives of clap whose items have their documentation as help.
const CLAP: [&str; 4] = ["Args", "Parser", "Subcommand", "ValueEnum"];

/// Settings of clap that are texts.
const HELP: [&str; 7] =
    ["about", "after_help", "before_help", "help", "long_about", "long_help", "value_name"];

/// The texts of all Rust code that ships or that a user runs.
pub(super) fn all(repository: &Repository) -> Result<Vec<Text>, Problem> {
    let sources = sources::rust(repository)?;
    let mut names = ClapNames::default();
    sources.iter().for_each(|source| names.visit_file(&source.code));
    Ok(sources.iter().flat_map(|source| of(source, &names)).collect())
}

/// The texts of one file.
fn of(source: &Source, names: &ClapNames) -> Vec<Text> {
    let mut literals = Literals::new(&source.path, &names.constants);
    literals.visit_file(&source.code);
    let mut attributes = Attributes { file: &source.path, names, found: Vec::new() };
    attributes.visit_file(&source.code);
    literals.found.into_iter().chain(attributes.found).collect()
}

/// The entries of an attribute: `a`, `b = "c"`, `d(e)`.
fn entries(attribute: &Attribute) -> Vec<Expr> {
    let Meta::List(list) = &attribute.meta else { return Vec::new() };
    let entries = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(list.tokens.clone());
    entries.map(|entries| entries.into_iter().collect()).unwrap_or_default()
}

/// The settings of an attribute of clap that are texts.
fn help_settings(attribute: &Attribute) -> Vec<Expr> {
    if !["arg", "command", "value"].iter().any(|name| attribute.path().is_ident(name)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for entry in entries(attribute) {
        let Expr::Assign(setting) = entry else { continue };
        let is_text = match &*setting.left {
            Expr::Path(name) => HELP.iter().any(|text| name.path.is_ident(text)),
            _ => false,
        };
        if is_text {
            found.push(*setting.right);
        }
    }
    found
}

/// What clap shows and what it does not, by name.
#[derive(Default)]
struct ClapNames {
    /// The constants that it shows, with their modules: `help::UP`.
    constants: BTreeSet<String>,
    /// The types whose own documentation it does not show: other options take theirs in.
    flattened: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for ClapNames {
    fn visit_field(&mut self, field: &'ast syn::Field) {
        let is_flattened =
            field.attrs.iter().filter(|attribute| attribute.path().is_ident("command")).any(|attribute| {
                entries(attribute)
                    .iter()
                    .any(|entry| matches!(entry, Expr::Path(path) if path.path.is_ident("flatten")))
            });
        if is_flattened && let syn::Type::Path(of) = &field.ty {
            self.flattened.extend(of.path.segments.last().map(|last| last.ident.to_string()));
        }
        visit::visit_field(self, field);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        for setting in help_settings(attribute) {
            if let Expr::Path(constant) = setting {
                let parts: Vec<String> =
                    constant.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
                self.constants.insert(parts.join("::"));
            }
        }
    }
}

/// The texts of attributes.
struct Attributes<'a> {
    file: &'a str,
    names: &'a ClapNames,
    found: Vec<Text>,
}

impl Attributes<'_> {
    fn add(&mut self, kind: Kind, line: usize, text: String) {
        self.found.push(Text { kind, file: self.file.to_owned(), line, text });
    }

    /// The documentation of these attributes as help.
    fn documentation(&mut self, attributes: &[Attribute]) {
        let mut lines = Vec::new();
        let mut first = 0;
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
            if let Meta::NameValue(doc) = &attribute.meta
                && let Expr::Lit(literal) = &doc.value
                && let Lit::Str(text) = &literal.lit
            {
                if lines.is_empty() {
                    first = text.span().start().line;
                }
                lines.push(text.value().trim().to_owned());
            }
        }
        if !lines.is_empty() {
            let paragraphs: Vec<String> =
                lines.split(String::is_empty).map(|paragraph| paragraph.join(" ")).collect();
            self.add(Kind::Help, first, paragraphs.join("\n"));
        }
    }

    fn fields(&mut self, fields: &syn::Fields) {
        fields.iter().for_each(|field| self.documentation(&field.attrs));
    }
}

/// Whether clap makes help of an item with these attributes.
fn is_of_clap(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).flat_map(entries).any(|entry| {
        let Expr::Path(path) = entry else { return false };
        path.path.segments.last().is_some_and(|last| CLAP.iter().any(|name| last.ident == name))
    })
}

impl<'ast> Visit<'ast> for Attributes<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !sources::is_test_item(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if is_of_clap(&item.attrs) {
            if !self.names.flattened.contains(&item.ident.to_string()) {
                self.documentation(&item.attrs);
            }
            self.fields(&item.fields);
        }
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        if is_of_clap(&item.attrs) {
            for variant in &item.variants {
                self.documentation(&variant.attrs);
                self.fields(&variant.fields);
            }
        }
        visit::visit_item_enum(self, item);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let texts = if attribute.path().is_ident("error") {
            entries(attribute).into_iter().take(1).map(|text| (Kind::Error, text)).collect()
        } else {
            let texts = help_settings(attribute).into_iter();
            texts.map(|text| (Kind::Help, text)).collect::<Vec<_>>()
        };
        for (kind, text) in texts {
            if let Expr::Lit(literal) = &text
                && let Lit::Str(text) = &literal.lit
            {
                self.add(kind, text.span().start().line, text.value());
            }
        }
    }
}
