import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

/** A caller that runs in the browser: what is filled in is sent, and all that a script may read of the answer is shown. */
const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A page of another origin</title>
<link rel="icon" href="data:,">
<style>
  body { font: 16px/1.5 sans-serif; margin: 48px; color: #223 }
  label { display: block; margin: 12px 0 }
  input { display: block; width: 100%; box-sizing: border-box; font: 14px/1.6 monospace; padding: 8px }
  button { font: inherit; padding: 8px 32px }
  pre { font: 14px/1.6 monospace; background: #f3f4f6; padding: 16px; white-space: pre-wrap; min-height: 12em }
</style>
<h1>A page of another origin</h1>
<label>POST <input name="url"></label>
<label>Bearer token <input name="token"></label>
<label>Idempotency-Key <input name="key"></label>
<label>Prefer <input name="prefer" value="wait=10"></label>
<label>Body <input name="body" value='{"imei": "26372637216372637126376237", "micro_op": "push_down"}'></label>
<button>Send</button>
<pre id="answer"></pre>
<script>
  const field = name => document.querySelector('[name=' + name + ']').value
  document.querySelector('button').onclick = async () => {
    const show = text => { document.querySelector('#answer').textContent = text }
    show('')
    try {
      const response = await fetch(field('url'), {
        method: 'POST',
        headers: {
          authorization: 'Bearer ' + field('token'), 'content-type': 'application/json',
          'idempotency-key': field('key'), prefer: field('prefer'), 'x-request-id': 'from-the-browser'
        },
        body: field('body')
      })
      const headers = [...response.headers].map(([name, value]) => name + ': ' + value).join('\\n')
      show(response.status + '\\n' + headers + '\\n\\n' + await response.text())
    } catch (error) {
      show(String(error))
    }
  }
</script>
`

/** Serves a page that calls another server, as hoppscotch.io does. @returns its origin, whose host name is not the address of ours */
export async function startOtherOrigin (t: Test): Promise<string> {
  const server = createServer((_request, response) => { response.setHeader('content-type', 'text/html').end(PAGE) })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://localhost:${(server.address() as AddressInfo).port}`
}
