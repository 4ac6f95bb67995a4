# Sets up the object store; runs in the container `minio-init`. Can be repeated.
set -eu
cd /object-store
. ./store-alias.sh
secrets=/run/secrets
store_alias "$secrets/minio_root_user" "$secrets/minio_root_password"

for bucket in "$S3_BUCKET_DOCS" "$S3_BUCKET_LOKI" "$S3_BUCKET_TEMPO"; do
  mc --quiet mb --ignore-existing "store/$bucket"
done

# Replaces the bucket's whole lifecycle configuration. What is staged longer than a day belongs to nobody.
mc --quiet ilm rule import "store/$S3_BUCKET_DOCS" <<JSON
{ "Rules": [{
  "ID": "staging-expires", "Status": "Enabled",
  "Filter": { "Prefix": "${S3_PREFIX_DOCS}staging/" }, "Expiration": { "Days": 1 }
}] }
JSON

# The service's own key: it reaches the bucket of documents and nothing else. `user add` replaces a secret
# that has changed, and reads both halves from standard input.
user="$(cat "$secrets/s3_access_key_id")"
cat "$secrets/s3_access_key_id" - "$secrets/s3_secret_access_key" <<NEWLINE | mc --quiet admin user add store

NEWLINE
sed "s/BUCKET/$S3_BUCKET_DOCS/g" service-policy.json >/tmp/service-policy.json
mc --quiet admin policy create store documents-service /tmp/service-policy.json
# Attaching a policy again is an error, so ask first.
mc --json admin user info store "$user" | grep -q documents-service ||
  mc --quiet admin policy attach store documents-service --user "$user"
echo 'object store is set up'
