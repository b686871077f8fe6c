//! The examples in `--help`, and shell completions.

use crate::options::Options;
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use std::io::{self, Write as _};
use std::process::ExitCode;
use workflow::BoxError;

/// The name of the program.
const NAME: &str = "tableau-webhooks";

pub(crate) const PROGRAM: &str = "\
Without a command, `up` runs.

Examples:
  tableau-webhooks up
  tableau-webhooks events list --since 2d --outcome failed
  tableau-webhooks events show 717b

Exit codes:
  0    done
  1    failed, wholly or in part: the error is on standard error
  2    the command line is wrong, and nothing was done
  3    `refresh`: the refresh failed, or was cancelled
  4    `refresh`: it has not ended in time, or it is not known how it ended
  130  interrupted with Ctrl-C, which ends `up` with 0";

pub(crate) const UP: &str = "\
Examples:
  tableau-webhooks up
  tableau-webhooks up --slack bot --port 9000
  tableau-webhooks up --once --rules my-rules.yaml";

pub(crate) const SEND: &str = "\
Examples:
  tableau-webhooks send WorkbookCreated
  tableau-webhooks send DatasourceRefreshFailed --count 5 --local
  WEBHOOK_URL=https://abc.execute-api.eu-central-1.amazonaws.com/webhook/TOKEN tableau-webhooks send AdminPromoted
  tableau-webhooks send AdminPromoted --dry-run";

pub(crate) const TEST: &str = "\
The notification is marked as a test. It goes to a target of the rules, past queues, quiet hours and mutes. The exit code says whether
every target has accepted it. Needs lambda:InvokeFunction on the function.

Examples:
  tableau-webhooks test notify-slack
  tableau-webhooks test notify-slack --to data-alerts --local
  tableau-webhooks test notify-slack --json | jq -r .answer";

pub(crate) const RESOLVE: &str = "\
A name alone has to be unique on the site; with --project it is looked for in that project only. If nothing is found, or more than one,
the exit code is 1.

Examples:
  tableau-webhooks resolve 'https://10ay.online.tableau.com/#/site/marketing/workbooks/1001/views'
  tableau-webhooks resolve 'general ledger' --kind datasource --project 'Finance/Month End'
  tableau-webhooks resolve Superstore --json --local | jq -r .luid";

pub(crate) const REFRESH: &str = "\
Calls the stack's API with the key in TABLEAU_WEBHOOKS_KEY, which `keys create` makes; the key decides what may be refreshed. A look that
fails is no failed refresh: it is repeated until --timeout is over. Ctrl-C ends the wait, and the refresh goes on.

Examples:
  tableau-webhooks refresh \"Sales Orders\" --kind datasource --wait
  tableau-webhooks refresh Superstore --kind workbook --project Finance/Europe --fresh --wait --timeout 90min
  tableau-webhooks refresh Superstore --kind workbook --server https://abc.execute-api.eu-central-1.amazonaws.com --json
  tableau-webhooks refresh --id 3k9x2m4p7q1r8s5t6v0w2y4z --cancel";

pub(crate) const REFRESHES: &str = "\
Examples:
  tableau-webhooks refreshes list
  tableau-webhooks refreshes list --caller \"nightly load\" --refused";

pub(crate) const REFRESHES_LIST: &str = "\
Requests for refreshes and cancels of the last 30 days, also those that were refused. Looks are left out, and so are requests with a wrong key
or over the key's rate, which are counted only. Needs dynamodb:Query on the table.

Examples:
  tableau-webhooks refreshes list --caller \"nightly load\"
  tableau-webhooks refreshes list --refused --limit 200
  tableau-webhooks refreshes list --resource \"sales orders\" --json --local | jq -r .caller";

pub(crate) const EVENTS: &str = "\
Examples:
  tableau-webhooks events list
  tableau-webhooks events show 717b
  tableau-webhooks events dead-letters list --workflow notify-slack
  tableau-webhooks events replay 717b";

