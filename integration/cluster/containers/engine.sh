#!/bin/sh
# Runs a command with a Docker engine that has the image apache/kafka:4.3.1. Where nobody can start an engine it says so in one
# line and ends well: nothing is wrong that anybody could put right. What merely failed ends with exit code 1.
#
#   integration/cluster/containers/engine.sh COMMAND...
#
# An engine that answers already is used as it is. Else root on Debian or Ubuntu gets one for the time of the command: bound
# to the loopback address, its socket and all its data in a temporary folder. An image that no registry gives is built from
# what is on this machine.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
version=4.3.1
image=apache/kafka:$version

cannot() {
  echo "Kafka in containers is not exercised here: $1"
  exit 0
}

fail() {
  echo "Kafka in containers cannot be exercised: $1" >&2
  exit 1
}

start_engine() {
  { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; } ||
    cannot "no Docker engine answers, and only root on Debian or Ubuntu can be given one"
  if ! command -v dockerd >/dev/null; then
    echo "Installing docker.io and iptables with apt-get"
    # Since Debian 13 the command docker is in a package of its own.
    { apt-get -qq update && apt-get -qq -y install --no-install-recommends docker.io iptables \
      $(apt-cache show docker-cli >/dev/null 2>&1 && echo docker-cli); } >"$home/apt.log" 2>&1 ||
      fail "apt-get cannot install docker.io: $(tail -n 1 "$home/apt.log")"
  fi
  export DOCKER_HOST="unix://$home/docker.sock"
  dockerd --host "$DOCKER_HOST" --ip 127.0.0.1 --data-root "$home/data" --exec-root "$home/run" \
    --pidfile "$home/docker.pid" >"$home/dockerd.log" 2>&1 &
  engine=$!
  for _ in $(seq 300); do
    docker info >/dev/null 2>&1 && return
    kill -0 "$engine" 2>/dev/null || break
    sleep 0.1
  done
  reason="dockerd does not start: $(tail -n 1 "$home/dockerd.log")"
  # The last line of its log is what it died of. A kernel or sandbox that keeps from root what an engine is made of (mounts,
  # control groups, packet filters) is no fault of this repository; a full disk, a bad flag or an engine that hangs is one.
  if ! kill -0 "$engine" 2>/dev/null && echo "$reason" |
    grep -Eqi 'permission denied|operation not permitted|read-only file system|cgroup|iptables|nf_tables'; then
    cannot "$reason"
  fi
  fail "$reason"
}

stop_engine() {
  if [ -n "$engine" ] && kill "$engine" 2>/dev/null; then wait "$engine" || true; fi
  rm -rf "$home"
}

# The jars come from the cache, or from Maven.
build_image() {
  jar=$(node -e 'require(process.argv[1]).resolveJars(process.argv[2], console.error).then((jars) => console.log(jars[0]))' \
    "$here/../../dist/cluster/jvm/jars.js" "$version")
  sh "$here/build-image.sh" "$image" "$(dirname "$jar")"
}

home=$(mktemp -d)
engine=
trap stop_engine EXIT
trap 'exit 130' INT TERM

docker info >/dev/null 2>&1 || start_engine
if ! docker image inspect "$image" >/dev/null 2>&1 && ! docker pull --quiet "$image" 2>/dev/null; then
  echo "Building an image in place of $image, which no registry gives"
  build_image
fi
"$@"
