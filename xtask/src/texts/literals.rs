//! The literals of Rust code that are texts for people.

use super::kind::{Kind, Text};
use super::prose;
use super::sources;
use std::collections::BTreeSet;
use syn::buffer::{Cursor, TokenBuffer};
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Expr, Lit, LitStr, Token};

/// Macros whose texts are for developers, or that take something else than texts.
const SKIPPED: [&str; 12] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "cfg",
    "debug_assert",
    "debug_assert_eq",
    "env",
    "include_bytes",
    "include_str",
    "panic",
    "stringify",
    "unreachable",
];
const LOGS: [&str; 7] = ["debug", "error", "event", "info", "level", "trace", "warn"];
const PRINTS: [&str; 5] = ["eprint", "eprintln", "line", "print", "println"];

/// Methods and functions that take the text of an error.
const ERRORS: [&str; 11] = [
    "Err",
    "error",
    "failed",
    "invalid",
    "map_err",
    "ok_or",
    "ok_or_else",
    "permanent",
    "problem",
    "refused",
    "transient",
];
/// How the names of types end that are errors.
const ERROR_TYPES: [&str; 5] = ["Error", "Failure", "Problem", "Reason", "Refused"];

/// Where texts are messages, unless something says otherwise.
const MESSAGES: [&str; 5] = [
    "functions/",
    "shared/alerting/",
    "shared/destinations/",
    "shared/plain-text/",
    "shared/tableau-client/src/cause/",
];

/// Collects the texts of one file.
pub(super) struct Literals<'a> {
    file: &'a str,
    /// As `help::UP`.
    help_constants: &'a BTreeSet<String>,
    /// The kind of texts here.
    kind: Option<Kind>,
    /// Whether every literal here is a text, also one of one word.
    is_text: bool,
    /// Whether single words with a capital are texts.
    has_labels: bool,
    is_constant: bool,
    pub(super) found: Vec<Text>,
}

impl<'a> Literals<'a> {
    pub(super) fn new(file: &'a str, help_constants: &'a BTreeSet<String>) -> Self {
        let starts = |folders: &[&str]| folders.iter().any(|folder| file.starts_with(folder));
        let kind = if starts(&["local/", "shared/plain-text/src/secrets/"]) {
            // The doubles have the words of Tableau, AWS and Slack; the other has lists of words.
            None
        } else if starts(&["cli/", "xtask/"]) {
            Some(Kind::Output)
        } else if starts(&MESSAGES) {
            Some(Kind::Message)
        } else {
            Some(Kind::Error)
        };
        let has_labels = starts(&["cli/", "functions/", "shared/alerting/", "shared/destinations/slack/"]);
        Self { file, help_constants, kind, is_text: false, has_labels, is_constant: false, found: Vec::new() }
    }

    /// Visits a part whose texts are of another kind.
    fn within(&mut self, kind: Option<Kind>, is_text: bool, visit: impl FnOnce(&mut Self)) {
        let before_kind = self.kind;
        let before_is_text = self.is_text;
        self.kind = kind;
        self.is_text = is_text;
        visit(self);
        self.kind = before_kind;
        self.is_text = before_is_text;
    }

    fn literal(&mut self, literal: &LitStr) {
        let Some(kind) = self.kind else { return };
        let text = literal.value();
        let is_label = self.has_labels && prose::is_label(&text);
        let is_for_people = if self.is_text { prose::has_words(&text) } else { prose::is_prose(&text) };
        if is_for_people || is_label {
            let line = literal.span().start().line;
            self.found.push(Text { kind, file: self.file.to_owned(), line, text });
        }
    }

    /// The texts of a macro that is no list of expressions.
    fn tokens(&mut self, mut cursor: Cursor<'_>) {
        let mut is_value = false;
        let mut is_attribute = false;
        while !cursor.eof() {
            if let Some((literal, rest)) = cursor.literal() {
                // `json!` has keys before a colon; fields of a log line have values behind a sign.
                let is_key = rest.punct().is_some_and(|(sign, _)| sign.as_char() == ':');
                if let Lit::Str(text) = Lit::new(literal)
                    && !is_key
                    && !(is_value && self.kind == Some(Kind::Log))
                {
                    self.literal(&text);
                }
                is_value = false;
                cursor = rest;
            } else if let Some((inner, _, _, rest)) = cursor.any_group() {
                // Documentation of what the macro makes.
                if !is_attribute {
                    let kind = self.kind;
                    self.within(kind, false, |texts| texts.tokens(inner));
                }
                is_attribute = false;
                cursor = rest;
            } else if let Some((sign, rest)) = cursor.punct() {
                is_attribute = sign.as_char() == '#';
                is_value = matches!(sign.as_char(), '=' | '%' | '?');
                cursor = rest;
            } else if let Some((_, rest)) = cursor.token_tree() {
                cursor = rest;
            } else {
                return;
            }
        }
    }
}

