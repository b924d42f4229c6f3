/** Most bytes of an answer, decoded: a key set has some thousand. */
const MAX_BYTES = 1_048_576

/** An answer, whatever its status. */
export interface TextAnswer {
  readonly status: number
  readonly text: string
}

/**
 * Fetches a text of at most 1 MiB, and follows no redirect.
 * @throws {Error} where there is no answer, or a larger one: no more of it is read
 */
export async function fetchText (url: string, { headers, signal }: Required<Pick<RequestInit, 'headers' | 'signal'>>): Promise<TextAnswer> {
  const { status, body } = await fetch(url, { redirect: 'manual', headers, signal })
  return { status, text: await new Response(body?.pipeThrough(createLimit())).text() }
}

/** A URL as it may be logged: without what may be a secret. */
export function nameUrl (url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}

/** Lets bytes through until they are too many. */
function createLimit (): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0
  return new TransformStream({
    transform (chunk, controller) {
      bytes += chunk.byteLength
      if (bytes > MAX_BYTES) throw new Error(`the answer is larger than ${MAX_BYTES} bytes`)
      controller.enqueue(chunk)
    }
  })
}
