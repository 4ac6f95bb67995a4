/**
 * Preloaded into the tests, and by them into programs that start servers: keeps what those servers print for the search for
 * secrets.
 */
import { onServerStart } from '../../compose/servers/server-process.ts'
import { keepLogFile } from './printed.ts'

onServerStart(({ name, logFile }) => keepLogFile(name, logFile))