/// The kind of the texts that a function or type with this name takes.
fn kind_of_name(name: &str) -> Option<Kind> {
    match name {
        "Skipped" => Some(Kind::Message),
        name if ERRORS.contains(&name) || is_error(name) => Some(Kind::Error),
        _ => None,
    }
}

fn is_error(name: &str) -> bool {
    ERROR_TYPES.iter().any(|end| name.ends_with(end))
}

fn kind_of_path(path: &syn::Path) -> Option<Kind> {
    path.segments.iter().find_map(|segment| kind_of_name(&segment.ident.to_string()))
}

impl<'ast> Visit<'ast> for Literals<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !sources::is_test_item(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {
        // Those with texts are read elsewhere.
    }

    fn visit_pat(&mut self, _: &'ast syn::Pat) {
        // What a value is compared with is no text.
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        let module = self.file.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        if self.help_constants.contains(&format!("{module}::{}", item.ident)) {
            self.within(Some(Kind::Help), true, |texts| visit::visit_item_const(texts, item));
            return;
        }
        self.is_constant = true;
        visit::visit_item_const(self, item);
        self.is_constant = false;
    }

    fn visit_expr_array(&mut self, array: &'ast syn::ExprArray) {
        // A list of words that is looked for in a text.
        if !self.is_constant || !array.elems.iter().any(|element| matches!(element, Expr::Lit(_))) {
            visit::visit_expr_array(self, array);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let is_display = item
            .trait_
            .as_ref()
            .is_some_and(|(path, ..)| path.segments.last().is_some_and(|last| last.ident == "Display"));
        let is_of_error = match &*item.self_ty {
            syn::Type::Path(path) => {
                path.path.segments.last().is_some_and(|last| is_error(&last.ident.to_string()))
            }
            _ => false,
        };
        if is_display && is_of_error && self.kind.is_some() {
            self.within(Some(Kind::Error), false, |texts| visit::visit_item_impl(texts, item));
        } else {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if sources::is_test_only(&function.attrs) {
            return;
        }
        // serde: "invalid type: …, expected" and this.
        if function.sig.ident == "expecting" && self.kind.is_some() {
            self.within(Some(Kind::Error), true, |texts| visit::visit_impl_item_fn(texts, function));
        } else {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_expr_binary(&mut self, expression: &'ast syn::ExprBinary) {
        if !matches!(expression.op, syn::BinOp::Eq(_) | syn::BinOp::Ne(_)) {
            visit::visit_expr_binary(self, expression);
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let kind = match &*call.func {
            Expr::Path(function) => kind_of_path(&function.path),
            _ => None,
        };
        let kind = self.kind.map(|before| kind.unwrap_or(before));
        self.within(kind, false, |texts| visit::visit_expr_call(texts, call));
    }

    fn visit_expr_struct(&mut self, expression: &'ast syn::ExprStruct) {
        let kind = self.kind.map(|before| kind_of_path(&expression.path).unwrap_or(before));
        self.within(kind, false, |texts| visit::visit_expr_struct(texts, expression));
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let name = call.method.to_string();
        self.visit_expr(&call.receiver);
        if ["expect", "contains", "starts_with", "ends_with", "strip_prefix"].contains(&name.as_str()) {
            return;
        }
        let kind = self.kind.map(|before| kind_of_name(&name).unwrap_or(before));
        self.within(kind, false, |texts| call.args.iter().for_each(|argument| texts.visit_expr(argument)));
    }

    fn visit_expr_lit(&mut self, expression: &'ast syn::ExprLit) {
        if let Lit::Str(text) = &expression.lit {
            self.literal(text);
        }
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        let Some(name) = invocation.path.segments.last().map(|last| last.ident.to_string()) else { return };
        let name = name.as_str();
        if SKIPPED.contains(&name) {
            return;
        }
        // The macro `line!` of the command line prints, the one of the functions logs.
        let is_log = name == "line" && !self.file.starts_with("cli/");
        if is_log || LOGS.contains(&name) {
            let buffer = TokenBuffer::new2(invocation.tokens.clone());
            self.within(Some(Kind::Log), true, |texts| texts.tokens(buffer.begin()));
            return;
        }
        let (kind, is_text) =
            if PRINTS.contains(&name) { (Some(Kind::Output), true) } else { (self.kind, false) };
        let arguments = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(invocation.tokens.clone());
        match arguments {
            Ok(arguments) => {
                for argument in &arguments {
                    let is_literal = matches!(argument, Expr::Lit(_));
                    self.within(kind, is_text && is_literal, |texts| texts.visit_expr(argument));
                }
            }
            Err(_) => {
                let buffer = TokenBuffer::new2(invocation.tokens.clone());
                self.within(kind, false, |texts| texts.tokens(buffer.begin()));
            }
        }
    }
}
