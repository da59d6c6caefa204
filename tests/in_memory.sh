# Runs a command with its temporary files in memory, where there is room for them, and removes them behind it:
# the tests write thousands of small ones. Whoever sets TMPDIR decides for themselves.
free=$(df -k --output=avail /dev/shm 2>/dev/null | tail -1)
if [ -n "$TMPDIR" ] || ! [ "${free:-0}" -gt 4000000 ]; then
  exec "$@"
fi
TMPDIR=$(mktemp -d /dev/shm/orchestrator-tests-XXXXXX) || exec "$@"
export TMPDIR
# A server that a test starts runs as another user, who has to pass through; what is in it stays closed.
chmod 711 "$TMPDIR"
trap 'rm -rf "$TMPDIR"' EXIT
trap 'exit 130' INT TERM
"$@"
