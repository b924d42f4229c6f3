import t, { type Test } from 'tap'
import { startConnectedApp, TOPIC, token } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { openPage, PORT, skipWithoutChromium, takePicture } from '../helpers/chromium.js'
import { startAnsweringDevice } from '../helpers/answering-device.js'
import { startOtherOrigin } from '../helpers/other-origin.js'

const ACCEPTED = `{"detail":"Send \`push_down\` to topic \`${TOPIC}\`","reply":{"gate":"down"}}`

/** A server, a device that answers, and a page of another origin on which the address and a token are filled in. */
async function openOtherOrigin (t: Test, corsOriginOf: (origin: string) => string) {
  const { url } = await startBroker(t)
  const device = await startAnsweringDevice(t, url, () => '{"gate":"down"}')
  const origin = await startOtherOrigin(t)
  const app = await startConnectedApp(t, url, { CORS_ORIGIN: corsOriginOf(origin) })
  const target = await app.listen({ host: '127.0.0.1', port: PORT })
  /** Method, and for a preflight the headers it asks for. */
  const seen: Array<[string | undefined, string | undefined]> = []
  app.server.on('request', ({ method, headers }) => { seen.push([method, headers['access-control-request-headers']]) })

  const { page } = await openPage(t)
  await page.goto(origin)
  await page.getByLabel('POST').fill(`${target}/messaging/send`)
  await page.getByLabel('Bearer token').fill(await token())
  await page.getByLabel('Idempotency-Key').fill('gate-7-monday')
  async function send (): Promise<string[]> {
    await page.getByRole('button', { name: 'Send' }).click()
    const answer = page.locator('#answer:not(:empty)')
    return (await answer.innerText()).split('\n')
  }
  return { page, device, seen, send }
}

t.test('answers a page of another origin as it answers anybody, after a preflight, and lets it read the headers', { skip: skipWithoutChromium }, async t => {
  const { page, device, seen, send } = await openOtherOrigin(t, origin => `https://hoppscotch.io,${origin}`)

  const first = await send()
  t.equal(first[0], '200')
  t.equal(first.at(-1), ACCEPTED)
  for (const header of ['x-request-id: from-the-browser', 'preference-applied: wait=10']) t.ok(first.includes(header), header)
  t.strictSame(seen, [
    ['OPTIONS', 'authorization,content-type,idempotency-key,prefer,x-request-id'],
    ['POST', undefined]
  ])
  await takePicture(page, 'other-origin')

  const second = await send()
  t.equal(second[0], '200')
  t.equal(second.at(-1), ACCEPTED)
  t.ok(second.includes('idempotency-replayed: true'))
  t.strictSame(device.payloads, ['push_down'])
  t.equal(seen.length, 3, 'the preflight is remembered')

  await page.getByLabel('Bearer token').fill('none')
  const refused = await send()
  t.equal(refused[0], '401')
  t.ok(refused.some(line => line.startsWith('www-authenticate: Bearer realm="messenger", error="invalid_token"')))
})

t.test('does nothing for a page of an origin that is not in CORS_ORIGIN', { skip: skipWithoutChromium }, async t => {
  const { device, seen, send } = await openOtherOrigin(t, () => 'https://hoppscotch.io')
  t.strictSame(await send(), ['TypeError: Failed to fetch'])
  t.strictSame(seen.map(([method]) => method), ['OPTIONS'], 'the browser does not even send it')
  t.strictSame(device.payloads, [])
})
