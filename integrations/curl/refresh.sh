#!/bin/sh
# Refreshes a workbook, a data source or a flow of Tableau by its name. Needs curl and jq.
#
#   refresh.sh [OPTION…] NAME
#   refresh.sh [OPTION…] --luid LUID
#   refresh.sh [OPTION…] --link ADDRESS     the address that a browser shows
#
#   --kind KIND             workbook, datasource or flow; not needed with --link
#   --project PATH          Finance/Europe; \/ is a slash in a name. Or a list: ["Ops","Q1/Q2"]
#   --site SITE             default: the site of the stack
#   --incremental           an incremental refresh; with --allow-full a full one where that is not possible
#   --allow-full
#   --fresh                 join no refresh that began before: it may have read the data of before
#   --timeout-minutes N     the service ends the request after N minutes (default 120); the job at Tableau goes on
#   --callback URL          gets the result
#   --idempotency-key KEY   the same key starts nothing again (default: one for this run)
#   --wait                  wait for the end, and print progress on standard error
#   --json                  print the service's answer
#
# REFRESH_URL is the address of the stack, REFRESH_KEY the key.
#
# Exit codes: 0 the refresh succeeded, or without --wait is accepted · 1 it failed or was cancelled · 2 wrong usage
#             3 the service refuses the request · 4 the time is over, and the refresh is still open · 5 the service does not answer
#             6 it is not known how the refresh ended
set -eu
# Ranges of characters are those of ASCII.
LC_ALL=C
export LC_ALL

usage() {
  sed -n '2,/^set -eu/{/^#/s/^# \{0,1\}//p;}' "$0"
}

fail() {
  code=$1
  shift
  printf '%s\n' "$*" >&2
  exit "$code"
}

body='{}'
wait=
print_json=
name=
key=
set_member() { # NAME VALUE, a text
  body=$(printf '%s' "$body" | jq -c --arg name "$1" --arg value "$2" '.[$name] = $value')
}
set_json() { # NAME VALUE, as JSON
  body=$(printf '%s' "$body" | jq -c --arg name "$1" --argjson value "$2" '.[$name] = $value')
}

is_list() {
  printf '%s' "$1" | jq -e 'type == "array"' >/dev/null 2>&1
}

while [ $# -gt 0 ]; do
  option=$1
  case $option in
    --kind | --project | --site | --luid | --link | --timeout-minutes | --callback | --idempotency-key)
      [ $# -gt 1 ] || fail 2 "$option needs a value"
      value=$2
      shift
      ;;
  esac
  case $option in
    --kind) set_member kind "$value" ;;
    --project)
      case $value in
        '['*) if is_list "$value"; then set_json project "$value"; else set_member project "$value"; fi ;;
        *) set_member project "$value" ;;
      esac
      ;;
    --site) set_member site "$value" ;;
    --luid) set_member luid "$value" ;;
    --link) set_member url "$value" ;;
    --timeout-minutes)
      case $value in '' | *[!0-9]*) fail 2 "--timeout-minutes needs a whole number" ;; esac
      set_json timeout_minutes "$value"
      ;;
    --callback) set_member callback_url "$value" ;;
    --idempotency-key) key=$value ;;
    --incremental) set_json incremental true ;;
    --allow-full) set_json allow_full true ;;
    --fresh) set_json fresh true ;;
    --wait) wait=1 ;;
    --json) print_json=1 ;;
    --help | -h)
      usage
      exit 0
      ;;
    --)
      [ $# -le 2 ] || fail 2 "more than one name"
      [ $# -eq 1 ] || name=$2
      break
      ;;
    -*) fail 2 "unknown option $option; --help lists them" ;;
    *)
      [ -z "$name" ] || fail 2 "more than one name: put a name with spaces into quotation marks"
      name=$option
      ;;
  esac
  shift
done
[ -z "$name" ] || set_member name "$name"
printf '%s' "$body" | jq -e '[has("name"), has("luid"), has("url")] | map(select(.)) | length == 1' >/dev/null ||
  fail 2 "say what to refresh: a name, --luid or --link"
[ -n "${REFRESH_URL:-}" ] || fail 2 "REFRESH_URL is not set: the address of the stack"
[ -n "${REFRESH_KEY:-}" ] || fail 2 "REFRESH_KEY is not set: a key of \`tableau-webhooks keys create\`"
base=${REFRESH_URL%/}
case $base in
  https://* | http://127.0.0.1:* | http://localhost:*) ;;
  *) fail 2 "REFRESH_URL has to begin with https://" ;;
