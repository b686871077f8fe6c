//! The table of steps, and how each kind of step runs.

use super::emulator::{Emulator, Iam};
use super::npm;
use super::python::{
    AIRFLOW, AIRFLOW_OPERATOR, DAGSTER, DBT, NOTEBOOK, OPENAPI, SCANNER, SNOWFLAKE, TABCMD, TOOLS, Tools,
};
use super::sam::{self, Optimized};
use crate::delivery;
use crate::release::{self, Bundle};
use crate::repository::{Problem, Repository, succeed};
use std::process::Command;

/// Where the bundle is that the step `deployed` deploys.
const BUNDLE: &str = "target/checked-bundle";

/// One step.
#[derive(Debug)]
pub(crate) struct Step {
    /// What `--step` calls it.
    pub(crate) name: &'static str,
    /// What it is for.
    pub(crate) purpose: &'static str,
    /// Which checks include it.
    pub(crate) part_of: PartOf,
    /// How it runs.
    pub(crate) run: Run,
}

/// The smallest check that includes a step. A larger check includes what a smaller one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PartOf {
    /// `--quick`: needs nothing but Rust.
    Quick,
    /// The check without options, which every change passes.
    Usual,
    /// `--full`: browsers and other people's clients, which take long to install.
    Full,
}

/// How a step runs.
#[derive(Debug)]
pub(crate) enum Run {
    /// `cargo` with these arguments and variables.
    Cargo(&'static [&'static str], Variables),
    /// All tests. `slow` are tests that wait for minutes: `test = false` in their `Cargo.toml` keeps them out of a plain
    /// `cargo test`.
    Tests { slow: &'static [&'static str] },
    /// Installs the Python tools.
    InstallTools,
    /// A Python tool with these arguments and variables.
    Tool(Tools, &'static str, &'static [&'static str], Variables),
    /// `cfn-lint` and `sam validate` on the templates of a release.
    BundleTemplates,
    /// Scanners of what is in `.github`.
    GitHub,
    /// `cargo` with these arguments, and the Python of these tools in this variable.
    CargoWithPython(Tools, &'static str, &'static [&'static str]),
    /// Some tests of `tests/integrations`, with the Python of each of these tools in a variable.
    Callers(&'static [(Tools, &'static str)], &'static [&'static str]),
    /// Some tests of `tests/integrations`, with the path of newman in `NEWMAN`.
    WithNewman(&'static [&'static str]),
    /// Test suites, while an AWS emulator runs. They find it through `AWS_CONTRACT_URL`.
    OnEmulator(&'static [Suite]),
    /// `sam build`.
    Build,
    /// A test of the repository that runs what `sam build` built. It finds that through `SAM_BUILD`, and the Python
    /// tools through `TOOLS`.
    Built(&'static str),
    /// A test of the repository that deploys the bundle of a release, while an AWS emulator runs that enforces policies. It
    /// finds these through `BUNDLE` and `EMULATOR_URL`, and the Python tools through `TOOLS`.
    Deployed(&'static str),
    /// The fault run and the ingress flood, in their usual size.
    Delivery,
    /// A test of the repository that opens Chromium, and fails where there is none.
    InChromium(&'static str),
}

type Variables = &'static [(&'static str, &'static str)];

/// A package's test in `tests/`, a file or a folder.
#[derive(Debug)]
pub(crate) struct Suite {
    /// Folder of the package.
    pub(crate) package: &'static str,
    /// Name of the test.
    pub(crate) test: &'static str,
}

/// How a step ended, if it did not fail.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It passed.
    Passed,
    /// There was nothing to run, and why.
    Skipped(String),
}

/// All steps, quickest first.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        purpose: "the code is formatted as rustfmt.toml says",
        part_of: PartOf::Quick,
        run: Run::Cargo(&["fmt", "--all", "--check"], &[]),
    },
    Step {
        name: "clippy",
        purpose: "clippy finds nothing, with our own rules in clippy.toml",
        part_of: PartOf::Quick,
        run: Run::Cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], &[]),
    },
    Step {
        name: "doc",
        purpose: "the documentation builds, and its links lead somewhere",
        part_of: PartOf::Usual,
        run: Run::Cargo(&["doc", "--workspace", "--no-deps"], &[("RUSTDOCFLAGS", "-Dwarnings")]),
    },
    Step {
        name: "test",
        purpose: "every test passes: units, real binaries, the repository itself",
        part_of: PartOf::Quick,
        run: Run::Tests { slow: &["delivery", "refreshes", "webhooks_commands"] },
    },
    Step {
        name: "run",
        purpose: "`cargo run` builds what it needs and shows the first event and its message",
        part_of: PartOf::Usual,
        run: Run::Cargo(&["run", "--", "--once", "--port", "0"], &[]),
    },
    Step {
        name: "tools",
        purpose: "the Python tools are there: requirements.txt in .venv, requirements-scan.txt in .venv-scan",
        part_of: PartOf::Usual,
        run: Run::InstallTools,
    },
    Step {
        name: "cfn-lint",
        purpose: "CloudFormation knows every resource and property of template.yaml",
        part_of: PartOf::Usual,
        run: Run::Tool(TOOLS, "cfn-lint", &["template.yaml"], &[]),
    },
    Step {
        name: "sam",
        purpose: "SAM can make a CloudFormation template of template.yaml",
        part_of: PartOf::Usual,
        run: Run::Tool(
            TOOLS,
            "sam",
            &["validate", "--lint"],
            &[("SAM_CLI_TELEMETRY", "0"), ("AWS_DEFAULT_REGION", "us-east-1")],
        ),
    },
    Step {
        name: "bundle",
        purpose: "cfn-lint and SAM accept the templates of a release too",
        part_of: PartOf::Usual,
        run: Run::BundleTemplates,
    },
    Step {
        name: "checkov",
        purpose: "checkov finds nothing in template.yaml, apart from exceptions that .checkov.yaml explains",
        part_of: PartOf::Usual,
        run: Run::Tool(SCANNER, "checkov", &["--file", "template.yaml"], &[]),
    },
    Step {
        name: "github",
        purpose: "GitHub can read the workflows and forms in .github, and a scanner finds no weakness in them",
        part_of: PartOf::Usual,
        run: Run::GitHub,
    },
    Step {
        name: "conformance",
        purpose: "clients and schemas of Tableau, AWS and every vendor work with our doubles and messages",
        part_of: PartOf::Usual,
        run: Run::CargoWithPython(
            TOOLS,
            "CONFORMANCE_PYTHON",
            &["test", "--workspace", "--test", "conformance", "--", "--nocapture"],
        ),
    },
    Step {
        name: "callers",
        purpose: "the API is as docs/openapi.yaml says, and the scripts and procedures of integrations/ work at a stack",
        part_of: PartOf::Usual,
        run: Run::Callers(
            &[(OPENAPI, "OPENAPI_PYTHON"), (SNOWFLAKE, "SNOWFLAKE_PYTHON")],
            &["document", "schemathesis", "snowflake"],
        ),
    },
    Step {
        name: "emulator",
        purpose: "our doubles of AWS behave as an AWS emulator does; our stores work on both",
        part_of: PartOf::Usual,
        run: Run::OnEmulator(&[
            Suite { package: "local/aws", test: "contract" },
            Suite { package: "shared/deliveries", test: "claims" },
            Suite { package: "shared/runtime", test: "timers" },
            Suite { package: "shared/store", test: "contract" },
            Suite { package: "shared/circuit", test: "shared" },
            Suite { package: "shared/email", test: "contract" },
            Suite { package: "shared/forwarding", test: "contract" },
            Suite { package: "shared/publishing", test: "contract" },
            Suite { package: "shared/session-store", test: "contract" },
            Suite { package: "shared/session-store", test: "fleet" },
        ]),
    },
    Step {
        name: "build",
        purpose: "`sam build` makes a package of every function",
        part_of: PartOf::Usual,
        run: Run::Build,
    },
    Step {
        name: "invoke",
        purpose: "every function answers its fixture as under `sam local invoke`",
        part_of: PartOf::Usual,
        run: Run::Built("invoke"),
    },
    Step {
        name: "deployed",
        purpose: "the template deploys, and an event travels through what stands there",
        part_of: PartOf::Usual,
        run: Run::Deployed("deployed"),
    },
    Step {
        name: "delivery",
        purpose: "under injected faults no event is lost, and no effect is repeated without need",
        part_of: PartOf::Usual,
        run: Run::Delivery,
    },
    Step {
        name: "browser",
        purpose: "no page of another site reads or posts anything at the local stack; cards and mails are readable (Chromium has to be installed)",
        part_of: PartOf::Full,
        run: Run::InChromium("browser"),
    },
    Step {
        name: "tabcmd",
        purpose: "Tableau's command line refreshes at our simulator, waits for the end, and exports",
        part_of: PartOf::Full,
        run: Run::CargoWithPython(
            TABCMD,
            "TABCMD_PYTHON",
            &["test", "--workspace", "--test", "clients", "--", "tabcmd::", "--nocapture"],
        ),
    },
    Step {
        name: "airflow",
        purpose: "Airflow's operator and sensor for Tableau wait for refreshes at our simulator",
        part_of: PartOf::Full,
        run: Run::CargoWithPython(
            AIRFLOW,
            "AIRFLOW_PYTHON",
            &["test", "--workspace", "--test", "clients", "--", "airflow::", "--nocapture"],
        ),
    },
    Step {
        name: "dagster",
        purpose: "dagster's integration with Tableau refreshes at our simulator over TLS, and reads what is there",
        part_of: PartOf::Full,
        run: Run::CargoWithPython(
            DAGSTER,
            "DAGSTER_PYTHON",
            &["test", "--workspace", "--test", "clients", "--", "dagster::", "--nocapture"],
        ),
    },
    Step {
        name: "operators",
        purpose: "our operator for Airflow and our hook for dbt work at a stack, in their own runtimes",
        part_of: PartOf::Full,
        run: Run::Callers(
            &[(AIRFLOW_OPERATOR, "AIRFLOW_OPERATOR_PYTHON"), (DBT, "DBT_PYTHON")],
            &["airflow", "dbt"],
        ),
    },
    Step {
        name: "notebook",
        purpose: "the notebook of integrations/jupyter runs on a simulated history, and its extract agrees with it",
        part_of: PartOf::Full,
        run: Run::Tool(
            NOTEBOOK,
            "python",
            &["-m", "pytest", "-q", "-rs", "--tb=short", "-p", "no:cacheprovider", "integrations/jupyter"],
            // Python must not write bytecode files into the checkout.
            &[("PYTHONDONTWRITEBYTECODE", "1")],
        ),
    },
    Step {
        name: "postman",
        purpose: "newman replays our collection for Postman at our simulator of Tableau and at a stack (Node.js has to be installed)",
        part_of: PartOf::Full,
        run: Run::WithNewman(&["postman"]),
    },
];

