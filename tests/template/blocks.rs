//! The template has one block per folder in `functions/`.

use crate::reading::{functions, of_type, pascal, resources, root};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

#[test]
fn every_folder_has_its_function_and_every_function_its_folder() {
    let all = resources();
    let ids: BTreeSet<&str> =
        of_type(&all, "AWS::Serverless::Function").into_iter().map(|(id, _)| id).collect();
    let folders: BTreeMap<String, String> =
        functions().into_iter().map(|name| (pascal(&name), name)).collect();
    assert_eq!(ids, folders.keys().map(String::as_str).collect());
    for (id, folder) in folders {
        assert_eq!(all[&id]["Metadata"]["BuildMethod"], "rust-cargolambda", "{id}");
        assert_eq!(all[&id]["Metadata"]["BuildProperties"]["Binary"], folder, "{id}");
    }
}

#[test]
fn blocks_stand_in_alphabetical_order_and_name_their_resources_after_their_folder() {
    let text = fs::read_to_string(root().join("template.yaml")).unwrap();
    let lines = text.lines().skip_while(|line| *line != "Resources:");
    let mut blocks: Vec<(String, Vec<&str>)> = Vec::new();
    for line in lines {
        if let Some(heading) = line.strip_prefix("  # --- ") {
            blocks.push((heading.trim_end_matches('-').trim().to_owned(), Vec::new()));
        } else if let Some(id) =
            line.strip_prefix("  ").filter(|l| l.starts_with(|c: char| c.is_ascii_uppercase()))
        {
            blocks
                .last_mut()
                .expect("a resource stands before the first heading")
                .1
                .push(id.trim_end_matches(':'));
        }
    }
    let shared = blocks.iter().take_while(|(heading, _)| heading.starts_with("shared: ")).count();
    let own = &blocks[shared..];
    assert_eq!(own.iter().map(|(heading, _)| heading.clone()).collect::<Vec<_>>(), functions());
    for (folder, ids) in own {
        let name = pascal(folder);
        assert_eq!(ids.first(), Some(&name.as_str()), "a block begins with its function");
        let strays: Vec<_> = ids.iter().filter(|id| !id.starts_with(&name)).collect();
        assert!(strays.is_empty(), "in the block of {folder}: {strays:?}");
    }
    let named: usize = blocks.iter().map(|(_, ids)| ids.len()).sum();
    assert_eq!(named, resources().len(), "this test has not seen every resource");
}

#[test]
fn every_function_has_a_role_of_its_own() {
    // Without an explicit role SAM creates one, with managed policies that allow reading any queue and writing any
    // log.
    let all = resources();
    for (id, function) in of_type(&all, "AWS::Serverless::Function") {
        assert_eq!(function["Role"], json!({ "Fn::GetAtt": format!("{id}Role.Arn") }), "{id}");
        let role = &all[&format!("{id}Role")]["Properties"];
        assert!(
            role["ManagedPolicyArns"].is_null() && function["Policies"].is_null(),
            "{id}: policies are the role's"
        );
        assert_eq!(function["LoggingConfig"]["LogGroup"], json!({ "Ref": format!("{id}Logs") }), "{id}");
    }
    for (id, group) in of_type(&all, "AWS::Logs::LogGroup") {
        assert!(!group["RetentionInDays"].is_null(), "{id} keeps its lines for ever");
    }
}
