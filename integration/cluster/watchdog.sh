#!/bin/sh
# Takes away what a launcher leaves behind, however it ends: stdin is a pipe that only the launcher holds, so it closes with it.
#
#   watchdog.sh RELEASE FINALLY... < pipe
#
# The pipe says `own NAME` and `disown NAME`. When it closes, RELEASE runs with every name still owned, then FINALLY.
trap '' HUP INT TERM
release=$1
shift
owned=' '
while read -r verb name; do
  case $verb in
    own) owned="$owned$name " ;;
    disown) owned="${owned%% "$name" *} ${owned#* "$name" }" ;;
  esac
done
case $owned in
  *[!\ ]*) $release $owned ;;
esac
"$@"
