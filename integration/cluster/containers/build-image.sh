#!/bin/sh
# Builds an image that stands in for apache/kafka where no registry can be reached: the same folders, user and entry point,
# filled with the Java, the shell and the few programs of this machine.
#
#   build-image.sh TAG LIBS
#
# TAG   what to call the image
# LIBS  the folder with the jars of that Kafka
set -eu
tag=$1
libs=$2
java=$(command -v java)
java_home=$(dirname "$(dirname "$(readlink -f "$java")")")

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/etc/kafka/docker" "$root/mnt/shared/config" "$root/opt/java" "$root/opt/kafka/config" "$root/tmp" \
  "$root/usr/bin" "$root/usr/lib" "$root/usr/lib64"
for folder in bin lib lib64; do ln -s usr/$folder "$root/$folder"; done

for program in bash sh grep id; do cp -L "$(command -v $program)" "$root/usr/bin/"; done
# Without what only a compiler needs, and without links that lead nowhere.
tar -C "$java_home" -ch --exclude=./jmods --exclude=./man --exclude=./lib/src.zip --exclude=./lib/ct.sym . | tar -C "$root/opt/java" -x
cp -r "$libs" "$root/opt/kafka/libs"

# The libraries that all of these load, where they look for them.
find "$root/usr/bin" "$root/opt/java" -type f \( -name '*.so' -o -perm -100 \) -exec ldd {} + 2>/dev/null |
  sed -n 's/.*=> \(\/[^ ]*\) (.*/\1/p; s/^[[:space:]]*\(\/[^ ]*ld-linux[^ ]*\) (.*/\1/p' | sort -u |
  while read -r library; do
    case $library in
      "$root"*) ;;
      *) mkdir -p "$root$(dirname "$library")" && cp -L "$library" "$root$library" ;;
    esac
  done

echo 'appuser:x:1000:1000::/tmp:/bin/bash' >"$root/etc/passwd"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
for name in log4j2 tools-log4j2; do
  cat >"$root/etc/kafka/docker/$name.yaml" <<'YAML'
Configuration:
  Appenders: { Console: { name: console, PatternLayout: { pattern: "[%d] %p %c - %m%n" } } }
  Loggers: { Root: { level: warn, AppenderRef: { ref: console } } }
YAML
done
touch "$root/etc/kafka/docker/server.properties"
cp "$root"/etc/kafka/docker/* "$root/opt/kafka/config/"

cat >"$root/etc/kafka/docker/run" <<'RUN'
#!/bin/bash
# Writes the configuration, formats the folder unless it was formatted before, and becomes the broker.
kafka() { java $KAFKA_HEAP_OPTS $KAFKA_JVM_PERFORMANCE_OPTS $KAFKA_OPTS -Dlog4j2.configurationFile=/opt/kafka/config/log4j2.yaml -cp '/opt/kafka/libs/*' "$@"; }
outcome=$(kafka kafka.docker.KafkaDockerWrapper setup --default-configs-dir /etc/kafka/docker \
  --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config 2>&1) ||
  grep -qi 'already formatted' <<<"$outcome" || { echo "$outcome"; exit 1; }
exec java $KAFKA_HEAP_OPTS $KAFKA_JVM_PERFORMANCE_OPTS $KAFKA_OPTS -Dlog4j2.configurationFile=/opt/kafka/config/log4j2.yaml \
  -cp '/opt/kafka/libs/*' kafka.Kafka /opt/kafka/config/server.properties
RUN
chmod 755 "$root/etc/kafka/docker/run"

tar -C "$root" --owner=1000 --group=1000 -c . |
  docker import -c 'USER 1000' -c 'ENV PATH=/opt/java/bin:/usr/bin' -c 'CMD ["/etc/kafka/docker/run"]' - "$tag" >/dev/null
