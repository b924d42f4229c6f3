import t from 'tap'
import { startConnectedApp, TOPIC, token } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { openPage, PORT, skipWithoutChromium, takePicture } from '../helpers/chromium.js'
import { subscribe } from '../helpers/subscriber.js'

const ACCEPTED = `{"detail":"Send \`push_down\` to topic \`${TOPIC}\`"}`

t.test('sends the documented example with a token that is pasted once, and asks no other server for anything', { skip: skipWithoutChromium }, async t => {
  const { url } = await startBroker(t)
  const device = await subscribe(t, url, TOPIC)
  const app = await startConnectedApp(t, url)
  const origin = await app.listen({ host: '127.0.0.1', port: PORT })
  const { page, requested, complaints } = await openPage(t)

  await page.goto(origin)
  t.equal(page.url(), `${origin}/docs`)
  await page.getByRole('heading', { name: 'messenger' }).waitFor()
  await takePicture(page, 'api-reference')

  await page.getByRole('button', { name: 'Authorize' }).click()
  await page.getByLabel('auth-bearer-value').fill(await token())
  await page.getByRole('button', { name: 'Apply credentials' }).click()
  await page.getByRole('button', { name: 'Close' }).click()

  await page.getByText('Send one command to one device').click()
  const send = page.locator('#operations-messaging-sendCommand')
  for (const count of [1, 2]) {
    const answered = page.waitForResponse(`${origin}/messaging/send`)
    await send.getByRole('button', { name: 'Execute' }).click()
    const response = await answered
    t.equal(response.status(), 200)
    t.equal(await response.text(), ACCEPTED)
    t.equal(response.request().postData()?.replace(/\s/g, ''), '{"imei":"26372637216372637126376237","micro_op":"push_down"}')
    await device.count(count)
  }
  t.strictSame(device.payloads, ['push_down', 'push_down'])

  const shown = send.locator('.live-responses-table')
  t.equal(await shown.locator('tbody .response-col_status').first().innerText(), '200')
  t.equal(JSON.stringify(JSON.parse(await shown.locator('.highlight-code code').first().innerText())), ACCEPTED)
  // The command above, the answer below.
  await page.evaluate("document.querySelector('.body-param').scrollIntoView()")
  await takePicture(page, 'api-reference-answer')

  t.ok(requested.length > 5, 'requests are noticed')
  t.strictSame(requested.filter(address => !address.startsWith(`${origin}/`)), [])
  t.strictSame(complaints, [], 'the policy of the page stops nothing that it needs')
})
