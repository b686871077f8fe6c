#!/bin/sh
# The step of action.yml: runs ../curl/refresh.sh with the inputs, and writes outputs, an annotation and a summary. Needs curl and jq.
set -eu

# A text of one line in a workflow command: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
command_text() {
  jq -Rrs 'gsub("%"; "%25") | gsub("\r"; "%0D") | rtrimstr("\n") | gsub("\n"; "%0A")'
}

stop() {
  printf '::error title=Refresh::%s\n' "$(printf '%s' "$1" | command_text)"
  exit 2
}

# Nothing that this step prints shows the key, also if it is no secret of the repository.
[ -z "${REFRESH_KEY:-}" ] || printf '::add-mask::%s\n' "$(printf '%s' "$REFRESH_KEY" | command_text)"

flag() { # NAME VALUE
  case $2 in
    true) return 0 ;;
    false | '') return 1 ;;
    *) stop "$1 is true or false, and not $2" ;;
  esac
}

set --
[ -z "${INPUT_KIND:-}" ] || set -- "$@" --kind "$INPUT_KIND"
[ -z "${INPUT_PROJECT:-}" ] || set -- "$@" --project "$INPUT_PROJECT"
[ -z "${INPUT_SITE:-}" ] || set -- "$@" --site "$INPUT_SITE"
[ -z "${INPUT_LUID:-}" ] || set -- "$@" --luid "$INPUT_LUID"
[ -z "${INPUT_LINK:-}" ] || set -- "$@" --link "$INPUT_LINK"
[ -z "${INPUT_TIMEOUT_MINUTES:-}" ] || set -- "$@" --timeout-minutes "$INPUT_TIMEOUT_MINUTES"
if flag incremental "${INPUT_INCREMENTAL:-}"; then set -- "$@" --incremental; fi
if flag allow-full "${INPUT_ALLOW_FULL:-}"; then set -- "$@" --allow-full; fi
if flag fresh "${INPUT_FRESH:-true}"; then set -- "$@" --fresh; fi
if flag wait "${INPUT_WAIT:-true}"; then set -- "$@" --wait; fi
[ -z "${INPUT_NAME:-}" ] || set -- "$@" -- "$INPUT_NAME"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
code=0
"$(dirname "$0")/../curl/refresh.sh" --json "$@" >"$folder/answer" 2>"$folder/said" || code=$?

# What is printed begins no workflow command: a name may begin with `::`.
stop_token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf '::stop-commands::%s\n' "$stop_token"
cat "$folder/said"
if [ -s "$folder/answer" ]; then jq . "$folder/answer"; fi
printf '::%s::\n' "$stop_token"

member() {
  [ ! -s "$folder/answer" ] || jq -r "$1 // empty" "$folder/answer"
}

output() { # NAME VALUE. With a random end mark, a value of several lines ends nothing early.
  mark=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '%s<<%s\n%s\n%s\n' "$1" "$mark" "$2" "$mark" >>"${GITHUB_OUTPUT:-/dev/null}"
}

message=$(member .message)
[ -n "$message" ] || message=$(cat "$folder/said")
cause=$(member .cause.line)
output id "$(member .id)"
output status "$(member .status)"
output message "$message"
output cause "$cause"

if [ "$code" -ne 0 ]; then
  text=$message
  [ -z "$cause" ] || text=$(printf '%s\nCause: %s\nNext step: %s' "$message" "$cause" "$(member .cause.next_step)")
  printf '::error title=Refresh::%s\n' "$(printf '%s' "$text" | command_text)"
fi
# As code, since a name may hold what Markdown and HTML take for markup.
{
  printf '### Refresh\n\n'
  printf '%s\n%s' "$message" "$cause" | sed -e 's/^/    /'
  printf '\n'
} >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
exit "$code"
