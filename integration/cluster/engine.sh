#!/bin/sh
# Runs a command with a Docker engine that has the image apache/kafka:4.3.1, and says in one line why not where it cannot.
#
#   integration/cluster/engine.sh COMMAND...
#
# An engine that answers already is used as it is. Else root on Debian or Ubuntu gets one for the time of the command: bound to
# the loopback address, with its socket and all its data in a temporary folder. An image that no registry gives is built
# from the programs and the Java of this machine (build-image.sh).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
image=apache/kafka:4.3.1

not_exercised() {
  echo "Kafka in containers is not exercised here: $1"
  exit 0
}

start_engine() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
    not_exercised "no Docker engine answers, and only root on Debian or Ubuntu can be given one"
  if ! command -v dockerd >/dev/null; then
    echo "Installing docker.io and iptables with apt-get"
    { apt-get update && apt-get install -y --no-install-recommends docker.io iptables; } >"$home/apt.log" 2>&1 ||
      not_exercised "apt-get cannot install docker.io: $(tail -n 1 "$home/apt.log")"
  fi
  export DOCKER_HOST="unix://$home/docker.sock"
  dockerd --host "$DOCKER_HOST" --ip 127.0.0.1 --data-root "$home/data" --exec-root "$home/run" \
    --pidfile "$home/docker.pid" >"$home/dockerd.log" 2>&1 &
  engine=$!
  for _ in $(seq 300); do
    docker info >/dev/null 2>&1 && return
    kill -0 $engine 2>/dev/null || break
    sleep 0.1
  done
  not_exercised "dockerd does not start: $(tail -n 1 "$home/dockerd.log")"
}

stop_engine() {
  if [ -n "$engine" ]; then
    kill $engine 2>/dev/null && wait $engine || true
  fi
  rm -rf "$home"
}

home=$(mktemp -d)
engine=
trap stop_engine EXIT
trap 'exit 130' INT TERM

docker info >/dev/null 2>&1 || start_engine
if ! docker image inspect $image >/dev/null 2>&1 && ! docker pull --quiet $image 2>/dev/null; then
  echo "Building an image in place of $image, which no registry gives"
  sh "$here/build-image.sh" $image
fi
"$@"
