# Sets up the object store; runs in the container `minio-init`. Can be repeated.
set -eu
cd /object-store
. ./store-alias.sh
. ./store-user.sh
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

# A key each for the service, Loki and Tempo: it reaches its own bucket and nothing else.
bucket_policy documents-service "$S3_BUCKET_DOCS"
store_user documents-service "$(cat "$secrets/s3_access_key_id")" "$(cat "$secrets/s3_secret_access_key")"
bucket_policy loki "$S3_BUCKET_LOKI"
store_user loki $(aws_keys "$secrets/loki_s3_credentials")
bucket_policy tempo "$S3_BUCKET_TEMPO"
store_user tempo $(aws_keys "$secrets/tempo_s3_credentials")
# One that reads MinIO's metrics and reaches no bucket at all.
mc --quiet admin policy create store metrics metrics-policy.json
store_user metrics $(aws_keys "$secrets/minio_metrics_credentials")
echo 'object store is set up'