esac
# A line break would end the header, and begin another one.
case $REFRESH_KEY in *[!A-Za-z0-9_-]*) fail 2 "REFRESH_KEY has a character that no key has" ;; esac
[ -n "$key" ] || key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
case $key in *[!!-~]*) fail 2 "--idempotency-key: visible characters of ASCII only" ;; esac

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Asks the service until it answers, for so many seconds: METHOD PATH SECONDS. Sets `status`, and leaves the answer in $folder/answer.
# A request that is sent again has the same Idempotency-Key, so a lost answer starts nothing twice.
ask() {
  method=$1
  path=$2
  patience=$3
  gap=1
  waited=0
  while :; do
    rm -f "$folder/answer" "$folder/headers"
    # The key goes by standard input: arguments of a program are visible to all users of the machine.
    status=$(
      {
        printf 'header = "Authorization: Bearer %s"\n' "$REFRESH_KEY"
        if [ "$method" = POST ]; then
          printf 'header = "Content-Type: application/json"\nheader = "Idempotency-Key: %s"\n' \
            "$(printf '%s' "$key" | sed 's/[\\"]/\\&/g')"
          printf 'data-binary = "@%s/body"\n' "$folder"
        fi
      } | curl --disable --config - --silent --request "$method" --connect-timeout 10 --max-time 60 \
        --dump-header "$folder/headers" --output "$folder/answer" --write-out '%{http_code}' "$base$path"
    ) || status=000
    [ -e "$folder/answer" ] || : >"$folder/answer"
    case $status in
      429 | 000 | 5??) ;;
      *) return 0 ;;
    esac
    pause=$gap
    if [ -e "$folder/headers" ]; then
      said=$(tr -d '\r' <"$folder/headers" | sed -n 's/^[Rr][Ee][Tt][Rr][Yy]-[Aa][Ff][Tt][Ee][Rr]: *\([0-9]\{1,4\}\)$/\1/p' | tail -n 1)
      [ -z "$said" ] || pause=$said
    fi
    waited=$((waited + pause))
    [ "$waited" -le "$patience" ] || return 0
    sleep "$pause"
    gap=$((gap * 2))
    [ "$gap" -le 60 ] || gap=60
  done
}

# A member of the answer, without control characters and marks of direction: the terminal would obey them.
member() {
  jq -r "[$1] | map(tostring | gsub(\"[\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]\"; \"\")) | .[]" "$folder/answer" 2>/dev/null |
    LC_ALL=C tr -d '\000-\011\013-\037'
}

refuse() {
  detail=$(member '.detail // .message // empty')
  case $status in
    000) fail 5 "the service does not answer" ;;
    5??) fail 5 "the service does not answer: ${detail:-HTTP status $status}" ;;
  esac
  printf '%s\n' "${detail:-HTTP status $status}" >&2
  member '.candidates[]? | "  \(.kind) \(.name) in \(.project | map(gsub("/"; "\\/")) | join("/")), \(.luid)"' >&2
  exit 3
}

# A short one ends within the first request. A longer wait would hold an execution of a function.
[ -z "$wait" ] || set_json wait_seconds 2
printf '%s' "$body" >"$folder/body"
patience=${REFRESH_PATIENCE:-300}
ask POST /refreshes "$patience"
case $status in 200 | 202) ;; *) refuse ;; esac

id=$(member .id)
state=$(member .status)
case $id in '' | *[!A-Za-z0-9_-]*) fail 5 "the answer has no id: is REFRESH_URL the address of the stack?" ;; esac
if [ -n "$wait" ]; then
  said=
  pause_between=1
  minutes=$(printf '%s' "$body" | jq -r '.timeout_minutes // 120')
  limit=$(($(date +%s) + minutes * 60 + patience))
  while [ "$state" = queued ] || [ "$state" = running ]; do
    progress=$(member '.message + (if .waits_for then " Waits for \(.waits_for)." else "" end)')
    [ "$progress" = "$said" ] || printf '%s\n' "$progress" >&2
    said=$progress
    sleep "$pause_between"
    pause_between=$((pause_between * 2))
    [ "$pause_between" -le 30 ] || pause_between=30
    # A look that fails is no failed refresh: looks go on until the time is over.
    left=$((limit - $(date +%s)))
    [ "$left" -gt 0 ] || left=0
    ask GET "/refreshes/$id" "$left"
    if [ "$status" != 200 ]; then
      detail=$(member '.detail // .message // empty')
      [ "$status" != 000 ] || detail='the service does not answer'
      fail 6 "it is not known how the refresh ended (id $id): ${detail:-HTTP status $status}"
    fi
    state=$(member .status)
    if [ "$left" -eq 0 ] && { [ "$state" = queued ] || [ "$state" = running ]; }; then
      fail 6 "it is not known how the refresh ended (id $id): it is still $state, and its time is over"
    fi
  done
fi

if [ -n "$print_json" ]; then
  cat "$folder/answer"
  printf '\n'
else
  member '.message'
  member 'select(.cause) | "Cause: \(.cause.line)\nNext step: \(.cause.next_step)"'
  [ "$state" != queued ] && [ "$state" != running ] || printf '%s\n' "$id"
fi
case $state in
  succeeded) exit 0 ;;
  queued | running) exit 0 ;;
  timed_out) exit 4 ;;
  *) exit 1 ;;
esac