/// The table, for `--help`.
pub(crate) fn overview() -> String {
    let line = |step: &Step| {
        let part_of = match step.part_of {
            PartOf::Quick => " (quick)",
            PartOf::Usual => "",
            PartOf::Full => " (full)",
        };
        format!("  {:<12}{}{part_of}\n", step.name, step.purpose)
    };
    format!("Steps:\n{}", STEPS.iter().map(line).collect::<String>())
}

impl Run {
    /// Runs the step.
    pub(crate) fn run(&self, repository: &Repository, optimized: Optimized) -> Result<Ended, Problem> {
        match self {
            Self::Cargo(arguments, variables) => {
                succeed(repository.cargo().args(*arguments).envs(variables.iter().copied()))?;
            }
            Self::Tests { slow } => tests(repository, slow)?,
            Self::InstallTools => {
                TOOLS.install(repository)?;
                SCANNER.install(repository)?;
            }
            Self::Tool(tools, tool, arguments, variables) => {
                tools.install(repository)?;
                let mut tool = repository.program(tools.tool(repository, tool));
                succeed(tool.args(*arguments).envs(variables.iter().copied()))?;
            }
            Self::BundleTemplates => bundle_templates(repository)?,
            Self::GitHub => github(repository)?,
            Self::CargoWithPython(tools, variable, arguments) => {
                tools.install(repository)?;
                let python = tools.tool(repository, "python");
                succeed(repository.cargo().args(*arguments).env(variable, python))?;
            }
            Self::Callers(all, tests) => {
                let mut cargo = integrations(repository, tests)?;
                for (tools, variable) in *all {
                    tools.install(repository)?;
                    cargo.env(variable, tools.tool(repository, "python"));
                }
                succeed(cargo.arg("--nocapture"))?;
            }
            Self::WithNewman(tests) => {
                let newman = npm::newman(repository)?;
                succeed(integrations(repository, tests)?.env("NEWMAN", newman).arg("--nocapture"))?;
            }
            Self::OnEmulator(suites) => return on_emulator(repository, suites),
            Self::Build => drop(sam::build(repository, optimized)?),
            Self::Built(test) => {
                sam::build(repository, optimized)?;
                succeed(&mut on_built(repository, test))?;
            }
            Self::Deployed(test) => {
                let architecture = sam::build(repository, optimized)?;
                let bundle = Bundle::new(repository.path(BUNDLE))?;
                bundle.add_functions(repository, architecture, &sam::built(repository))?;
                // The test runs our command line as well, which no test of its own package builds.
                succeed(repository.cargo().args(["test", "--workspace", "--no-run", "--quiet"]))?;
                let emulator = Emulator::start(repository, Iam::Enforced)?;
                let mut cargo = on_built(repository, test);
                cargo.env("BUNDLE", bundle.folder().join(architecture));
                succeed(cargo.env("EMULATOR_URL", emulator.url()))
                    .map_err(|problem| emulator.explain(problem))?;
            }
            Self::Delivery => delivery::run(repository, &delivery::Arguments::default())?,
            Self::InChromium(test) => {
                // The test runs the functions' binaries, which no test of its own package builds.
                succeed(repository.cargo().args(["test", "--workspace", "--no-run", "--quiet"]))?;
                let mut cargo = repository.cargo();
                cargo.args(["test", "--workspace", "--test", test, "--", "--nocapture"]);
                let renderer = npm::card_renderer(repository)?;
                succeed(cargo.env("BROWSER_REQUIRED", "1").env("CARD_RENDERER", renderer))?;
            }
        }
        Ok(Ended::Passed)
    }
}

