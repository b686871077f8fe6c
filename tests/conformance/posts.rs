//! What notify-teams posts.

use serde_json::Value;
use std::path::{Path, PathBuf};
use testkit::{Request, TestEnvironment, fixtures, repository};

fn binary(name: &str) -> PathBuf {
    let ours = std::env::current_exe().unwrap();
    ours.parent().and_then(Path::parent).expect("target/debug/deps/conformance-…").join(name)
}

/// What notify-teams posts in this format, for every event name and for a name with markup.
pub(crate) async fn bodies(format: &str) -> Vec<Value> {
    let channel = if format == "plain" { "finance-flow" } else { "finance" };
    let environment = TestEnvironment::with_rules(&format!(
        "rules: [{{ name: all, on: [Any], do: [{{ notify-teams: {{ channel: {channel}, format: {format}, mention: owner }} }}] }}]\n"
    ))
    .await;
    // In queue mode, the second failure would wait for its group.
    let function = environment.inline("notify-teams", binary("notify-teams"));
    let files = std::fs::read_dir(repository::root().join("events/tableau")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect();
    // The events are about the same objects: a start event after the end would be late.
    names.sort_by_key(|name| (!name.ends_with("started"), name.clone()));
    names.push("odd/resource-name-markup".to_owned());
    for name in names {
        let event = fixtures::json(&format!("tableau/{name}.json"));
        let answer = function.answer(&Request::post(event.to_string())).await;
        assert_eq!(answer.body["status"], "done", "{name}");
    }
    assert_eq!(environment.teams.run_failures(), []);
    environment.teams.posts().into_iter().map(|post| post.body).collect()
}
