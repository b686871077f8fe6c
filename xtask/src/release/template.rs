//! The template of a bundle: `template.yaml`, with zips in place of sources. Text in, text out, so that comments stay.

use crate::repository::Problem;

/// Where the bundle has the content of the layer with the rules, as seen from the template.
pub(super) const RULES: &str = "../rules";

const CODE: &str = "    CodeUri: .";
const BUILT_BY_CARGO: &str = "BuildMethod: rust-cargolambda, ";
const BUILT_BY_MAKE: &str = "    Metadata: { BuildMethod: makefile }";
const LAYER: &str = "      ContentUri: layers/rules";
const FUNCTION: &str = "    Type: AWS::Serverless::Function";
const PROPERTIES: &str = "    Properties:";
const PROCESSORS: &str = "    AllowedValues: [arm64, x86_64]";
const DEFAULT_PROCESSOR: &str = "    Default: arm64";

/// The template that deploys the zips beside it to functions of this processor.
///
/// # Errors
/// When the template does not have the form that this function expects; otherwise the bundle might not deploy.
pub(super) fn deployable(source: &str, processor: &str) -> Result<String, Problem> {
    for line in [CODE, BUILT_BY_MAKE, LAYER, PROCESSORS] {
        match source.lines().filter(|other| *other == line).count() {
            1 => {}
            count => return Err(format!("template.yaml has {count} lines `{}`", line.trim()).into()),
        }
    }
    let mut lines: Vec<String> = Vec::new();
    let mut resource = "";
    let mut is_function = false;
    let mut zips = 0;
    for line in source.lines() {
        if let Some(name) = entry(line) {
            resource = name;
            is_function = false;
        }
        is_function |= line == FUNCTION;
        match line {
            CODE | BUILT_BY_MAKE => {}
            LAYER => lines.push(format!("      ContentUri: {RULES}")),
            PROCESSORS => lines.push(format!("    AllowedValues: [{processor}]")),
            DEFAULT_PROCESSOR if resource == "Architecture" => {
                lines.push(format!("    Default: {processor}"))
            }
            PROPERTIES if is_function => {
                zips += 1;
                lines.push(line.to_owned());
                lines.push(format!("      CodeUri: {resource}.zip"));
            }
            _ => lines.push(line.replace(BUILT_BY_CARGO, "")),
        }
    }
    let functions = source.lines().filter(|line| *line == FUNCTION).count();
    if zips != functions {
        return Err(format!("template.yaml has {functions} functions, and {zips} got a zip").into());
    }
    if lines.iter().any(|line| line.contains("BuildMethod:")) {
        return Err("template.yaml builds something that the bundle does not have".into());
    }
    Ok(lines.join("\n") + "\n")
}

/// What the template deploys from files, as seen from its folder.
pub(super) fn files(template: &str) -> Vec<&str> {
    let uris = template.lines().filter_map(|line| {
        let line = line.trim();
        line.strip_prefix("CodeUri: ").or_else(|| line.strip_prefix("ContentUri: "))
    });
    uris.collect()
}

/// The name of a resource or parameter, in the line that begins it.
fn entry(line: &str) -> Option<&str> {
    let name = line.strip_prefix("  ")?.strip_suffix(':')?;
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = include_str!("../../../template.yaml");

    #[test]
    fn every_function_has_a_zip_of_its_own_and_nothing_is_built() {
        for processor in ["arm64", "x86_64"] {
            let template = deployable(SOURCE, processor).unwrap();
            let functions = SOURCE.lines().filter(|line| *line == FUNCTION).count();
            assert!(functions >= 3, "{functions}");
            let mut files = files(&template);
            assert_eq!(files.len(), functions + 1, "{files:?}");
            files.sort_unstable();
            files.dedup();
            assert_eq!(files.len(), functions + 1, "two functions have one zip: {files:?}");
            assert!(files.contains(&RULES) && files.contains(&"NotifySlack.zip"), "{files:?}");
            assert!(!template.contains("BuildMethod"), "{template}");
            // The command line reads it.
            assert!(template.contains("Metadata: { BuildProperties: { Binary: notify-slack } }"));
        }
    }

    #[test]
    fn a_bundle_for_one_processor_refuses_the_other() {
        let template = deployable(SOURCE, "x86_64").unwrap();
        let (_, parameter) = template.split_once("\n  Architecture:\n").unwrap();
        let parameter: Vec<&str> = parameter.lines().take(3).collect();
        assert_eq!(parameter, ["    Type: String", "    Default: x86_64", "    AllowedValues: [x86_64]"]);
    }

    #[test]
    fn all_else_stays_as_it_is() {
        let template = deployable(SOURCE, "arm64").unwrap();
        let own = |line: &&str| {
            !["CodeUri", "ContentUri", "BuildMethod", "BuildProperties", "AllowedValues"]
                .iter()
                .any(|word| line.contains(word))
        };
        assert!(template.lines().filter(own).eq(SOURCE.lines().filter(own)));
    }

    #[test]
    fn a_template_of_another_form_is_refused() {
        let refused = |text: &str| deployable(text, "arm64").unwrap_err().to_string();
        assert_eq!(
            refused(&SOURCE.replace(LAYER, "      ContentUri: layers/more")),
            "template.yaml has 0 lines `ContentUri: layers/rules`"
        );
        let more = SOURCE.replace(
            "rust-cargolambda, BuildProperties: { Binary: notify-slack",
            "go1.x, BuildProperties: { Binary: notify-slack",
        );
        assert_eq!(refused(&more), "template.yaml builds something that the bundle does not have");
        let without = SOURCE.replacen(FUNCTION, &format!("{FUNCTION}\n  Other:"), 1);
        assert!(refused(&without).contains(" got a zip"), "{}", refused(&without));
    }
}
