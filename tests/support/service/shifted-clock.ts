/**
 * Preloaded into a service of a test: from here on, its clock is `CLOCK_AHEAD_SECONDS` ahead of that of the machine, or
 * behind it if that is negative. Timers are not changed.
 */
const { CLOCK_AHEAD_SECONDS: seconds } = process.env
if (seconds === undefined) throw new Error('CLOCK_AHEAD_SECONDS says by how much the clock is to be shifted')

const realNow = Date.now
const now = () => realNow() + Number(seconds) * 1000

globalThis.Date = new Proxy(Date, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: (target) => new target(now()).toString(),
  get: (target, property, receiver) => (property === 'now' ? now : Reflect.get(target, property, receiver)),
})
