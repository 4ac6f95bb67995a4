# Sets up the object store: runs in the container `minio-init`, and can be repeated.
set -eu
cd /object-store
secrets=/run/secrets

# Keys go through standard input: arguments and the environment can be read from outside the container. The
# functions below are the shell's own, so their arguments stay in its memory.

# Makes or replaces a policy that grants access to one bucket. Arguments: the policy's name, the bucket.
bucket_policy() {
  sed "s/BUCKET/$2/g" bucket-policy.json >"/tmp/$1.json"
  mc --quiet admin policy create store "$1" "/tmp/$1.json"
}

# Makes a user with one policy; replaces a secret that has changed. Arguments: the policy, both keys.
store_user() {
  mc --quiet admin user add store <<KEYS
$2
$3
KEYS
  # Attaching a policy again is an error, so ask first.
  mc --json admin user info store "$2" | grep -q "\"policyName\":.*\"$1\"" ||
    mc --quiet admin policy attach store "$1" --user "$2"
}

# Prints both keys of a file in the form of the AWS shared credentials file.
aws_keys() {
  sed -n 's/^aws_access_key_id *= *//p; s/^aws_secret_access_key *= *//p' "$1"
}

# Prints a file as the inside of a JSON string (RFC 8259 section 7).
json_text() {
  sed -e ':all' -e '$!{N;b all' -e '}' -e 's/[\\"]/\\&/g; s/\n/\\n/g; s/\t/\\t/g' "$1"
}

mc --quiet alias import store /dev/stdin >/dev/null <<JSON
{ "url": "$STORE_URL", "accessKey": "$(json_text "$secrets/minio_root_user")", "secretKey": "$(json_text "$secrets/minio_root_password")", "api": "s3v4", "path": "on" }
JSON

for bucket in "$S3_BUCKET_DOCS" "$S3_BUCKET_LOKI" "$S3_BUCKET_TEMPO"; do
  mc --quiet mb --ignore-existing "store/$bucket"
done

# Replaces the whole lifecycle configuration of the bucket. Objects staged for longer than a day are orphans.
mc --quiet ilm rule import "store/$S3_BUCKET_DOCS" <<JSON
{ "Rules": [{
  "ID": "staging-expires", "Status": "Enabled",
  "Filter": { "Prefix": "${S3_PREFIX_DOCS}staging/" }, "Expiration": { "Days": 1 }
}] }
JSON

# One key each for the service, Loki and Tempo: it reaches its own bucket and nothing else.
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