pub(crate) const EVENTS_LIST: &str = "\
Examples:
  tableau-webhooks events list --since 2d --outcome failed,waiting
  tableau-webhooks events list --resource \"sales orders\" --wide
  tableau-webhooks events list --since 7d --cause Credentials,Permission
  tableau-webhooks events list --outcome failed --limit 100000 --json | jq -r .workflow | sort | uniq -c";

pub(crate) const EVENTS_SHOW: &str = "\
Examples:
  tableau-webhooks events show 717b
  tableau-webhooks events show 717bbc05a8f9 --local
  tableau-webhooks events show 717b --json | jq .history";

pub(crate) const EVENTS_REPLAY: &str = "\
Examples:
  tableau-webhooks events replay --dry-run
  tableau-webhooks events replay 717b 64c8
  tableau-webhooks events replay --workflow notify-slack --since 2026-11-21T18:00Z --until 2026-11-22";

pub(crate) const DEAD_LETTERS: &str = "\
Examples:
  tableau-webhooks events dead-letters list
  tableau-webhooks events dead-letters redrive 717b
  tableau-webhooks events dead-letters drop 717b";

pub(crate) const DEAD_LETTERS_LIST: &str = "\
Examples:
  tableau-webhooks events dead-letters list --workflow notify-slack
  tableau-webhooks events dead-letters list --since 7d --json | jq -r .reason";

pub(crate) const DEAD_LETTERS_REDRIVE: &str = "\
Examples:
  tableau-webhooks events dead-letters redrive --dry-run
  tableau-webhooks events dead-letters redrive 717b --workflow notify-slack";

pub(crate) const DEAD_LETTERS_DROP: &str = "\
Examples:
  tableau-webhooks events dead-letters drop 717b
  tableau-webhooks events dead-letters drop 0f1e2d3c-4b5a --yes";

pub(crate) const CERTIFICATIONS: &str = "\
A decision is recorded with the address to which its link was sent: whoever has the link can use it. Needs dynamodb:Query on the table.

Examples:
  tableau-webhooks certifications
  tableau-webhooks certifications --datasource \"Sales Orders\" --local
  tableau-webhooks certifications --json --limit 1000 | jq -r 'select(.what == \"certified\")'";

pub(crate) const REPORT: &str = "\
The function `report-history` makes the report, the same one that it sends as the event WeeklyReport every Monday. Delivery records are
kept for 30 days, so older weeks cannot be shown. Needs lambda:InvokeFunction on the function.

Examples:
  tableau-webhooks report
  tableau-webhooks report --week 2026-11-23
  tableau-webhooks report --json | jq '.report.failed_most'";

pub(crate) const HISTORY: &str = "\
Examples:
  tableau-webhooks history export
  tableau-webhooks history download --to history
  tableau-webhooks history erase --person ana.ruiz@example.com";

pub(crate) const HISTORY_EXPORT: &str = "\
Needs lambda:InvokeFunction on the function `report-history`.

Examples:
  tableau-webhooks history export
  tableau-webhooks history export --today --local";

pub(crate) const HISTORY_DOWNLOAD: &str = "\
Needs s3:ListBucket and s3:GetObject on the bucket.

Examples:
  tableau-webhooks history download --to history
  tableau-webhooks history download --to history --local";

pub(crate) const HISTORY_ERASE: &str = "\
Delivery records of the last days are exported again when they change. So erase the person from the stack's table first, as
docs/security.md says under \"Personal data\": this command refuses as long as a record of those days names the person. Needs
dynamodb:Query, BatchGetItem, GetItem and UpdateItem on the table; s3:ListBucket, GetObject and PutObject on the bucket.

Examples:
  tableau-webhooks history erase --person ana.ruiz@example.com
  tableau-webhooks history erase --person 'Ana Ruiz' --yes";

pub(crate) const KEYS: &str = "\
A key is shown once, when it is made: the table has a hash of it. Needs dynamodb:UpdateItem, GetItem and Query on the table.

Examples:
  tableau-webhooks keys create \"nightly load\" --kind datasource --project \"Finance/**\"
  tableau-webhooks keys list
  tableau-webhooks keys revoke 0a1b2c3d4e5f";

