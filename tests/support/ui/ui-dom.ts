import { afterAll, afterEach, beforeAll } from 'bun:test'
import { GlobalRegistrator } from '@happy-dom/global-registrator'

/**
 * What stays the runtime's own while there is a DOM: the network and bytes, so that the UI talks to real servers, and
 * time, which continues after the last test that has a DOM.
 */
const ofTheRuntime: ReadonlySet<PropertyKey> = new Set([
  ...['fetch', 'Request', 'Response', 'Headers', 'FormData', 'Blob', 'File', 'URL', 'URLSearchParams'],
  ...['AbortController', 'AbortSignal', 'ReadableStream', 'WritableStream', 'TransformStream', 'crypto'],
  ...['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'],
  ...['queueMicrotask', 'structuredClone', 'TextEncoder', 'TextDecoder', 'performance', 'console'],
])

type Descriptors = Record<PropertyKey, PropertyDescriptor>

/** Globals of the one window of this process, and what was in their places before. */
let ofTheWindow: Descriptors | null = null
let before: Descriptors = {}

/**
 * Gives the calling test file a document, and takes it away after its last test: all files of a suite share one
 * process, and those about other things are to find no `window`. The window itself is the same for all of them,
 * because React and others remember the one that they met first. For the same reason, modules of the UI have to be
 * imported after this (`await import`): some look for a window as they are loaded.
 */
export async function openDom() {
  if (ofTheWindow === null) register()
  else Object.defineProperties(globalThis, ofTheWindow)
  const react = await import('@testing-library/react')
  // A second by default, which a machine that runs two suites may need for one picture.
  react.configure({ asyncUtilTimeout: 10_000 })
  const { userEvent } = await import('@testing-library/user-event')
  // Updates come whenever the service answers; what a test asserts, it waits for.
  beforeAll(() => void Reflect.set(globalThis, 'IS_REACT_ACT_ENVIRONMENT', false))
  goTo('/')
  afterEach(async () => {
    react.cleanup()
    sessionStorage.clear()
    // TanStack Query delivers its notifications in the next turn: those on their way still reach React, and it a window.
    await new Promise((resolve) => setTimeout(resolve, 0))
  })
  afterAll(async () => {
    await finishScheduledWork()
    close()
  })
  return { ...react, userEvent }
}

/** Changes the address as the browser does when a page is loaded. */
export function goTo(path: string): void {
  history.replaceState(null, '', path)
}

/** Makes a server's origin that of the page: from others, a browser asks before it sends, and so does this one. */
export function comeFrom(origin: string): void {
  const { happyDOM } = globalThis as unknown as { happyDOM: { setURL(url: string): void } }
  happyDOM.setURL(`${origin}/`)
}

function register(): void {
  const then = Object.getOwnPropertyDescriptors(globalThis) as Descriptors
  GlobalRegistrator.register({ url: 'http://127.0.0.1:8080/', width: 1280, height: 800 })
  const now = Object.getOwnPropertyDescriptors(globalThis) as Descriptors
  const changed = Reflect.ownKeys(now).filter((key) => !isSame(then[key], now[key]))
  for (const key of changed.filter((key) => ofTheRuntime.has(key))) restore(key, then[key])
  const kept = changed.filter((key) => !ofTheRuntime.has(key))
  ofTheWindow = Object.fromEntries(kept.map((key) => [key, now[key]])) as Descriptors
  before = then
}

/**
 * Waits until React's scheduler has run what the last test left: it takes one turn of the event loop per slice of work,
 * and each slice reads `window`.
 */
async function finishScheduledWork(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
}

function close(): void {
  for (const key of Reflect.ownKeys(ofTheWindow ?? {})) restore(key, before[key])
}

function restore(key: PropertyKey, descriptor: PropertyDescriptor | undefined): void {
  if (descriptor) Object.defineProperty(globalThis, key, descriptor)
  else Reflect.deleteProperty(globalThis, key)
}

function isSame(a: PropertyDescriptor | undefined, b: PropertyDescriptor | undefined): boolean {
  return a?.value === b?.value && a?.get === b?.get && a?.set === b?.set
}
