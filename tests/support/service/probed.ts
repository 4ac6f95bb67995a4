import { until } from '../waiting.ts'
import type { ServiceForTests } from './service-for-tests.ts'

/** Waits until a service has found out what its store can do: before, it issues no tickets and sends no checksums. */
export async function probed({ logs }: Pick<ServiceForTests, 'logs'>): Promise<void> {
  await until(() => logs().some(({ event }) => event === 'store.probed'), 'the probe')
}
