#!/bin/sh
# BoltQ from a shell: redis-cli and the files of `boltq export scripts DIR`, nothing else.
#
#   REDIS_CLI="redis-cli -h localhost" sh client.sh DIR QUEUE
#
# Walks three jobs through their lives and prints the words of every answer.
set -eu
dir=$1 queue=$2 prefix=boltq
redis=${REDIS_CLI:-redis-cli} # left unquoted below: a command and its options

call() { # VERB ARGUMENT...: print the answer, one value a line
  verb=$1
  shift
  read -r _ _ sha parts <<EOF
$(grep "^$verb " "$dir/scripts.txt")
EOF
  keys='' count=0
  for part in $parts; do
    keys="$keys ${prefix}1:{$queue}:$part" count=$((count + 1))
  done
  answer=$($redis EVALSHA "$sha" $count $keys "$@")
  case $answer in NOSCRIPT*) # after each restart of the server
    $redis -x SCRIPT LOAD <"$dir/$verb.lua" >/dev/null
    answer=$($redis EVALSHA "$sha" $count $keys "$@") ;;
  esac
  printf '%s\n' "$answer"
}

show() { # TITLE VERB ARGUMENT...: print the words of the answer
  title=$1
  shift
  call "$@" | grep -E '^[A-Z_]+$' | tr '\n' ' ' | sed "s/^/$title: /; s/ \$//"
  echo
}

token() { # random: whoever holds it holds the leases
  od -An -N12 -tx1 /dev/urandom | tr -d ' \n'
}

claim() { # TOKEN LEASE_MS LIMIT: print the answer; 1,000,000 bytes of jobs are enough here
  call claim "$1" "shell $$" "$2" "$3" 1000000
}

# Enqueue: options first, those of the queue where empty, then id, type, payload, headers of each
# job. No pause after a lost lease (base_ms 0), so that this walk need not wait.
jobs='a report {"n":1.0} {} b report {"n":2} {} c report {"n":3} {}'
# shellcheck disable=SC2086 # each word is an argument
show enqueue enqueue base_ms=0 $jobs
# shellcheck disable=SC2086 # once more, as if the answer had been lost
show repeated enqueue base_ms=0 $jobs

# Work: claim, extend while working, then ack or fail under the token of the claim. What stands
# empty before the jobs is for their progress and their logs.
mine=$(token)
claim "$mine" 30000 2 | sed -n 's/^{"n"/claimed: &/p' # the payload is the 4th line behind JOB
show extend extend 30000 '' a "$mine" b "$mine"
show ack ack '' a "$mine" '"done"'
show again ack '' a "$mine" '"done"'
show fail fail '' b "$mine" ShellError 'it did not work' '' 60000 0

# A lease that runs out: another worker gets the job, and the ack of the first is refused.
lost=$(token)
claim "$lost" 100 1 >/dev/null
next=$(token)
until claim "$next" 30000 1 | grep -q '^JOB$'; do sleep 0.02; done
show stale ack '' c "$lost" ''
show ack ack '' c "$next" ''

# The counts stand behind STATS and the time, in the order of the states that the manifest gives.
call stats | sed -n '3,9p' | tr '\n' ' ' | sed 's/^/stats: /; s/ $//'
echo
