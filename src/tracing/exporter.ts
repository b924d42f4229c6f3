import type { SpanExporter } from '@opentelemetry/sdk-trace-base'
import type { FastifyBaseLogger } from 'fastify'

/** What a result of an export says that went well: `ExportResultCode.SUCCESS`. */
const SUCCESS = 0

/** An exporter that tells in the log when the receiver of the traces is lost, and when it is back: once each. */
export function tellChanges (exporter: SpanExporter, log: FastifyBaseLogger): SpanExporter {
  let isLost = false

  function note (code: number, error: Error | undefined): void {
    if ((code !== SUCCESS) === isLost) return
    isLost = !isLost
    if (isLost) log.warn({ reason: error?.message }, 'traces cannot be exported')
    else log.info('traces are exported again')
  }

  return {
    export (spans, callback) {
      exporter.export(spans, result => {
        note(result.code, result.error)
        callback(result)
      })
    },
    shutdown: () => exporter.shutdown()
  }
}
