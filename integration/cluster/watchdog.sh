#!/bin/sh
# Takes away what a launcher leaves behind, however it ends: stdin is a pipe that only the launcher holds, so it closes with it.
#
#   watchdog.sh COMMAND... < pipe
#
# The pipe says `own PID` and `disown PID`. When it closes, the processes still owned are killed; then COMMAND runs.
trap '' HUP INT TERM
owned=' '
while read -r verb pid; do
  case $verb in
    own) owned="$owned$pid " ;;
    disown) owned="${owned%% "$pid" *} ${owned#* "$pid" }" ;;
  esac
done
case $owned in
  *[0-9]*) kill -9 $owned ;;
esac
"$@"
