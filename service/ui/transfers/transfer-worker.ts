/** The program of the worker: all hashing, uploading and downloading, so that the page never stands still. */
import { runTransfers } from './worker-transfers.ts'

const transfers = runTransfers((message) => globalThis.postMessage(message))
globalThis.onmessage = ({ data }) => transfers.receive(data)
