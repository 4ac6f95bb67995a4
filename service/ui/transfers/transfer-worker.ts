/** Runs in a worker: all hashing, uploading and downloading. */
export {}
