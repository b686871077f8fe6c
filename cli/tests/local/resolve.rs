//! `resolve` against the local stack: what it prints, word for word.

use crate::{Home, stderr, stdout};
use serde_json::Value;

/// What is printed for each command line: the exit code, standard output, and standard error.
const PRINTED: &[(&[&str], i32, &str, &str)] = &[
    (
        &["general ledger", "--kind", "datasource", "--project", "finance/Month End"],
        0,
        "4cdd2055-930d-4eaf-94f4-733f3e7d1bfb\n  kind     data source\n  name     General Ledger\n  \
         path     Finance/Month End/General Ledger\n  page     https://10ay.online.tableau.com/#/site/marketing/datasources/1009\n",
        "",
    ),
    (
        &["https://10ay.online.tableau.com/#/site/marketing/workbooks/1001/views"],
        0,
        "5998aaaf-1abe-4d38-b4d9-bc53e85bdd13\n  kind     workbook\n  name     Superstore\n  path     Sales/Superstore\n  \
         page     https://10ay.online.tableau.com/#/site/marketing/workbooks/1001\n",
        "",
    ),
    (
        &["https://10ay.online.tableau.com/t/marketing/views/Superstore/Overview?:iid=1"],
        0,
        "5998aaaf-1abe-4d38-b4d9-bc53e85bdd13\n  kind     workbook\n  name     Superstore\n  path     Sales/Superstore\n  \
         view     90c192cf-d3ac-44af-8f21-ddb66cad4a26 Overview\n  \
         page     https://10ay.online.tableau.com/#/site/marketing/workbooks/1001\n",
        "",
    ),
    (
        &["b6a1d9f2-57c3-4f0e-8d3a-7c1e5f2b9a60"],
        0,
        "b6a1d9f2-57c3-4f0e-8d3a-7c1e5f2b9a60\n  kind     flow\n  name     Load Ledger\n  \
         path     Finance/Month End/Load Ledger\n  page     https://10ay.online.tableau.com/#/site/marketing/flows/1016\n",
        "",
    ),
    (
        &["Superstore", "--project", "Finance"],
        1,
        "",
        "error: there is no workbook, data source or flow `Superstore` in the project Finance; there is Sales/Superstore\n",
    ),
    (
        &["Bugdet", "--kind", "datasource"],
        1,
        "",
        "error: there is no data source `Bugdet`; near names: Finance/Budget\n",
    ),
    (
        &["Budget", "--project", "Finace"],
        1,
        "",
        "error: there is no project Finace; there is Finance/Budget; near projects: Finance\n",
    ),
    (
        &["https://10ay.online.tableau.com/#/projects/35"],
        1,
        "",
        "error: the address shows project 35, and Tableau's APIs know no numbers of projects: say the project's path\n",
    ),
    (
        &["https://10ay.online.tableau.com/#/site/marketing/workbooks/99"],
        1,
        "",
        "error: there is no workbook with the number 99\n",
    ),
    (
        &["https://h/#/workbooks/1", "--project", "Sales"],
        1,
        "",
        "error: --project goes with a name, not with an address\n",
    ),
];

#[test]
fn content_is_resolved_by_address_name_and_luid() {
    let home = Home::new();
    let mut up = home.coming_up(&[]);
    up.show("everything is up after");
    for (arguments, code, out, err) in PRINTED {
        let words: Vec<&str> = ["resolve", "--local"].iter().chain(*arguments).copied().collect();
        let output = home.run(&words);
        assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), (*out, *err), "{arguments:?}");
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}");
    }
    let json = |words: &[&str]| {
        let words: Vec<&str> = ["resolve", "--local", "--json"].iter().chain(words).copied().collect();
        let output = home.run(&words);
        let object: Value = serde_json::from_str(&stdout(&output)).unwrap();
        (output.status.code(), object)
    };
    let (code, found) = json(&["Load Ledger"]);
    assert_eq!((code, &found["kind"]), (Some(0), &Value::from("flow")));
    assert_eq!(found["project"], serde_json::json!(["Finance", "Month End"]));
    let (code, nothing) = json(&["Superstor"]);
    assert_eq!((code, &nothing["error"]), (Some(1), &Value::from("not_found")));
    assert_eq!(nothing["candidates"][0]["luid"], "5998aaaf-1abe-4d38-b4d9-bc53e85bdd13");
    // Wrong words of the command line.
    for words in [&["resolve"][..], &["resolve", "x", "--kind", "view"], &["resolve", "x", "--project", "/"]]
    {
        assert_eq!(home.run(words).status.code(), Some(2), "{words:?}");
    }
}
