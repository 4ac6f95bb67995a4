import type { StoreCapabilities } from '../../service/object-store/store-capabilities.ts'

/** What the probe finds on MinIO, for tests that do not want to wait for it (`tests/integration/probe*`). */
export const minioCapabilities: StoreCapabilities = {
  ticketMethod: 'POST',
  digestEnforced: true,
  copyPinHonoured: true,
  conditionalOverwrite: 'yes',
}
