#!/usr/bin/env bash
# A worker over HTTP: bash and curl. It ends on TERM, or, with UNTIL_IDLE set, when no job comes.
#   LEASE_SECONDS=30 WAIT_SECONDS=20 bash worker.sh http://localhost:8080 QUEUE
set -u
api=$1 queue=$2 lease=${LEASE_SECONDS:-30} wait=${WAIT_SECONDS:-20} stop=''
third=$(awk "BEGIN { print $lease / 3 }")
trap 'stop=1' TERM
cd "$(mktemp -d)" && trap 'rm -rf "$PWD"' EXIT

work() { # TYPE PAYLOAD LOST: print the result as JSON, or say what went wrong and fail
  case $1 in
    ok) echo "{\"got\":$2}" ;;
    slow) sleep "$2" && echo '"slow"' ;;
    dies) (($3)) || kill -9 $$; echo '"not twice"' ;;
    *) echo "there is no \"$1\" here" >&2 && return 1 ;;
  esac
}

post() { # PATH BODY: sent again until it is answered, which a token makes harmless
  curl -s --retry 9 --retry-connrefused -H 'Content-Type: application/json' -d "$2" "$api/api/$1"
}

job='^\{"token":"[^"]*","jobs":\[\{"id":"([^"]*)","queue":"[^"]*","type":"([^"]*)",[^{}]*"lost":([0-9]+),'
job+='[^{}]*"timeout_seconds":[0-9.]+,("headers":\{[^}]*\},)?"payload":(.*)\}\]\}$'
while [ -z "$stop" ]; do
  token=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n') # random, a new one for each claim
  claim=$(post claims "{\"queues\":[\"$queue\"],\"token\":\"$token\",\"worker_id\":\"shell $$\",
    \"lease_seconds\":$lease,\"wait_seconds\":$wait}")
  [[ $claim =~ $job ]] || { [ -n "${UNTIL_IDLE:-}" ] && break; sleep 0.2; continue; }
  id=${BASH_REMATCH[1]} mine="\"token\":\"$token\""
  (while sleep "$third" && kill -0 $$; do # as long as we live, and it takes
    post "jobs/$id/extend" "{$mine,\"lease_seconds\":$lease}"; done) >/dev/null 2>&1 & beat=$!
  if work "${BASH_REMATCH[2]}" "${BASH_REMATCH[5]}" "${BASH_REMATCH[3]}" >result 2>error; then
    post "jobs/$id/ack" "{$mine,\"result\":$(<result)}"
  else
    post "jobs/$id/fail" "{$mine,\"error\":{\"message\":\"$(tr -d '\0-\37' <error | sed 's/[\\"]/\\&/g')\"}}"
  fi
  echo; kill $beat
done
