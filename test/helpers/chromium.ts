import { existsSync } from 'node:fs'
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import type { Test } from 'tap'

const EXECUTABLE = '/usr/bin/chromium'

/** `skip` of a test that needs Chromium: false where Debian's is installed, and in CI, where it must be. */
export const skipWithoutChromium = existsSync(EXECUTABLE) || process.env.CI === 'true' ? false : 'Chromium is not installed'

/** Where `npm run screenshots` puts its pictures; nowhere without it. */
const IMAGES = process.argv.includes('--write') ? 'docs/images' : undefined

/** Where the server under test listens: on a picture, where readers will find theirs. */
export const PORT = IMAGES === undefined ? 0 : 3000

/** A page of Chromium, closed with the test, and every address that anything in it has asked for. */
export async function openPage (t: Test) {
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    // Chromium refuses its sandbox to root; it is shown nothing but pages of ours.
    args: ['--no-sandbox', '--disable-dev-shm-usage']
  })
  t.teardown(() => browser.close())
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  const page = await context.newPage()
  return { page, ...watch(context, page) }
}

function watch (context: BrowserContext, page: Page) {
  const requested: string[] = []
  const complaints: string[] = []
  context.on('request', request => { requested.push(request.url()) })
  page.on('console', message => { if (message.type() === 'error') complaints.push(message.text()) })
  page.on('pageerror', error => { complaints.push(String(error)) })
  return {
    /** Addresses of all requests, in their order. */
    requested,
    /** What the page wrote to its console as an error: what its Content-Security-Policy has stopped, too. */
    complaints
  }
}

/** Takes a picture of what is in the window, where one was asked for. */
export async function takePicture (page: Page, name: string): Promise<void> {
  if (IMAGES !== undefined) await page.screenshot({ path: `${IMAGES}/${name}.png` })
}
