# Runs Azurite in a container of the published image, and ends it when the connection to the leash port closes. The
# starter holds that connection, and the kernel closes it however the starter ends: no container outlives kill -9.
# A leash that nobody takes within 60 s counts as closed. An image without nc runs without a leash.
azurite "$@" &
azurite=$!
trap 'kill -TERM $azurite' TERM
if command -v nc >/dev/null; then
  (echo leash; exec tail -f /dev/null) | { nc -l -p 10003 -w 60 >/dev/null 2>&1; kill -TERM $azurite; } &
fi
# A signal ends the first wait; Azurite still has its data to write.
wait $azurite
wait $azurite