/// Runs all tests: with cargo-nextest if it is installed, which runs tests of several packages at a time, as `.config/nextest.toml` says.
fn tests(repository: &Repository, slow: &[&str]) -> Result<(), Problem> {
    let cargo = |arguments: &[&str]| {
        let mut cargo = repository.cargo();
        cargo.args(arguments);
        cargo
    };
    let named: Vec<&str> = slow.iter().flat_map(|test| ["--test", *test]).collect();
    println!("What needs other programs is skipped here, and has a step of its own.");
    // All functions' binaries are there then, which tests of other packages run: cargo builds those of a package with its tests.
    succeed(&mut cargo(&["test", "--workspace", "--no-run"]))?;
    succeed(cargo(&["test", "--workspace", "--no-run"]).args(&named))?;
    if !has_nextest(repository) {
        println!("cargo-nextest is not installed: the tests of one package run after those of another");
        succeed(&mut cargo(&["test", "--workspace"]))?;
        return succeed(cargo(&["test", "--workspace"]).args(&named));
    }
    succeed(cargo(&["nextest", "run", "--workspace", "--lib", "--bins", "--tests"]).args(&named))?;
    succeed(&mut cargo(&["test", "--workspace", "--doc"]))
}

fn has_nextest(repository: &Repository) -> bool {
    let output = repository.cargo().args(["nextest", "--version"]).output();
    output.is_ok_and(|output| output.status.success())
}