pub(crate) const KEYS_CREATE: &str = "\
Examples:
  tableau-webhooks keys create \"nightly load\" --kind datasource --project \"Finance/**\" --rate 60
  tableau-webhooks keys create dashboards --kind workbook --luid 4cdd2055-930d-4eaf-94f4-733f3e7d1bfb
  tableau-webhooks keys create snowflake --kind workbook --kind datasource --project \"**\" --events --json";

pub(crate) const KEYS_LIST: &str = "\
Examples:
  tableau-webhooks keys list
  tableau-webhooks keys list --json | jq -r 'select(.revoked_at == null) | .caller'";

pub(crate) const KEYS_SHOW: &str = "\
Examples:
  tableau-webhooks keys show 0a1b2c3d4e5f";

pub(crate) const KEYS_REVOKE: &str = "\
Examples:
  tableau-webhooks keys revoke 0a1b2c3d4e5f";

pub(crate) const TABLE: &str = "\
Examples:
  tableau-webhooks table copy --from tableau-webhooks-restored";

pub(crate) const TABLE_COPY: &str = "\
Examples:
  tableau-webhooks table copy --from tableau-webhooks-restored
  tableau-webhooks table copy --from tableau-webhooks-DeliveryTable-1A2B3C4D5E6F --stack tableau-webhooks-test";

pub(crate) const RULES: &str = "\
Examples:
  tableau-webhooks rules check
  tableau-webhooks rules deploy
  tableau-webhooks rules explain 717b
  tableau-webhooks rules rollback";

pub(crate) const RULES_CHECK: &str = "\
Examples:
  tableau-webhooks rules check
  tableau-webhooks rules check my-rules.yaml --template template.yaml
  tableau-webhooks rules check --webhooks --local
  tableau-webhooks rules check --json | jq -r .message

Of a mistake in the YAML itself, only the first is shown. In the lines shown, `…` stands for the value of a setting, which may be a
secret in the wrong place.";

pub(crate) const RULES_DEPLOY: &str = "\
Examples:
  tableau-webhooks rules deploy
  tableau-webhooks rules deploy --local
  tableau-webhooks rules deploy my-rules.yaml --stack tableau-webhooks-test --yes";

pub(crate) const RULES_SHOW: &str = "\
Examples:
  tableau-webhooks rules show
  tableau-webhooks rules show --version 3
  tableau-webhooks rules show --text > rules.yaml";

pub(crate) const RULES_HISTORY: &str = "\
Examples:
  tableau-webhooks rules history
  tableau-webhooks rules history --limit 100 --json | jq -r .published_by";

pub(crate) const RULES_ROLLBACK: &str = "\
Examples:
  tableau-webhooks rules rollback
  tableau-webhooks rules rollback 3 --yes";

pub(crate) const RULES_EXPLAIN: &str = "\
Examples:
  tableau-webhooks rules explain 717b
  tableau-webhooks rules explain DatasourceRefreshFailed --local
  tableau-webhooks rules explain events/tableau/workbook-created.json --rules rules.yaml --offline
  tableau-webhooks rules explain DatasourceRefreshFailed --rules rules.yaml --fact project=Finance/Reports --fact tags=critical";

pub(crate) const RULES_TEST: &str = "\
Examples:
  tableau-webhooks rules test rules-test.yaml
  tableau-webhooks rules test finance.yaml sales.yaml --rules my-rules.yaml
  tableau-webhooks rules test rules-test.yaml --json | jq -r .case

A file with cases:
  cases:
    - name: failures in Finance go to the channel of Finance
      event: { name: DatasourceRefreshFailed, resource: Ledger, at: 2026-11-25T10:00 }
      facts: { project: Finance/Reports, tags: [critical] }
      expect:
        - { rule: finance, workflow: notify-slack, settings: { channel: finance-data }, when: now }";

pub(crate) const RULES_SCHEMA: &str = "\
Examples:
  tableau-webhooks rules schema > docs/rules.schema.json";

