//! Small crates with a planted import cycle, and crates without one.

use crate::imports::{circles, imports};
use crate::krate::Crate;
use crate::shown;
use std::path::Path;

/// The cycles of a crate with these files, as text.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let source = |path: &Path| {
        let file = files.iter().find(|(name, _)| Path::new(name) == path);
        file.map(|(_, text)| (*text).to_owned())
    };
    let imports = imports(&Crate::parse(Path::new("lib.rs"), &source));
    circles(&imports).iter().map(|circle| shown(circle, &imports)).collect()
}

/// A module can have the same name as a function.
const ROOT: &str = "mod a; mod b; mod both; pub fn both() { b::of_b(); }";

/// These two files import each other, since `b` has `use crate::a::A`.
fn is_circle(a: &str) -> bool {
    let a = format!("pub struct A; pub fn of_a() {{}} {a}");
    let b = "use crate::a::A; pub struct B(A); pub fn of_b() {} pub const LIMIT: u8 = 1;";
    !found(&[("lib.rs", ROOT), ("a.rs", &a), ("b.rs", b), ("both.rs", "pub struct Kind;")]).is_empty()
}

#[test]
fn a_circle_is_shown_with_the_names_that_tie_it() {
    let a = "use crate::b::{B, self as other}; pub struct A(B); fn f() { other::of_b(); }";
    let b = "pub struct B; pub fn of_b() { super::a::A::new(); }";
    assert_eq!(
        found(&[("lib.rs", "mod a; mod b;"), ("a.rs", a), ("b.rs", b)]),
        ["a.rs, b.rs\n  a.rs takes from b.rs: B, of_b\n  b.rs takes from a.rs: new"]
    );
}

#[test]
fn an_import_is_found_in_every_form() {
    for code in [
        "use crate::b::B;",
        "use super::b::B;",
        "use crate::b::B as Other;",
        "use crate::{b::{B}};",
        "use crate::b::*; fn f() { of_b(); }",
        "use crate::b::*; type T = Vec<B>;",
        "use crate::b; fn f() { b::of_b(); }",
        "use crate::b::{self}; fn f() -> b::B { loop {} }",
        "fn f() { crate::b::of_b(); }",
        "fn f() { super::b::of_b(); }",
        "fn f() { use crate::b::B; }",
        "fn f() { use crate::b; b::of_b(); }",
        "fn f(_: &crate::b::B) {}",
        "fn f(n: u8) -> bool { matches!(n, crate::b::LIMIT) }",
        "fn f() { assert!([1].iter().all(|n| *n < super::b::LIMIT)); }",
        "#[serde(with = \"crate::b::B\")] struct C;",
        "mod inner { use super::super::b::B; }",
        "impl A { fn f() -> u8 { crate::b::LIMIT } }",
        "#[cfg(feature = \"x\")] use crate::b::B;",
        "#[cfg(not(test))] use crate::b::B;",
    ] {
        assert!(is_circle(code), "{code}");
    }
}

#[test]
fn what_takes_nothing_is_no_import() {
    for code in [
        "",
        "pub use crate::b::B;",
        "pub(crate) use crate::b::of_b;",
        "use crate::b;",
        "use std::b::B;",
        "#[cfg(test)] mod tests { use crate::b::B; }",
        "#[cfg(test)] use crate::b::B;",
        "#[cfg(all(test, unix))] fn f() { crate::b::of_b(); }",
        "impl A { #[cfg(test)] fn f() { crate::b::of_b(); } }",
        "/// See [`crate::b::B`].\nfn f() {}",
        "fn f() { let of_b = 1; g(of_b); }",
        "use crate::a::of_a;",
        "use crate::both::Kind;",
    ] {
        assert!(!is_circle(code), "{code}");
    }
}

#[test]
fn a_name_is_followed_to_the_file_that_defines_it() {
    let root = "mod a; mod b; mod c; pub use b::B;";
    let b = "use crate::a::A; pub struct B(A);";
    for (a, c) in [
        // A cycle through the root, through two files, through a glob, and through a renamed import.
        ("use crate::B; pub struct A;", ""),
        ("use crate::c::B; pub struct A;", "pub use crate::B;"),
        ("use crate::c::B; pub struct A;", "pub use crate::b::*;"),
        ("use crate::c::Other; pub struct A;", "pub use crate::b::B as Other;"),
        ("pub struct A; fn f() -> crate::c::Other { loop {} }", "pub use crate::b::B as Other;"),
    ] {
        let circles = found(&[("lib.rs", root), ("a.rs", a), ("b.rs", b), ("c.rs", c)]);
        assert_eq!(circles.len(), 1, "{a} {c}");
        assert!(circles[0].starts_with("a.rs, b.rs\n"), "{circles:?}");
    }
}

#[test]
fn a_file_and_those_below_it_can_be_a_circle() {
    let root = "mod a;";
    let a = "mod b; pub struct A; fn f() { b::of_b(); }";
    let b = "use super::A; pub fn of_b() -> A { A }";
    let circles = found(&[("lib.rs", root), ("a/mod.rs", a), ("a/b.rs", b)]);
    assert_eq!(circles.len(), 1, "{circles:?}");
    assert!(circles[0].starts_with("a/b.rs, a/mod.rs\n"), "{circles:?}");
    // With the definition in its own file there is no cycle.
    let a = "mod b; mod c; pub use c::A; fn f() { b::of_b(); }";
    let files = [("lib.rs", root), ("a/mod.rs", a), ("a/b.rs", b), ("a/c.rs", "pub struct A;")];
    assert!(found(&files).is_empty());
}

#[test]
fn a_circle_may_have_three_files() {
    let root = "mod a; mod b; mod c; mod d;";
    let files = [
        ("lib.rs", root),
        ("a.rs", "use crate::b::B; pub struct A;"),
        ("b.rs", "use crate::c::C; pub struct B;"),
        ("c.rs", "use crate::a::A; pub struct C;"),
        ("d.rs", "use crate::a::A; pub struct D;"),
    ];
    let circles = found(&files);
    assert_eq!(circles.len(), 1, "{circles:?}");
    assert!(circles[0].starts_with("a.rs, b.rs, c.rs\n"), "{circles:?}");
}
