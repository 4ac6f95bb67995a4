# Sourced by init.sh: keys of the store's users, and what they may do. A shell's own functions take their
# arguments in the shell's memory: nobody outside of the container sees them.

# Makes or replaces a policy that reaches one bucket. Arguments: its name, the bucket.
bucket_policy() {
  sed "s/BUCKET/$2/g" bucket-policy.json >"/tmp/$1.json"
  mc --quiet admin policy create store "$1" "/tmp/$1.json"
}

# Makes a user with one policy; a secret that has changed is taken over. Arguments: the policy, both keys.
store_user() {
  mc --quiet admin user add store <<KEYS
$2
$3
KEYS
  # Attaching a policy again is an error, so ask first.
  mc --json admin user info store "$2" | grep -q "\"policyName\":.*\"$1\"" ||
    mc --quiet admin policy attach store "$1" --user "$2"
}

# Prints both keys of a file in the form that AWS gives its shared credentials.
aws_keys() {
  sed -n 's/^aws_access_key_id *= *//p; s/^aws_secret_access_key *= *//p' "$1"
}
