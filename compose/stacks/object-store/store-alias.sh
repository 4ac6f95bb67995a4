# Sourced by the scripts beside it. Makes the mc alias `store` for $STORE_URL from two secret files. The keys
# go through standard input: arguments and the environment can be read from outside of the container.
# Arguments: the file with the access key, the file with the secret key.
store_alias() {
  mc --quiet alias import store /dev/stdin >/dev/null <<JSON
{ "url": "$STORE_URL", "accessKey": "$(cat "$1")", "secretKey": "$(cat "$2")", "api": "s3v4", "path": "on" }
JSON
}