pub(crate) const WEBHOOKS: &str = "\
Without --server the site is that of the stack, in the session of its functions. With --server it is any site, with a credential in
environment variables. A second sign-in with a personal access token ends the first session: use a token that no other program uses.
Of a webhook's URL only scheme and host are printed: the rest holds a token.

Examples:
  tableau-webhooks webhooks plan
  tableau-webhooks webhooks list
  tableau-webhooks webhooks create DatasourceRefreshFailed DatasourceRefreshSucceeded
  tableau-webhooks webhooks test --all --local
  tableau-webhooks webhooks list --server https://10ay.online.tableau.com --site marketing";

pub(crate) const WEBHOOKS_PLAN: &str = "\
Compares the webhooks of the site with the rules in force and changes nothing. With --server it is another site, whose webhooks post to the
stack too; rules, token and URL are always those of the stack.

Examples:
  tableau-webhooks webhooks plan
  tableau-webhooks webhooks plan --json --local | jq .steps
  tableau-webhooks webhooks plan --server https://10ay.online.tableau.com --site finance";

pub(crate) const WEBHOOKS_APPLY: &str = "\
Shows the plan, asks, and carries it out: creates, changes and deletes webhooks of the stack, and enables those that Tableau has disabled.
Webhooks that others have made stay as they are. The function reconcile-webhooks does the work, which needs lambda:InvokeFunction on it;
without the function, and with --server, this program does. The exit code is 1 if a webhook that the rules need could not be registered.

Examples:
  tableau-webhooks webhooks apply
  tableau-webhooks webhooks apply --yes --json --local | jq .done
  tableau-webhooks webhooks apply --server https://10ay.online.tableau.com --site finance";

pub(crate) const WEBHOOKS_ROTATE: &str = "\
Stores a new token beside the old one, gives it to every webhook of the site whose URL has the old one, also to those that were made by hand,
waits, and takes the old token away. It can be interrupted at any point: the same command goes on. If the rules name other sites, the old
token stays valid until you have moved their webhooks with --server and say so with --finish. Needs secretsmanager:GetSecretValue and
PutSecretValue on the secret with the token. No token is printed.

Examples:
  tableau-webhooks webhooks rotate
  tableau-webhooks webhooks rotate --leaked --yes
  tableau-webhooks webhooks rotate --wait 1h --json --local | jq .moved
  tableau-webhooks webhooks rotate --server https://10ay.online.tableau.com --site finance
  tableau-webhooks webhooks rotate --finish";

pub(crate) const WEBHOOKS_LIST: &str = "\
Tableau disables a webhook after four failed tries to deliver an event. Enabling it does not bring back the events in between.

Examples:
  tableau-webhooks webhooks list --local
  tableau-webhooks webhooks list --event DatasourceRefreshFailed --wide
  tableau-webhooks webhooks list --json | jq -r 'select(.enabled == false) | .luid'";

pub(crate) const WEBHOOKS_CREATE: &str = "\
A webhook with the same event and URL is not created twice. For the URL of the stack it needs secretsmanager:GetSecretValue on the secret
with the token.

Examples:
  tableau-webhooks webhooks create DatasourceRefreshFailed DatasourceRefreshSucceeded
  tableau-webhooks webhooks create WorkbookCreated --name \"new workbooks\" --disabled --local
  tableau-webhooks webhooks create AdminPromoted --url env --server https://10ay.online.tableau.com --site marketing --json";

pub(crate) const WEBHOOKS_UPDATE: &str = "\
Needs REST API 3.8 or later (Tableau 2020.2).

Examples:
  tableau-webhooks webhooks update 0f1e2d3c --url stack
  tableau-webhooks webhooks update \"new workbooks\" --name \"workbooks of Finance\" --event WorkbookUpdated --json";

pub(crate) const WEBHOOKS_TEST: &str = "\
The exit code is 1 if a destination does not answer with 2xx.

Examples:
  tableau-webhooks webhooks test --all
  tableau-webhooks webhooks test \"new workbooks\" 0f1e2d3c --json | jq .status";

pub(crate) const WEBHOOKS_ENABLE: &str = "\
Needs REST API 3.8 or later (Tableau 2020.2). Test the webhook first: Tableau disables it again after four failed tries.