/// Checks the templates of a release as `template.yaml` is checked.
fn bundle_templates(repository: &Repository) -> Result<(), Problem> {
    TOOLS.install(repository)?;
    for template in release::write_templates(repository)? {
        succeed(repository.program(TOOLS.tool(repository, "cfn-lint")).arg(&template))?;
        let mut sam = sam::sam(repository);
        succeed(sam.args(["validate", "--lint", "--template-file"]).arg(&template))?;
    }
    Ok(())
}

/// Checks what is in `.github` against GitHub's schemas, and scans the workflows. Nothing is asked of the network.
fn github(repository: &Repository) -> Result<(), Problem> {
    SCANNER.install(repository)?;
    let schemas: [(&str, &[&str]); 4] = [
        ("github-workflows", &[".github/workflows/check.yml", ".github/workflows/weekly.yml"]),
        ("dependabot", &[".github/dependabot.yml"]),
        ("github-issue-forms", &[".github/ISSUE_TEMPLATE/bug.yml", ".github/ISSUE_TEMPLATE/idea.yml"]),
        ("github-issue-config", &[".github/ISSUE_TEMPLATE/config.yml"]),
    ];
    for (schema, files) in schemas {
        let mut check = repository.program(SCANNER.tool(repository, "check-jsonschema"));
        succeed(check.args(["--builtin-schema", &format!("vendor.{schema}")]).args(files))?;
    }
    let mut zizmor = repository.program(SCANNER.tool(repository, "zizmor"));
    succeed(zizmor.args(["--offline", "--no-progress", "--strict-collection", ".github"]))
}

