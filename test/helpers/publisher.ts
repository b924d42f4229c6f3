import t from 'tap'
import type { Outcome } from '../../src/mqtt/outcome.js'
import type { Publication } from '../../src/mqtt/publication.js'
import { createPublisher, type Link, type PublisherOptions } from '../../src/mqtt/publisher.js'
import { createFakeClock } from './fake-clock.js'

interface Written { readonly packetId: number, readonly id: string, readonly expiryS: number }

/** A publisher on a fake clock, with a link that notes what is written to it. */
export function setUpPublisher (options: Partial<PublisherOptions> = {}) {
  const { clock, advance } = createFakeClock()
  const publisher = createPublisher({ clock, publishTimeoutMs: 5000, queueTimeoutMs: 1000, maxInflight: 2, maxQueue: 3, ...options })
  const written: Written[] = []
  const drops: string[] = []
  let made = 0

  function openLink (overrides: Partial<Link> = {}): void {
    publisher.open({
      receiveMaximum: 65_535,
      maximumPacketSize: undefined,
      publish ({ id }, expiryS) {
        written.push({ packetId: written.length + 1, id, expiryS })
        return written.length
      },
      drop (reason) {
        drops.push(reason)
        publisher.close()
      },
      ...overrides
    })
  }

  /** Sends, and keeps the outcome where the test can see whether it has come. */
  function send (expiresInMs = 30_000): { outcome: Outcome | undefined } {
    made += 1
    const publication: Publication = {
      id: `p${made}`,
      topic: 'devices/1/commands',
      payload: 'push_down',
      contentType: 'text/plain',
      userProperties: {},
      expiresAtMs: clock.nowMs() + expiresInMs
    }
    const result: { outcome: Outcome | undefined } = { outcome: undefined }
    publisher.send(publication).then(outcome => { result.outcome = outcome }, t.fail)
    return result
  }

  return { publisher, written, drops, openLink, send, advance, ids: () => written.map(({ id }) => id) }
}

/** Lets settled promises be seen. */
const settled = () => new Promise<void>(resolve => { setImmediate(resolve) })

/** What has become of these by now. */
export async function outcomes (...results: Array<{ outcome: Outcome | undefined }>) {
  await settled()
  return results.map(({ outcome }) => outcome)
}