Examples:
  tableau-webhooks webhooks enable 0f1e2d3c
  tableau-webhooks webhooks enable \"new workbooks\" 0f1e2d3c --json";

pub(crate) const WEBHOOKS_DISABLE: &str = "\
Needs REST API 3.8 or later (Tableau 2020.2). The events of this time do not come later. The stack does not enable the webhook again: a person
does.

Examples:
  tableau-webhooks webhooks disable 0f1e2d3c --reason \"moves to another stack\"";

pub(crate) const WEBHOOKS_DELETE: &str = "\
Examples:
  tableau-webhooks webhooks delete 0f1e2d3c
  tableau-webhooks webhooks delete \"new workbooks\" 0f1e2d3c --yes --json";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  tableau-webhooks completions bash > ~/.local/share/bash-completion/completions/tableau-webhooks
  tableau-webhooks completions zsh > ~/.zfunc/_tableau-webhooks
  tableau-webhooks completions fish > ~/.config/fish/completions/tableau-webhooks.fish
  tableau-webhooks completions powershell >> profile.ps1";

/// Prints the completion script for a shell.
pub(crate) fn completions(shell: Shell) -> Result<ExitCode, BoxError> {
    let mut script = Vec::new();
    match shell {
        Shell::Bash => script.extend(bash().into_bytes()),
        shell => clap_complete::generate(shell, &mut Options::command(), NAME, &mut script),
    }
    let mut out = io::stdout().lock();
    out.write_all(&script).and_then(|()| out.flush()).map_err(crate::out::Error::from)?;
    Ok(ExitCode::SUCCESS)
}

/// The completion script for bash. Its generator takes a hyphen in the name of a program or command for the beginning
/// of a subcommand, so hyphens are replaced by underscores while it runs.
///
/// Source: <https://github.com/clap-rs/clap/issues/6421>
fn bash() -> String {
    let letters =
        |events: Command| events.mut_subcommand("dead-letters", |letters| letters.name("dead_letters"));
    let mut command = Options::command().mut_subcommand("events", letters);
    let mut script = Vec::new();
    clap_complete::generate(Shell::Bash, &mut command, "tableau_webhooks", &mut script);
    let script = String::from_utf8_lossy(&script).replace("dead_letters", "dead-letters");
    script.replace(" tableau_webhooks\n", &format!(" {NAME}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Collects each command with the words that lead to it.
    fn commands(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
        found.push((path.to_owned(), command.clone()));
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            commands(inner, &format!("{path} {}", inner.get_name()), found);
        }
    }

    /// The words of a shell line that belong to this program.
    fn words(line: &str) -> Vec<String> {
        let line = line.split(['|', '>']).next().unwrap_or_default().trim();
        let mut words = vec![String::new()];
        let mut quote = None;
        for c in line.chars() {
            match c {
                '"' | '\'' if quote.is_none() => quote = Some(c),
                c if quote == Some(c) => quote = None,
                ' ' if quote.is_none() => words.push(String::new()),
                c => words.last_mut().unwrap().push(c),
            }
        }
        words
    }

    #[test]
    fn every_help_has_examples_of_its_own_command_that_are_right() {
        let mut found = Vec::new();
        commands(&Options::command(), "tableau-webhooks", &mut found);
        assert!(found.len() > 10, "{found:?}");
        for (path, command) in found {
            let help =
                command.get_after_help().unwrap_or_else(|| panic!("{path} has no examples")).to_string();
            let (_, examples) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("{path}: {help}"));
            let examples: Vec<&str> = examples.lines().take_while(|line| line.starts_with("  ")).collect();
            assert!(!examples.is_empty(), "{path}");
            for example in examples {
                let line =
                    example.find("tableau-webhooks ").and_then(|at| example.get(at..)).unwrap_or_default();
                assert!(line.starts_with(&path), "an example of another command: {path}: {line}");
                let read = Options::command().try_get_matches_from(words(line));
                assert!(read.is_ok(), "{line}: {:?}", read.err().map(|error| error.to_string()));
            }
        }
    }
}
