//! The documented schema is the one of the code. To write it anew: `UPDATE=1 cargo test -p history --test schema`.

use history::{Kind, Type};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_page_has_the_columns_of_the_code() {
    let path = root().join("docs/history.md");
    let before = fs::read_to_string(&path).unwrap();
    let mut page = before.clone();
    for kind in Kind::ALL {
        let begin = format!("<!-- columns of {kind} -->\n");
        let start = page.find(&begin).unwrap() + begin.len();
        let end = start + page[start..].find("<!-- end -->").unwrap();
        page.replace_range(start..end, &kind.markdown());
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).unwrap();
        return;
    }
    assert_eq!(before, page, "docs/history.md is not what shared/history/src/column.rs says");
}

/// Case H02: readers name the columns and their types.
#[test]
fn the_views_for_duckdb_have_the_columns_of_the_code() {
    let sql = fs::read_to_string(root().join("integrations/jupyter/schema.sql")).unwrap();
    for kind in Kind::ALL {
        let view = sql.split(&format!("VIEW {kind} AS")).nth(1).unwrap();
        let columns = view.split("columns = {").nth(1).unwrap().split('}').next().unwrap();
        let words: Vec<&str> = columns.split_whitespace().collect();
        let found = words.join(" ").trim_end_matches(',').to_owned();
        let of = |kind: Type| match kind {
            Type::Text | Type::Json => "VARCHAR",
            Type::Timestamp => "TIMESTAMP",
            Type::Integer => "BIGINT",
            Type::Number => "DOUBLE",
        };
        let expected: Vec<String> =
            kind.columns().iter().map(|column| format!("{}: '{}'", column.name, of(column.of))).collect();
        assert_eq!(found, expected.join(", "), "{kind}");
    }
}
