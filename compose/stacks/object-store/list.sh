# Lists $BUCKET from inside the compose network with the credentials of the container `gate`; prints mc's JSON, then one line of its own.
set -eu
cd /object-store
. ./store-alias.sh
store_alias /run/secrets/gate_access_key_id /run/secrets/gate_secret_access_key
mc --json ls "store/$BUCKET"
echo '{"status":"listed"}'
