import { randomBytes } from 'node:crypto'
import { join } from 'node:path'

/** Places and ports of one Ceph cluster: a monitor, an OSD and a gateway, all on 127.0.0.1. */
export interface CephLayout {
  fsid: string
  /** Holds the monitor's and the OSD's data, and the keys between the three. */
  dataDir: string
  /** Holds what is created again at each start. */
  ownDir: string
  monPort: number
  /** Value of `rgw_frontends`. */
  frontend: string
}

/**
 * The disk is a sparse file of this size; only written blocks take space. Later objects overwrite deleted ones, but
 * the file does not shrink.
 */
const diskGibibytes = 32
/** The default is 1–3 GiB, and the tests need memory too. */
const cacheMebibytes = 128

/** Returns the address of the monitor in Ceph's notation; version 2 of the protocol only. */
export function monAddress(monPort: number): string {
  return `[v2:127.0.0.1:${monPort}/0]`
}

/** Writes the cluster's `ceph.conf` (docs.ceph.com, "Configuration", release Pacific). */
export function cephConfig(layout: CephLayout): string {
  const { fsid, dataDir, ownDir, monPort, frontend } = layout
  return `[global]
fsid = ${fsid}
mon host = ${monAddress(monPort)}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr1 = false
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
keyring = ${join(dataDir, 'keyring')}
run dir = ${ownDir}
crash dir = ${ownDir}
admin socket =
pid file =
log file =
log to stderr = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0

[mon]
mon data = ${join(dataDir, 'mon')}
mon allow pool size one = true
mon warn on pool no redundancy = false
# The cluster must not complain about a nearly full disk of the machine.
mon data avail warn = 1
mon data avail crit = 1
# Each of the gateway's pools waits for one proposal; the default is a second.
paxos propose interval = 0.05

[osd]
osd data = ${join(dataDir, 'osd')}
osd objectstore = bluestore
bluestore block size = ${diskGibibytes * 1024 ** 3}
bluestore cache autotune = false
bluestore cache size = ${cacheMebibytes * 1024 ** 2}
bluestore fsck on mkfs = false
# Closing the file waits this long (default 250), and starting closes it a dozen times.
bdev aio poll ms = 10
osd op num shards = 1
osd op num threads per shard = 4

[client.rgw]
rgw frontends = ${frontend}
rgw data = ${ownDir}
# Deleted bytes are freed at once and not after two hours.
rgw gc obj min wait = 1
rgw gc processor period = 5
`
}

/** Generates cephx keys for the three servers and for administration, as a keyring file. */
export function newKeyring(): string {
  return [
    entity('mon.', { mon: 'allow *' }),
    entity('client.admin', { mon: 'allow *', osd: 'allow *' }),
    entity('osd.0', { mon: 'allow profile osd', osd: 'allow *' }),
    entity('client.rgw', { mon: 'allow rw', osd: 'allow rwx' }),
  ].join('')
}

function entity(name: string, caps: Record<string, string>): string {
  const lines = Object.entries(caps).map(([service, allowed]) => `\tcaps ${service} = "${allowed}"\n`)
  return `[${name}]\n\tkey = ${cephxKey()}\n${lines.join('')}`
}

/** A random AES key as `ceph-authtool --gen-key` encodes one: type, time of making, length, bytes. */
function cephxKey(): string {
  const head = Buffer.alloc(12)
  head.writeUInt16LE(1, 0)
  head.writeUInt32LE(Math.floor(Date.now() / 1000), 2)
  head.writeUInt32LE(0, 6)
  head.writeUInt16LE(16, 10)
  return Buffer.concat([head, randomBytes(16)]).toString('base64')
}
