import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { type NetLog, readNetLog } from './browser-net-log.ts'
import { type Recording, record, startRecording } from './browser-recording.ts'
import { explainTimeouts } from './timeouts.ts'

/** Limit of one test in a browser. It catches what hangs, and is far above what a busy machine needs. */
export const hangMilliseconds = 300_000

/** How long a locator waits for its element: shorter than a test, so that the failure names the element. */
const locatorMillisecondsMax = 120_000

/** A real Chromium for one test file. Its windows share nothing with each other. */
export interface BrowserForTests {
  /** A window with cookies and storage of its own: another person at another machine. */
  newWindow(options?: WindowOptions): Promise<BrowserWindow>
  /** Windows that are open. */
  windows(): readonly BrowserContext[]
  /** What all windows asked for, were answered and complained about, so far. */
  recording: Recording
  /**
   * Closes it.
   *
   * @returns what the browser itself logged of its network.
   */
  stop(): Promise<NetLog>
}

export interface BrowserWindow {
  context: BrowserContext
  page: Page
  close(): Promise<void>
}

export interface WindowOptions {
  width?: number
  height?: number
  /** Of an operating system in that mode; default: light. */
  colorScheme?: 'light' | 'dark'
}

export interface BrowserOptions {
  /** Also every byte that goes over a socket: the log is then larger than all of them. */
  socketBytes?: boolean
}

/** Names under which Chromium and what is built from it are installed. */
const programs = ['chromium', 'chromium-browser', 'google-chrome']

/**
 * Starts Chromium without a display and without a network but loopback. It is driven over a pipe and ends when that
 * breaks, however this process ends; its profile is a new folder.
 *
 * @throws {Error} if it is not installed.
 */
export async function startBrowser({ socketBytes = false }: BrowserOptions = {}): Promise<BrowserForTests> {
  const folder = await mkdtemp(join(tmpdir(), 'browser-'))
  const netLogFile = join(folder, 'net-log.json')
  const browser = await launch([
    `--log-net-log=${netLogFile}`,
    `--net-log-capture-mode=${socketBytes ? 'Everything' : 'IncludeSensitive'}`,
  ])
  const recording = startRecording()
  return {
    recording,
    windows: () => browser.contexts(),
    newWindow: (options) => openWindow(browser, recording, options),
    async stop() {
      await browser.close()
      const netLog = await readNetLog(netLogFile)
      await rm(folder, { recursive: true, force: true })
      return netLog
    },
  }
}

/** True if {@link startBrowser} finds one. */
export function isBrowserInstalled(): boolean {
  return programs.some((program) => Bun.which(program) !== null)
}

async function launch(args: string[]): Promise<Browser> {
  const executablePath = programs.map((program) => Bun.which(program)).find((path) => path !== null)
  if (executablePath === undefined) throw new Error('Chromium is not installed: apt-get install chromium')
  return chromium.launch({
    executablePath,
    args: [
      ...args,
      // Root, as which CI runs, has no sandbox to be in.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // What it would ask for by itself has no address.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
    ],
  })
}

async function openWindow(
  browser: Browser,
  recording: Recording,
  { width = 1280, height = 900, colorScheme = 'light' }: WindowOptions = {},
): Promise<BrowserWindow> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme })
  context.setDefaultTimeout(locatorMillisecondsMax)
  record(context, recording)
  const page = await context.newPage()
  explainTimeouts(page, recording)
  return { context, page, close: () => context.close() }
}