/// Some tests of `tests/integrations`.
fn integrations(repository: &Repository, tests: &[&str]) -> Result<Command, Problem> {
    // The tests run the functions' binaries, which no test of their own package builds.
    succeed(repository.cargo().args(["test", "--workspace", "--no-run", "--quiet"]))?;
    let mut cargo = repository.cargo();
    cargo.args(["test", "--workspace", "--test", "integrations", "--"]).args(tests);
    Ok(cargo)
}

/// A test of the repository, which gets the paths of the built functions and the tools.
fn on_built(repository: &Repository, test: &str) -> Command {
    let mut cargo = repository.cargo();
    cargo.args(["test", "--workspace", "--test", test, "--", "--nocapture"]);
    cargo.env("SAM_BUILD", sam::built(repository)).env("TOOLS", TOOLS.tool(repository, ""));
    cargo
}

fn on_emulator(repository: &Repository, suites: &[Suite]) -> Result<Ended, Problem> {
    let exists = |suite: &&Suite| {
        let test = repository.path(suite.package).join("tests").join(suite.test);
        test.with_extension("rs").is_file() || test.join("main.rs").is_file()
    };
    let tests: Vec<&str> = suites.iter().filter(exists).map(|suite| suite.test).collect();
    if tests.is_empty() {
        return Ok(Ended::Skipped("there is no such suite yet".to_owned()));
    }
    TOOLS.install(repository)?;
    let emulator = Emulator::start(repository, Iam::Off)?;
    // Of the whole workspace, not of a package each: so the dependencies have the features that the step `test`
    // compiled them with, and are not compiled again.
    let mut cargo = repository.cargo();
    cargo.args(["test", "--workspace"]).args(tests.iter().flat_map(|test| ["--test", test]));
    succeed(cargo.env("AWS_CONTRACT_URL", emulator.url())).map_err(|problem| emulator.explain(problem))?;
    Ok(Ended::Passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_named_once_and_has_a_purpose() {
        for (index, step) in STEPS.iter().enumerate() {
            assert!(STEPS[..index].iter().all(|other| other.name != step.name), "{}", step.name);
            assert!(!step.purpose.is_empty() && step.name.len() < 12, "{}", step.name);
        }
    }

    #[test]
    fn only_the_full_check_installs_other_peoples_clients() {
        for step in STEPS {
            if let Run::CargoWithPython(_, variable, _) = step.run {
                let is_ours = variable == "CONFORMANCE_PYTHON";
                assert_eq!(step.part_of == PartOf::Full, !is_ours, "{}", step.name);
            }
        }
    }

    #[test]
    fn quick_steps_need_nothing_but_rust() {
        for step in STEPS.iter().filter(|step| step.part_of == PartOf::Quick) {
            assert!(matches!(step.run, Run::Cargo(..) | Run::Tests { .. }), "{}", step.name);
        }
    }
}
